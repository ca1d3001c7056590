package rotation

import (
	"context"
	"slices"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/providers"
)

// activate lets the new secret take the old one's place, where the provider has a call of its own for that (mode staged). It may
// end the old one at once, so it comes no sooner than the revoke, after the same questions, and names both. One that took
// place already is done.
func (r *run) activate(ctx context.Context) (Outcome, bool) {
	if r.rot.Caps.Mode != credential.ModeStaged {
		return Outcome{}, true
	}
	activator, ok := providers.AsActivator(r.provider)
	if !ok {
		f := Failure{Class: providers.ClassUnsupported, Text: "this provider has no call that lets the new secret take the old one's place"}
		return Outcome{Result: NotDone, Failure: f}, false
	}
	fresh, o, ok := r.freshID(ctx)
	if !ok {
		return o, false
	}
	failpoint.Hit("activate", "before", r.rec.Client.ID)
	err := activator.Activate(ctx, r.target(), fresh, r.rot.Old.ID)
	if err == nil {
		failpoint.Hit("activate", "after", r.rec.Client.ID)
		return Outcome{}, true
	}
	o = failed(err)
	if o.Failure.Class == providers.ClassConflict {
		o.Finding = FoundElsewhere
	}
	return o, false
}

// freshID is the id of what Vault hands out. Of a value that a person brought nobody has said it; then it is the only other one
// that is listed beside the old one.
func (r *run) freshID(ctx context.Context) (string, Outcome, bool) {
	if r.rot.New.ID != "" {
		return r.rot.New.ID, Outcome{}, true
	}
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return "", failed(err), false
	}
	others := slices.DeleteFunc(slices.Clone(snap.Secrets), func(s credential.Secret) bool { return s.ID == r.rot.Old.ID || s.ID == "" })
	if len(others) != 1 {
		f := Failure{Class: providers.ClassRejected, Text: "which secret at the provider is the new one is not known; listed: " + ids(snap.Secrets)}
		return "", Outcome{Result: NotDone, Failure: f}, false
	}
	return others[0].ID, Outcome{}, true
}
