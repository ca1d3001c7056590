package oracle

import "github.com/rotad/rotad/internal/credential"

// lastUser is I20, before a revoke: who said that it runs on the old secret has moved by then.
func lastUser(v *View, a *Act) string {
	if !v.Used || v.SaidLate || !ofOld(v, a) || v.Racing {
		return ""
	}
	r := v.rotation()
	old := v.Version(r.OldVersion)
	if old == "" || r.Undelivered || r.Cause.Kind == credential.CauseCompromised || v.Said != old || !v.Accepts(old) {
		return ""
	}
	return "revokes the old secret while a consumer runs on it"
}
