package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/providers"
)

// create fences in Vault staging by compare-and-swap, creates exactly once, and stages the bundle in Vault before
// anything else. A fence that finds another version than expected means that an earlier run came this far: then nothing
// is created here.
func (r *run) create(ctx context.Context) Outcome {
	if r.rot.Caps.Mode.Chosen() {
		return r.createChosen(ctx)
	}
	if r.env.NoCreate != "" {
		return r.noCreate(ctx)
	}
	if o, ok := r.noTraces(ctx); !ok {
		return o
	}
	fence, o, ok := r.fence(ctx, r.entry(credential.StagingIntent), r.rot.FenceBase)
	if !ok {
		return o
	}
	for !r.fresh(fence) {
		fence, o, ok = r.fence(ctx, r.entry(credential.StagingIntent), fence.version)
		if !ok {
			return o
		}
	}
	failpoint.Hit("create", "before", r.rec.Client.ID)
	issued, err := r.createOnce(ctx, nil)
	failpoint.Hit("create", "after", r.rec.Client.ID)
	return r.created(ctx, fence, issued, err)
}

// noCreate finds out whether an earlier run had sent a create, without beginning one.
func (r *run) noCreate(ctx context.Context) Outcome {
	entry, err := r.Vault.Staging(ctx, r.key())
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	if entry.Version == r.rot.FenceBase {
		return Outcome{Result: NotDone, Failure: Failure{Class: providers.ClassUnavailable, Text: "no rotation may begin now: " + string(r.env.NoCreate)}}
	}
	return r.alreadyFenced(entry)
}

// noTraces looks for a create that a process which is gone may have sent. Its fence would tell, unless a backup of Vault
// was restored since; then the provider is the only witness.
func (r *run) noTraces(ctx context.Context) (Outcome, bool) {
	if r.rot.SinceBoot == r.env.Boot {
		return Outcome{}, true
	}
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return r.unseen(ctx, err), false
	}
	replaces := !r.rot.Caps.Mode.Beside()
	began := credential.Entry{Staging: credential.Staging{FencedAt: r.rot.Since}}
	if replaces && (!r.rot.Caps.StartReadable || r.unchanged(snap)) || !replaces && len(r.orphans(snap, began)) == 0 {
		return Outcome{}, true
	}
	return r.maybeSent("the provider shows a secret that was not there before"), false
}

// unseen is about a provider that cannot be looked at. Where it refuses the key to this client, a create may be the reason:
// it has replaced the key, and the answer is lost. Then a fence tells that one may have been sent.
func (r *run) unseen(ctx context.Context, cause error) Outcome {
	o := Outcome{Result: NotDone, Failure: failure(cause)}
	if providers.ClassOf(cause) != providers.ClassAuth {
		return o
	}
	entry, err := r.Vault.Staging(ctx, r.key())
	if err != nil || !r.ours(entry) || entry.Version == r.rot.FenceBase {
		return o
	}
	return r.alreadyFenced(entry)
}

// maybeSent is about a create of which no fence tells any more. It was sent after the attempt began.
func (r *run) maybeSent(why string) Outcome {
	return Outcome{
		Result: Unknown, Fence: r.rot.FenceBase + 1, FenceAt: r.rot.Since,
		Failure: Failure{Class: providers.ClassIndeterminate, Text: "an earlier run may have sent a create: " + why},
	}
}

// fenced is a fence that this call has written.
type fenced struct {
	version int
	at      time.Time // Vault's time
	wall    time.Time // both clocks of this process when it was asked for
	elapsed time.Duration
}

// moment returns Vault's time of the fence, with which a provider's clock is compared; else that of this process.
func (f fenced) moment() time.Time {
	if !f.at.IsZero() {
		return f.at.UTC().Truncate(time.Microsecond)
	}
	return f.wall.UTC().Truncate(time.Microsecond)
}

// fence writes an intent or a pending entry over exactly the version that the record names. ok is false where the call
// must not go on; the outcome then says what was found.
func (r *run) fence(ctx context.Context, s credential.Staging, base int) (f fenced, o Outcome, ok bool) {
	f = fenced{wall: r.Now(), elapsed: r.Elapsed()}
	s.FencedAt = f.wall.UTC().Truncate(time.Microsecond)
	failpoint.Hit("fence", "before", r.rec.Client.ID)
	version, at, err := r.Vault.Stage(ctx, r.key(), base, s)
	failpoint.Hit("fence", "after", r.rec.Client.ID)
	if err == nil {
		f.version, f.at = version, at
		return f, Outcome{}, true
	}
	if definite(err) && !errors.Is(err, credential.ErrCAS) {
		return f, Outcome{Result: NotDone, Failure: failure(err)}, false
	}
	entry, readErr := r.Vault.Staging(ctx, r.key())
	if readErr != nil {
		return f, Outcome{Result: NotDone, Failure: failure(readErr)}, false
	}
	if r.ours(entry) && entry.Attempt == s.Attempt && entry.Phase == s.Phase && entry.Boot == s.Boot && entry.FencedAt.Equal(s.FencedAt) {
		f.version, f.at = entry.Version, entry.Created
		return f, Outcome{}, true
	}
	return f, r.notFenced(entry, s, base, err), false
}

// notFenced judges what stands where a fence could not be written.
func (r *run) notFenced(entry credential.Entry, s credential.Staging, base int, err error) Outcome {
	switch {
	case entry.Version != base:
		return r.alreadyFenced(entry)
	case errors.Is(err, credential.ErrCAS) && s.Phase == credential.StagingIntent:
		return r.maybeSent("another entry stood where the fence was to be written, and is gone again")
	}
	return Outcome{Result: NotDone, Failure: failure(err)}
}

// fresh: at most FenceLife may have passed on both clocks between the fence and the create, or another process could
// have taken over.
func (r *run) fresh(f fenced) bool {
	wall, elapsed := r.Now().Sub(f.wall), r.Elapsed()-f.elapsed
	return wall < FenceLife && wall > -FenceLife && elapsed < FenceLife
}

// alreadyFenced judges a staging entry that stands where the fence was to be written.
func (r *run) alreadyFenced(e credential.Entry) Outcome {
	switch {
	case e.Phase == credential.StagingIdle && r.ours(e):
		return Outcome{Result: Done, Finding: FoundFinished}
	case e.Phase == credential.StagingIdle && e.Version > r.rot.FenceBase && r.nobodys(e):
		return Outcome{Result: Done, Finding: FoundOther}
	case !r.ours(e):
		return foreign("the staging entry of this client is at version %d (expected %d), by rotation %q", e.Version, r.rot.FenceBase, e.Rotation)
	case e.Attempt < r.rot.Attempt:
		return Outcome{
			Result: NotDone, Finding: FoundEarlier, Fence: e.Version,
			Failure: Failure{Class: providers.ClassConflict, Text: "the entry of an attempt that has ended stands in staging again; it is written over with the next try"},
		}
	case r.turned(e):
		return Outcome{Result: Done, Finding: FoundTurned}
	case e.Phase == credential.StagingStaged:
		return Outcome{Result: Done, Finding: FoundStaged, Version: e.Version, At: e.Created, Secret: e.New, Fence: e.Version}
	case e.Phase == credential.StagingReceived:
		return Outcome{
			Result: Unknown, Finding: FoundReceived, Fence: e.Version, FenceAt: fencedAt(e),
			Failure: Failure{Class: providers.ClassNotUnderstood, Text: "an earlier reply could not be read"},
		}
	}
	return Outcome{
		Result: Unknown, Fence: e.Version, FenceAt: fencedAt(e),
		Failure: Failure{Class: providers.ClassIndeterminate, Text: "an earlier run may have sent a create"},
	}
}

// fencedAt returns Vault's time of a fence that stands in staging. What was written over it later keeps the process's.
func fencedAt(e credential.Entry) time.Time {
	if e.Phase == credential.StagingIntent && !e.Created.IsZero() {
		return e.Created.UTC().Truncate(time.Microsecond)
	}
	return e.FencedAt
}

// createOnce sends the create. It is called once per fence.
func (r *run) createOnce(ctx context.Context, proposed credential.Bundle) (providers.Issued, error) {
	if d := r.env.Timing.Deadline; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	request := providers.Request{Label: Label(&r.rot), Proposed: proposed, Reason: r.rot.Cause.Reason}
	if p := r.rot.Policy; r.rot.Caps.SetsExpiry && p.Lifetime > 0 {
		request.Expires = r.Now().UTC().Add(p.Lifetime).Truncate(time.Second)
	}
	return r.provider.Create(ctx, r.target(), request)
}

// created stages what came back, whatever it is.
func (r *run) created(ctx context.Context, f fenced, issued providers.Issued, err error) Outcome {
	r.rot.FenceAt = f.moment()
	switch class := providers.ClassOf(err); {
	case err == nil:
		return r.stage(ctx, f.version, issued)
	case class == providers.ClassNotUnderstood && !issued.Raw.Empty():
		return r.stageReceived(ctx, f.version, issued, err)
	case class == providers.ClassUnsupported && len(issued.Bundle) > 0: // nothing was rotated, and rotad's keys may be new
		o := r.stage(ctx, f.version, issued)
		if o.Result == Done {
			o.Finding, o.Failure = FoundKept, failure(err)
		}
		return o
	case providers.Definite(err):
		return Outcome{Result: NotDone, Failure: failure(err), Fence: f.version, FenceAt: r.rot.FenceAt}
	}
	return Outcome{Result: Unknown, Failure: failure(err), Fence: f.version, FenceAt: r.rot.FenceAt}
}

// stage writes the new bundle over the fence.
func (r *run) stage(ctx context.Context, fence int, issued providers.Issued) Outcome {
	s := r.entry(credential.StagingStaged)
	s.New, s.Bundle = issued.Secret, issued.Bundle
	version, at, o, ok := r.keep(ctx, fence, s)
	if !ok {
		return r.undo(ctx, fence, issued, o)
	}
	return Outcome{Result: Done, Finding: FoundStaged, Version: version, At: at, Secret: issued.Secret, OldDies: issued.OldDies, Fence: version}
}

// stageReceived keeps a reply that could not be read: it may hold the only copy of a secret.
func (r *run) stageReceived(ctx context.Context, fence int, issued providers.Issued, cause error) Outcome {
	s := r.entry(credential.StagingReceived)
	s.Raw = issued.Raw
	version, _, o, ok := r.keep(ctx, fence, s)
	if !ok {
		o.Fence, o.FenceAt = fence, r.rot.FenceAt
		return o
	}
	return Outcome{Result: Unknown, Finding: FoundReceived, Failure: failure(cause), Fence: version, FenceAt: r.rot.FenceAt}
}

// keep writes an entry that must not be lost: it tries until Vault has it, until someone else's version stands there,
// or until the context ends (a shutdown gives up after its drain). Whether a write landed is decided by reading it back.
func (r *run) keep(ctx context.Context, base int, s credential.Staging) (version int, at time.Time, o Outcome, ok bool) {
	limit := r.Elapsed() + r.patience()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		failpoint.Hit("stage", "before", r.rec.Client.ID)
		version, at, err := r.Vault.Stage(ctx, r.key(), base, s)
		failpoint.Hit("stage", "after", r.rec.Client.ID)
		if err == nil {
			return version, at, Outcome{}, true
		}
		entry, readErr := r.Vault.Staging(ctx, r.key())
		switch {
		case readErr != nil || entry.Version == base:
		case r.wrote(entry, s):
			return entry.Version, entry.Created, Outcome{}, true
		case entry.Version < base && r.nobodys(entry): // a backup of Vault was restored; the value must not be lost with it
			base = entry.Version
			continue
		default:
			o = foreign("the staging entry moved to version %d while the new secret was staged, by rotation %q", entry.Version, entry.Rotation)
			o.Result = Unknown // the secret exists
			return 0, at, o, false
		}
		if r.Elapsed() > limit || !r.pause(ctx, pause) {
			return 0, at, Outcome{Result: Unknown, Failure: failure(err)}, false
		}
	}
}

// wrote says whether a staging entry is the one that this call meant to write.
func (r *run) wrote(e credential.Entry, s credential.Staging) bool {
	return r.ours(e) && e.Attempt == s.Attempt && e.Phase == s.Phase && e.Bundle.Equal(s.Bundle) && e.Raw.Equal(s.Raw)
}

// nobodys says whether a staging entry may be written over although it is not of this rotation: there is none, or this
// rotad wrote it earlier.
func (r *run) nobodys(e credential.Entry) bool {
	return e.Version == 0 || e.Deleted || e.Instance == r.Instance
}

// patience returns how long a created secret is kept in memory while Vault does not take it. What can be deleted by id
// and made again is given up after two minutes; else the memory holds the only copy, and only a shutdown ends it.
func (r *run) patience() time.Duration {
	if r.rot.Caps.Mode.Beside() {
		return 2 * time.Minute
	}
	return 100 * 365 * 24 * time.Hour
}

// undo takes back a secret that could not be staged, by its explicit id, where the provider allows it.
func (r *run) undo(ctx context.Context, fence int, issued providers.Issued, o Outcome) Outcome {
	o.Fence, o.FenceAt = fence, r.rot.FenceAt
	id := issued.Secret.ID
	revoker, ok := providers.AsRevoker(r.provider)
	switch {
	case id == "" || id == r.rot.Old.ID || !ok || !r.rot.Caps.Mode.Beside():
	case r.insist(ctx, revoker, id):
		o.Failure.Text = "the new secret could not be staged and was deleted again: " + o.Failure.Text
	default:
		o.Failure.Text = "the new secret " + id + " could not be staged, nor deleted again: " + o.Failure.Text
	}
	return o
}

// insist revokes a secret that nobody else knows of, for as long as staging it was tried, and says whether it is gone. Not found
// says so only after a try whose reply was lost: before that, the server that is asked may not know the new secret yet.
func (r *run) insist(ctx context.Context, revoker providers.Revoker, id string) bool {
	limit := r.Elapsed() + r.patience()
	sent := false
	for pause := time.Second; ; pause *= 2 {
		err := revoker.Revoke(ctx, r.target(), id)
		if err == nil || sent && providers.ClassOf(err) == providers.ClassNotFound {
			return true
		}
		sent = sent || !providers.Definite(err)
		if providers.ClassOf(err) == providers.ClassUnsupported || r.Elapsed()+pause > limit || !r.pause(ctx, pause) {
			return false
		}
	}
}
