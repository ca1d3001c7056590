package rotation

import (
	"context"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/providers"
)

// createChosen is the create of a value that rotad chooses: the value stands in Vault staging, as pending, before it is
// set at the provider, and setting it again with the same value does no harm. An unknown outcome is therefore rolled
// forward with the same value; a different one is chosen only after a definite refusal of this one.
func (r *run) createChosen(ctx context.Context) Outcome {
	pending, o, ok := r.pendingEntry(ctx)
	if !ok {
		return o
	}
	failpoint.Hit("create", "before", r.rec.Client.ID)
	issued, err := r.createOnce(ctx, pending.Bundle)
	failpoint.Hit("create", "after", r.rec.Client.ID)
	f := fenced{version: pending.Version, wall: pending.FencedAt}
	switch class := providers.ClassOf(err); {
	case err == nil:
		issued.Bundle = pending.Bundle
		return r.created(ctx, f, issued, nil)
	case class == providers.ClassRejected && (r.rot.Sent != nil || pending.Boot != r.env.Boot):
		return r.rejectedAgain(ctx, pending, f, err)
	case class == providers.ClassRejected:
		return Outcome{Result: NotDone, Finding: FoundRejected, Failure: failure(err), Fence: f.version, FenceAt: f.wall}
	case providers.Definite(err):
		return Outcome{Result: NotDone, Finding: FoundPending, Failure: failure(err), Fence: f.version, FenceAt: f.wall}
	}
	return Outcome{Result: Unknown, Finding: FoundPending, Failure: failure(err), Fence: f.version, FenceAt: f.wall}
}

// rejectedAgain: a value may have been sent before, without an answer, and is refused now. The refusal may mean that it has been set
// already. Another value is chosen only when this one is refused as a login too, and can no longer land.
func (r *run) rejectedAgain(ctx context.Context, pending credential.Entry, f fenced, cause error) Outcome {
	o := Outcome{Result: NotDone, Finding: FoundPending, Failure: failure(cause), Fence: f.version, FenceAt: f.wall}
	answer, _, _ := r.ask(ctx, pending.Bundle)
	snap, err := r.provider.Inspect(ctx, r.target())
	switch {
	case err != nil || answer == providers.Unknown:
		return o
	case answer == providers.Accepted:
		return r.created(ctx, f, providers.Issued{Secret: r.ourNew(snap), Bundle: pending.Bundle}, nil)
	case r.env.quiet(r.rot.Sent) > 0:
		return o
	}
	o.Finding = FoundRejected
	return o
}

// ourNew returns the listed secret that has our label, or is the only one that was not there before.
func (r *run) ourNew(snap providers.Snapshot) credential.Secret {
	var fresh []credential.Secret
	for _, secret := range snap.Secrets {
		switch {
		case secret.Label != "" && secret.Label == Label(&r.rot):
			return secret
		case secret.ID != "" && !r.before(secret.ID):
			fresh = append(fresh, secret)
		}
	}
	if len(fresh) == 1 {
		return fresh[0]
	}
	return credential.Secret{}
}

// pendingEntry returns the value of this attempt: the one that stands in staging, or a fresh one that it puts there.
func (r *run) pendingEntry(ctx context.Context) (credential.Entry, Outcome, bool) {
	if r.rot.Fence == 0 && r.env.NoCreate == "" {
		if entry, o, ok := r.choose(ctx); ok || o.Finding != FoundPending || o.Fence != 0 {
			return entry, o, ok
		}
	}
	entry, err := r.Vault.Staging(ctx, r.key())
	switch {
	case err != nil: // a value of ours may stand there, and may have been sent: nothing may be chosen instead
		return entry, Outcome{Result: NotDone, Finding: FoundPending, Failure: failure(err), Fence: r.rot.Fence, FenceAt: r.rot.FenceAt}, false
	case r.ours(entry) && entry.Attempt == r.rot.Attempt && entry.Phase == credential.StagingPending:
		return entry, Outcome{}, true
	case entry.Version == r.rot.FenceBase && r.env.NoCreate != "":
		return entry, Outcome{Result: NotDone, Failure: Failure{Class: providers.ClassUnavailable, Text: "no rotation may begin now: " + string(r.env.NoCreate)}}, false
	}
	return entry, r.alreadyFenced(entry), false
}

// choose makes a value and stages it as pending. FoundPending says that one stands there already.
func (r *run) choose(ctx context.Context) (credential.Entry, Outcome, bool) {
	generator, ok := providers.AsGenerator(r.provider)
	if !ok {
		return credential.Entry{}, Outcome{Result: NotDone, Failure: Failure{Class: providers.ClassUnsupported, Text: "this provider's adapter cannot choose a value"}}, false
	}
	bundle, err := generator.Generate(r.target())
	if err != nil {
		return credential.Entry{}, failed(err), false
	}
	s := r.entry(credential.StagingPending)
	s.Bundle = bundle
	f, o, ok := r.fence(ctx, s, r.rot.FenceBase)
	if !ok {
		if o.Finding == FoundNothing && o.Result == Unknown {
			o.Finding = FoundPending
		}
		return credential.Entry{}, o, false
	}
	if o, ok := r.noneSet(ctx, f.version); !ok {
		return credential.Entry{}, o, false
	}
	s.FencedAt = f.wall.UTC().Truncate(time.Microsecond)
	return credential.Entry{Staging: s, Version: f.version, Created: f.at}, Outcome{}, true
}

// noneSet looks for a value that a process which is gone may have set. Vault would hold it as pending, unless a backup was
// restored since; then its secret is deleted before another value is set.
func (r *run) noneSet(ctx context.Context, fence int) (Outcome, bool) {
	if r.rot.SinceBoot == r.env.Boot || !r.rot.Caps.Labels {
		return Outcome{}, true
	}
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return Outcome{Result: NotDone, Finding: FoundPending, Failure: failure(err), Fence: fence, FenceAt: r.rot.Since}, false
	}
	if set := r.orphans(snap, credential.Entry{}); len(set) > 0 {
		return Outcome{Result: Done, Finding: FoundOrphan, Orphan: set[0], Fence: fence}, false
	}
	return Outcome{}, true
}
