package rotation

import (
	"context"
	"slices"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// discardOrphan deletes an orphan that a person has let go, by its id. Right before, everything is looked at anew: Vault
// hands out another secret, which the provider lists and accepts, and nothing speaks for anybody who uses this one.
func (r *run) discardOrphan(ctx context.Context) Outcome {
	orphan, ok := dueOrphan(&r.rec, r.env.Now)
	if !ok {
		return Outcome{Result: Done}
	}
	o := r.discardOne(ctx, orphan)
	o.Orphan = orphan.ID
	return o
}

func (r *run) discardOne(ctx context.Context, orphan credential.Orphan) Outcome {
	l := &Look{Found: true}
	consumer, err := r.lookAtVault(ctx, l)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	if l.Snapshot, err = r.provider.Inspect(ctx, r.target()); err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	found, listed := l.Snapshot.Find(orphan.ID)
	if !listed {
		return Outcome{Result: Done}
	}
	if why := r.mayBeUsed(l, consumer, orphan, found); why != "" {
		return kept(why)
	}
	answer, noProof, f := r.ask(ctx, consumer.Bundle)
	switch {
	case answer == providers.Refused:
		return kept("the provider refuses what Vault hands out, so this one may be the last that works")
	case answer == providers.Unknown && !noProof:
		return Outcome{Result: NotDone, Failure: f}
	}
	if o, gone := r.deleteByID(ctx, orphan.ID); !gone {
		return o
	}
	return Outcome{Result: Done}
}

// kept is the outcome of an orphan that is not deleted after all. It is found, so that it is not tried again.
func kept(why string) Outcome {
	return Outcome{Result: NotDone, Finding: FoundElsewhere, Failure: Failure{Class: providers.ClassConflict, Text: why}}
}

// mayBeUsed says what speaks for somebody who uses a secret; empty = nothing does.
func (r *run) mayBeUsed(l *Look, consumer credential.Consumer, orphan credential.Orphan, found credential.Secret) string {
	current, listed := l.Snapshot.Find(r.rec.Current.ID)
	switch {
	case orphan.ID == r.rec.Current.ID, orphan.ID == r.rec.Client.CurrentID:
		return "it is what Vault hands out"
	case found.Label != orphan.Label:
		return "its label has changed since it was let go"
	case found.Slot == providers.SlotCurrent:
		return "the provider calls it the current one"
	case !listed || current.Gone(r.env.Now, ExpirySkew):
		return "the secret that Vault hands out is not listed, or has expired"
	case !found.LastUse.IsZero() && found.LastUse.After(r.rec.Last.At):
		return "somebody has used it since the last rotation"
	}
	return r.mayBeInVault(l, consumer, orphan)
}

// mayBeInVault says what speaks for Vault handing a secret out; empty = nothing does.
func (r *run) mayBeInVault(l *Look, consumer credential.Consumer, orphan credential.Orphan) string {
	switch {
	case l.Staging.New.ID == orphan.ID:
		return "Vault's staging names it as the newest one"
	case !l.HasValue || l.Version != r.rec.Version && !l.Same || reused(&r.rec, l.Version, l.Written):
		return "Vault hands out another version than the recorded one"
	case slices.Contains(hinted(l.Snapshot.Secrets, consumer.Bundle), orphan.ID):
		return "the value that Vault hands out begins as this one does"
	}
	return ""
}
