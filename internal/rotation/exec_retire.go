package rotation

import (
	"context"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// gate asks all that must be true before the old secret is revoked: Vault hands out the new one, it verifies again, the
// old one is still listed as recorded, the consumers' probes answer. The caller compares the clocks.
func (r *run) gate(ctx context.Context) Outcome {
	entry, err := r.Vault.Staging(ctx, r.key())
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	if r.lagging(entry) {
		return laggingOutcome()
	}
	if !r.ours(entry) {
		return Outcome{Result: Done, Finding: FoundOther}
	}
	if entry.Phase == credential.StagingIdle {
		return Outcome{Result: Done, Finding: FoundFinished}
	}
	if r.turned(entry) {
		return Outcome{Result: Done, Finding: FoundTurned}
	}
	if o, ok := r.gateVault(ctx, entry); !ok {
		return o
	}
	for _, probe := range r.client().Probes {
		if err := r.Probe(ctx, probe); err != nil {
			return Outcome{Result: NotDone, Failure: Failure{Class: providers.ClassUnavailable, Text: "a probe of a consumer failed: " + err.Error()}}
		}
	}
	return r.gateProvider(ctx)
}

// gateVault: what Vault hands out now is the new bundle, and the provider accepts it.
func (r *run) gateVault(ctx context.Context, entry credential.Entry) (Outcome, bool) {
	now, err := r.Vault.Consumer(ctx, r.client().Vault, 0)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	if !holds(now, entry.Bundle) {
		return foreign("version %d of %s no longer holds the new secret", now.Version, r.client().Vault), false
	}
	answer, noProof, f := r.ask(ctx, entry.Bundle)
	if answer == providers.Accepted || noProof {
		return Outcome{}, true
	}
	if f.Text == "" {
		f = Failure{Class: providers.ClassRejected, Text: "the provider refuses the new secret, so the old one stays"}
	}
	return Outcome{Result: NotDone, Failure: f}, false
}

// gateProvider: the old secret is still there as recorded, or past its known expiry.
func (r *run) gateProvider(ctx context.Context) Outcome {
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return failed(err)
	}
	o := Outcome{Result: Done, Clock: r.clock(ctx, snap)}
	old, listed := r.findOld(snap)
	now := r.surely(o.Clock)
	if listed {
		o.LastUse = old.LastUse
	}
	switch {
	case listed && !old.Gone(now, ExpirySkew) && r.onlyOne(snap, now):
		o.Finding = FoundElsewhere
		o.Failure = Failure{Class: providers.ClassConflict, Text: "the old secret " + r.rot.Old.ID + " is the only one that the provider lists, so it must be the one in use"}
	case listed && old.Gone(now, ExpirySkew), !listed && r.timeHasCome(now):
		o.Finding = FoundGone
	case listed || lapses(&r.rot):
	default:
		o.Finding = FoundElsewhere
		o.Failure = Failure{Class: providers.ClassConflict, Text: "the old secret " + r.rot.Old.ID + " was removed by someone else before its time"}
	}
	return o
}

// onlyOne says whether a provider that lists all secrets lists one that has not expired: it is never revoked.
func (r *run) onlyOne(snap providers.Snapshot, now time.Time) bool {
	live := 0
	for _, secret := range snap.Secrets {
		if !secret.Gone(now, ExpirySkew) {
			live++
		}
	}
	return additive(r.rot.Caps.Mode) && live == 1
}

// surely returns the time that has come by the wall clock and by an independent one: a wall clock that is ahead must not
// take a secret for expired that still works.
func (r *run) surely(clock time.Time) time.Time {
	if !clock.IsZero() && clock.Before(r.env.Now) {
		return clock
	}
	return r.env.Now
}

// timeHasCome says whether a list that no longer shows the old secret says no more than that its time has come, on a
// clock that may differ from ours.
func (r *run) timeHasCome(now time.Time) bool {
	lapsed := credential.Secret{Expires: r.rot.OldDies}
	return r.rot.Old.Gone(now, -ClockSkew) || lapsed.Gone(now, -ClockSkew)
}

// oldLapsed says whether the provider's own timer has run out.
func (r *run) oldLapsed(now time.Time) bool {
	return !r.rot.OldDies.IsZero() && now.After(r.rot.OldDies.Add(ExpirySkew))
}

// findOld finds the old secret in a list: by its id, else, where one of the two has no id, in the slot of the previous
// one: some servers list it without its start.
func (r *run) findOld(snap providers.Snapshot) (credential.Secret, bool) {
	id := r.rot.Old.ID
	if found, ok := snap.Find(id); ok && id != "" {
		return found, true
	}
	for _, secret := range snap.Secrets {
		nameless := id == "" || secret.ID == ""
		if secret.Slot == providers.SlotPrevious && nameless && r.rot.Caps.Mode == credential.ModeGraceWindow {
			return secret, true
		}
	}
	return credential.Secret{}, false
}

// revoke deletes the one old secret by its explicit id and confirms by listing; where the provider's own timer retires
// it, it only watches. It never touches what Vault hands out.
func (r *run) revoke(ctx context.Context) Outcome {
	id := r.rot.Old.ID
	if id != "" && id == r.rot.New.ID {
		return Outcome{Result: NotDone, Failure: Failure{Class: providers.ClassRejected, Text: "refusing to revoke the secret that Vault hands out: " + id}}
	}
	if lapses(&r.rot) || id == "" || r.onlyLapses() {
		return r.watchLapse(ctx)
	}
	if o, ok := r.mayRevoke(ctx); !ok {
		return o
	}
	if o, ok := r.activate(ctx); !ok {
		return o
	}
	if o, ok := r.deleteByID(ctx, id); !ok {
		if o.Failure.Class == providers.ClassConflict {
			o.Finding = FoundElsewhere
		}
		if o.Failure.Class == providers.ClassUnsupported && r.mayLapse() {
			return r.watchLapse(ctx)
		}
		return o
	}
	return Outcome{Result: Done}
}

// onlyLapses: the policy wants the old secret deleted early (delete_early), and this provider cannot do that at all.
func (r *run) onlyLapses() bool {
	_, ok := providers.AsRevoker(r.provider)
	return !ok && r.mayLapse()
}

// mayLapse says whether the provider's own timer is good enough where an early deletion is not to be had. For a secret
// that has leaked it is not: then a person has to know.
func (r *run) mayLapse() bool {
	return r.rot.Caps.Mode == credential.ModeGraceWindow && r.rot.Cause.Kind != credential.CauseCompromised
}

// mayRevoke asks once more, right before the revoke, that Vault hands out another value and that the provider accepts it:
// since the gate, a backup of Vault may have been restored, or a process may have been down for days.
func (r *run) mayRevoke(ctx context.Context) (Outcome, bool) {
	now, err := r.Vault.Consumer(ctx, r.client().Vault, 0)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	if now.Version < r.rot.Promoted || !hasValue(now) {
		return foreign("version %d of %s is older than the one with the new secret, or empty; the old one stays", now.Version, r.client().Vault), false
	}
	published, err := r.Vault.Consumer(ctx, r.client().Vault, r.rot.Promoted)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	if !hasValue(published) || !holds(now, published.Bundle) {
		return foreign("version %d of %s no longer holds the new secret; the old one stays", now.Version, r.client().Vault), false
	}
	switch answer, noProof, f := r.ask(ctx, now.Bundle); {
	case answer == providers.Accepted || noProof:
		return r.stillListed(ctx)
	case answer == providers.Refused:
		f = Failure{Class: providers.ClassConflict, Text: "the provider refuses what Vault hands out, so the old secret stays"}
		return Outcome{Result: NotDone, Finding: FoundElsewhere, Failure: f}, false
	default:
		return Outcome{Result: NotDone, Failure: f}, false
	}
}

// stillListed is the second witness for the new secret: caches of logins may not know yet that it was deleted.
func (r *run) stillListed(ctx context.Context) (Outcome, bool) {
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return failed(err), false
	}
	_, listed := snap.Find(r.rot.New.ID)
	if listed || r.rot.New.ID == "" || len(snap.Secrets) == 0 || !additive(r.rot.Caps.Mode) {
		return Outcome{}, true
	}
	f := Failure{Class: providers.ClassConflict, Text: "the provider no longer lists the new secret " + r.rot.New.ID + ", so the old one stays"}
	return Outcome{Result: NotDone, Finding: FoundElsewhere, Failure: f}, false
}

// watchLapse waits until the provider's own timer has retired the old secret.
func (r *run) watchLapse(ctx context.Context) Outcome {
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return failed(err)
	}
	old, listed := r.findOld(snap)
	now := r.surely(r.clock(ctx, snap))
	shows := r.rot.Caps.StartReadable || len(snap.Secrets) > 0
	switch {
	case listed && old.Gone(now, ExpirySkew), !listed && shows:
		return Outcome{Result: Done}
	case old.Expires.IsZero() && (r.oldLapsed(now) || !shows && r.rot.OldDies.IsZero()):
		return Outcome{Result: Done}
	}
	at := r.env.NextLook
	dies := old.Expires
	if dies.IsZero() {
		dies = r.rot.OldDies
	}
	if !dies.IsZero() {
		at = earliest(at, r.env.Now.Add(dies.Add(ExpirySkew+time.Second).Sub(now)))
	}
	return Outcome{Result: NotDone, Finding: FoundWaiting, At: latest(at, r.env.Now.Add(time.Second))}
}

// negative asks whether the old value is refused. It is asked only when it should be dead: repeated bad logins trip
// lock-outs.
func (r *run) negative(ctx context.Context) Outcome {
	if o, ok := r.stillPublished(ctx); !ok {
		return o
	}
	answer, finding, f := r.askOld(ctx)
	o := Outcome{Result: result(answer), Old: answer, Finding: finding, Failure: f}
	if finding != FoundNothing {
		o.Result = Done
	}
	return o
}

// stillPublished: while a person is asked to remove the old secret, Vault must not hand it out again.
func (r *run) stillPublished(ctx context.Context) (Outcome, bool) {
	if r.rot.Caps.Mode != credential.ModeManual || r.rot.Phase != credential.PhaseOverlap || r.rot.OldVersion == 0 {
		return Outcome{}, true
	}
	now, err := r.Vault.Consumer(ctx, r.client().Vault, 0)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	if now.Version < r.rot.Promoted {
		return foreign("version %d of %s is older than the one with the new secret; the old one has to stay", now.Version, r.client().Vault), false
	}
	old, err := r.Vault.Consumer(ctx, r.client().Vault, r.rot.OldVersion)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	if hasValue(old) && old.Bundle.Login().Equal(now.Bundle.Login()) { // a backup was restored, and something else written since
		return foreign("version %d of %s holds the old secret again; it has to stay", now.Version, r.client().Vault), false
	}
	return Outcome{}, true
}
