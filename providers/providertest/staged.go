package providertest

import (
	"net/http"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// activate lets a secret take another one's place, where the kind has a call of its own for that.
func (b *bench) activate(fresh, old string) {
	b.Helper()
	activator, ok := providers.AsActivator(b.provider)
	if !ok || b.inspect().Caps.Mode != credential.ModeStaged {
		return
	}
	if err := activator.Activate(b.Context(), b.Target, fresh, old); err != nil {
		b.Fatalf("taking the old one's place: %v", err)
	}
}

// staged returns the kind as an Activator, with the current secret's id and a new one beside it. A kind of another mode has none.
func (b *bench) staged() (a providers.Activator, old string, issued providers.Issued, ok bool) {
	b.Helper()
	before := b.inspect()
	a, able := providers.AsActivator(b.provider)
	if before.Caps.Mode != credential.ModeStaged {
		return nil, "", issued, false
	}
	if !able {
		b.Fatal("the mode is staged, and the kind is no Activator")
	}
	current, found := before.Current()
	if !found {
		b.Fatalf("no secret is current: %+v", before.Secrets)
	}
	return a, current.ID, b.create(before.Caps), true
}

func takesPlace(b *bench) {
	a, old, issued, ok := b.staged()
	if !ok {
		return
	}
	fresh := issued.Secret.ID
	_ = b.mustFail(a.Activate(b.Context(), b.Target, fresh, "another"), "activate", providers.ClassConflict)
	_ = b.mustFail(a.Activate(b.Context(), b.Target, "another", old), "activate", providers.ClassConflict)
	b.mustBeCurrent(old)
	b.mustAnswer(b.Bundle, providers.Accepted, "the old secret, before it is replaced")
	b.faults.set(func(r *http.Request) bool { return r.Method != http.MethodGet }, loseReply)
	_ = b.mustFail(a.Activate(b.Context(), b.Target, fresh, old), "activate", providers.ClassIndeterminate, providers.ClassUnavailable)
	b.faults.set(nil, nil)
	for range 2 { // it took place, although nobody heard of it; again it is done already
		if err := a.Activate(b.Context(), b.Target, fresh, old); err != nil {
			b.Fatalf("again, after a lost reply: %v", err)
		}
	}
	b.mustBeCurrent(fresh)
	b.held = issued.Bundle
	b.mustAnswer(issued.Bundle, providers.Accepted, "the secret that is current now")
	_ = b.mustFail(a.Activate(b.Context(), b.Target, old, "another"), "activate", providers.ClassConflict)
}

// takenBack: a secret that waits can be ended, and the current one cannot.
func takenBack(b *bench) {
	_, old, issued, ok := b.staged()
	revoker, able := providers.AsRevoker(b.provider)
	if !ok || !able {
		return
	}
	_ = b.mustFail(revoker.Revoke(b.Context(), b.Target, old), "revoke", providers.ClassConflict)
	for range 2 {
		if err := revoker.Revoke(b.Context(), b.Target, issued.Secret.ID); err != nil {
			b.Fatalf("taking it back: %v", err)
		}
	}
	b.mustAnswer(issued.Bundle, providers.Refused, "the secret that was taken back")
	b.mustAnswer(b.Bundle, providers.Accepted, "the current secret")
	b.mustBeCurrent(old)
}

func (b *bench) mustBeCurrent(id string) {
	b.Helper()
	snap := b.inspect()
	if current, ok := snap.Current(); !ok || current.ID != id {
		b.Errorf("the current secret is %q, want %q: %+v", current.ID, id, snap.Secrets)
	}
}
