package rotation

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Rollback goes back to the old secret during an overlap: Vault and every destination hand it out again, and the new one is
// retired in its stead, after an overlap of its own. That is possible only where the old one lives on by itself, and
// while Vault has its value.
func Rollback(rec credential.Record, by Person, env Env) (Decision, error) {
	return personal(rec, env, func(s *step) error {
		r, id := s.rec.Rotation, rec.Client.ID
		switch {
		case r == nil || r.Promoted == 0:
			return refuse("rotad show "+id, "no rotation of %s is in its overlap, so there is nothing to go back from", id)
		case !additive(r.Caps.Mode):
			return refuse("rotad history "+id, "%s is rotated as %s: its old secret counts down or is dead, and cannot be kept", id, r.Caps.Mode)
		case r.Phase != credential.PhaseOverlap || r.Revoked:
			return refuse("rotad show "+id, "the point of no return is passed: the old secret of %s is being revoked", id)
		case compromised(r) || rec.Request.Compromised:
			return refuse("rotad history "+id, "the old secret of %s is compromised", id)
		case r.OldVersion == 0 || r.Old.ID == "":
			return refuse("rotad show "+id, "which secret the old one of %s is, or where its value stands, is not known", id)
		case r.Old.Gone(s.env.Now, 0):
			return refuse("rotad show "+id, "the old secret of %s has expired", id)
		}
		r.RollingBack = &credential.Cause{Kind: credential.CauseRolledBack, Actor: by.Name, Reason: by.Reason}
		s.rec.Backoff = credential.Backoff{}
		s.auditPerson(credential.EventRequested, by, "roll back to version "+fmt.Sprint(r.OldVersion))
		return nil
	})
}

// rollsBack comes before everything else in an overlap: until it is done or refused, nothing is delivered, reloaded or revoked.
func (s *step) rollsBack() bool {
	return s.goesBack() && (s.backedOff() || s.do(EffectRollback))
}

func (s *step) goesBack() bool {
	r := s.rec.Rotation
	return r != nil && r.RollingBack != nil && r.Phase == credential.PhaseOverlap
}

// rollback publishes the old bundle again, over the new one and nothing else, if the provider accepts it now. It stages it
// first: whoever finds staging without the state goes on with it. Where it is refused, staging says again what Vault
// hands out, because an attempt before may have died in between.
func (r *run) rollback(ctx context.Context) Outcome {
	old, f := r.versionOf(ctx, r.rot.OldVersion)
	if f.Text != "" {
		return Outcome{Result: NotDone, Failure: f}
	}
	published, f := r.versionOf(ctx, r.rot.Promoted)
	if f.Text != "" {
		return Outcome{Result: NotDone, Failure: f}
	}
	answer, o, ok := r.mayGoBack(ctx, old, published)
	if !ok {
		if _, failed, restaged := r.stageAs(ctx, r.rot.New, r.rot.Old.ID, r.consumerBase(), published); !restaged && failed.Finding == FoundNothing {
			return failed
		}
		return o
	}
	entry, o, ok := r.stageAs(ctx, r.rot.Old, r.rot.New.ID, r.rot.Promoted, old)
	if !ok {
		return o
	}
	o = r.publish(ctx, old, r.rot.Promoted, func(_ context.Context, now credential.Consumer) (bool, error) {
		return holds(now, published), nil
	})
	o.Answer, o.Fence, o.FenceAt = answer, entry.Version, entry.Created
	return o
}

// mayGoBack says whether Vault still hands out one of the two, and the provider accepts the old one.
func (r *run) mayGoBack(ctx context.Context, old, published credential.Bundle) (providers.Answer, Outcome, bool) {
	now, err := r.Vault.Consumer(ctx, r.client().Vault, 0)
	switch {
	case err != nil:
		return providers.Unknown, Outcome{Result: NotDone, Failure: failure(err)}, false
	case holds(now, old): // it has been done, and only the note of it is missing
		return providers.Accepted, Outcome{}, true
	case !holds(now, published):
		return providers.Unknown, foreign("version %d of %s was written by someone else", now.Version, r.client().Vault), false
	}
	answer, noProof, f := r.ask(ctx, old)
	if answer != providers.Accepted && !noProof {
		return answer, Outcome{Result: result(answer), Answer: answer, Failure: f}, false
	}
	return answer, Outcome{}, true
}

// stageAs makes the staging entry of this rotation say which secret is being published, and which one ends.
func (r *run) stageAs(ctx context.Context, fresh credential.Secret, oldID string, base int, b credential.Bundle) (credential.Entry, Outcome, bool) {
	entry, o, ok := r.stagedEntry(ctx)
	if !ok {
		return entry, o, false
	}
	if holds(credential.Consumer{Version: entry.Version, Bundle: entry.Bundle}, b) {
		return entry, Outcome{}, true
	}
	s := r.entry(credential.StagingStaged)
	s.New, s.OldID, s.Consumer, s.Bundle = fresh, oldID, base, b
	version, at, o, ok := r.keep(ctx, entry.Version, s)
	entry.Version, entry.Created = version, at
	return entry, o, ok
}

func (s *step) applyRollback(o Outcome) {
	r := s.rec.Rotation
	switch {
	case r.RollingBack == nil || s.oldCopy(o):
	case o.Finding == FoundForeign:
		s.stay("somebody else writes the path: " + o.Failure.Text)
		s.holdForeign(o)
	case o.Finding == FoundLost:
		s.stay("Vault has lost the staging entry of this rotation")
	case o.Answer == providers.Refused:
		s.stay("the provider refuses the old secret")
	case o.Failure.Class == providers.ClassNotFound:
		s.stay(o.Failure.Text)
	case o.Result != Done:
		s.count(o.Failure)
	default:
		s.rolledBack(o)
	}
}

// stay drops the wish: the new secret stays what Vault hands out.
func (s *step) stay(why string) {
	s.rec.Rotation.RollingBack = nil
	s.rec.Backoff = credential.Backoff{}
	s.auditDetail(credential.EventFailed, "not rolled back: "+why)
	s.notice(credential.NoticeFailed, "roll-back", func(f *credential.Facts) {
		f.Error = "the old secret was not brought back, and the new one stays: " + why
	})
}

// forgetTurned forgets a rotation of which the state knows less than staging: it has gone back to its old secret. The next look
// takes it up from there.
func (s *step) forgetTurned() {
	s.auditDetail(credential.EventSettled, "the state is older than a roll-back: staging says what is published")
	s.rec.Rotation, s.rec.Hold, s.rec.Backoff = nil, nil, credential.Backoff{}
	s.rec.NextLook = s.env.Now
}

// rolledBack makes the two change places: the overlap begins anew, and the one that was new is what ends.
func (s *step) rolledBack(o Outcome) {
	r := s.rec.Rotation
	r.SameAs, r.OldUsed, r.Extended, r.LastCall = r.OldVersion, time.Time{}, time.Time{}, false
	r.Old, r.New, r.OldVersion = r.New, r.Old, r.Promoted
	r.Staged, r.StagedAt, r.OldDies = o.Fence, o.FenceAt, r.Old.Expires
	r.Cause, r.RollingBack, r.Reloads, r.Undelivered = *r.RollingBack, nil, nil, false
	s.release("the rotation was rolled back")
	s.promoted(o)
}
