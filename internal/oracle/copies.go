package oracle

import "github.com/rotad/rotad/internal/credential"

// lastCopy is I19, before a revoke: who reads a destination has been given the new secret by then.
func lastCopy(v *View, a *Act) string {
	if !v.Copied || !ofOld(v, a) || v.Racing {
		return ""
	}
	r := v.rotation()
	old := v.Version(r.OldVersion)
	switch {
	case old == "" || r.Undelivered || r.Cause.Kind == credential.CauseCompromised: // a person said that it has to go
	case v.Copy == old:
		return "revokes the old secret while a destination hands it out"
	case v.Taken == old:
		return "revokes the old secret while a consumer has not been reloaded"
	}
	return ""
}

// everyCopy is I19, in the end.
func everyCopy(v *View) string {
	if !v.Copied || v.Gone || v.Disturbed != "" || v.Record.Hold != nil || v.Record.Phase() != credential.PhaseSteady {
		return ""
	}
	if v.Copy != v.Hands {
		return "a destination does not hand out what Vault does"
	}
	return ""
}
