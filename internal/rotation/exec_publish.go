package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/providers"
)

// stagedEntry reads the staged bundle of this rotation.
func (r *run) stagedEntry(ctx context.Context) (credential.Entry, Outcome, bool) {
	entry, err := r.Vault.Staging(ctx, r.key())
	switch {
	case err != nil:
		return entry, Outcome{Result: NotDone, Failure: failure(err)}, false
	case r.ours(entry) && entry.Phase == credential.StagingIdle:
		return entry, Outcome{Result: Done, Finding: FoundFinished}, false
	case r.superseded(entry):
		return entry, Outcome{Result: Done, Finding: FoundOther}, false
	case r.lagging(entry):
		return entry, laggingOutcome(), false
	case entry.Version < r.rot.Staged && r.nobodys(entry):
		return entry, Outcome{Result: Done, Finding: FoundLost, Fence: entry.Version}, false
	case !r.ours(entry) || entry.Phase != credential.StagingStaged || entry.Attempt < r.rot.Attempt:
		return entry, foreign("the staging entry is at version %d (%s), by rotation %q", entry.Version, entry.Phase, entry.Rotation), false
	}
	return entry, Outcome{}, true
}

// stagedNew reads the staged bundle of this rotation, if it is that of its new secret.
func (r *run) stagedNew(ctx context.Context) (credential.Entry, Outcome, bool) {
	entry, o, ok := r.stagedEntry(ctx)
	if ok && r.turned(entry) {
		return entry, Outcome{Result: Done, Finding: FoundTurned}, false
	}
	return entry, o, ok
}

// turned says whether this rotation has gone back to its old secret since: staging names that one as the new one, to be
// published over a later version than the one that the rotation began with. The state is an old copy, and what it calls
// the old secret is what Vault hands out.
func (r *run) turned(e credential.Entry) bool {
	return r.ours(e) && e.Phase == credential.StagingStaged && e.New.ID != "" && e.New.ID == r.rot.Old.ID && e.New.ID != r.rot.New.ID &&
		e.Consumer > max(r.rot.OldVersion, r.rot.ConsumerBase)
}

// lagging says whether Vault answered with an older version of the staging entry than we have written: a replica that is
// behind. One that stays behind is no replica: a backup was restored.
func (r *run) lagging(e credential.Entry) bool {
	return e.Version < r.rot.Staged && r.rec.Backoff.Attempts < patienceWithReplicas
}

// patienceWithReplicas is the number of answers in a row that may be old.
const patienceWithReplicas = 3

func laggingOutcome() Outcome {
	return Outcome{Result: Unknown, Failure: Failure{Class: providers.ClassBusy, Text: "vault answered with an older version of the staging entry"}}
}

// superseded says whether this rotad has begun a later rotation since: the state is an old copy.
func (r *run) superseded(e credential.Entry) bool {
	return !r.ours(e) && e.Version > r.rot.Staged && r.rot.Staged != 0 && e.Instance == r.Instance && r.Instance != "" && !e.Deleted
}

// verify asks once whether the provider accepts the staged bundle.
func (r *run) verify(ctx context.Context) Outcome {
	entry, o, ok := r.stagedNew(ctx)
	if !ok {
		return o
	}
	answer, noProof, f := r.ask(ctx, entry.Bundle)
	if noProof {
		return Outcome{Result: Done, Finding: FoundNoProof}
	}
	o = Outcome{Result: result(answer), Answer: answer, Failure: f}
	if answer == providers.Accepted && !r.rec.Proved {
		o.Random, _, o.Failure = r.ask(ctx, randomLike(entry.Bundle))
	}
	return o
}

func result(a providers.Answer) Result {
	if a == providers.Unknown {
		return Unknown
	}
	return Done
}

// shown asks whether the staged secret may be published although it has not been accepted often enough: the provider
// accepts it now, or shows it as its current one.
func (r *run) shown(ctx context.Context) Outcome {
	entry, o, ok := r.stagedNew(ctx)
	if !ok {
		return o
	}
	answer, noProof, f := r.ask(ctx, entry.Bundle)
	if answer == providers.Accepted || noProof {
		return Outcome{Result: Done, Answer: answer}
	}
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return failed(err)
	}
	current, ok := snap.Current()
	if ok && current.Same(r.rot.New) {
		return Outcome{Result: Done, Answer: answer}
	}
	if !ok {
		return Outcome{Result: result(answer), Finding: FoundNotShown, Answer: answer, Failure: f}
	}
	return Outcome{Result: Done, Finding: FoundElsewhere, Answer: answer}
}

// promote publishes the staged bundle by compare-and-swap on the version that was current at the intent. Where another
// version stands there, its mapped fields decide: ours = done; the old ones = someone changed other keys, so the write
// is made from that version; anything else is someone else's and is never written over.
func (r *run) promote(ctx context.Context) Outcome {
	entry, o, ok := r.stagedNew(ctx)
	if !ok {
		return o
	}
	if r.proofIsOld() {
		if answer, _, _ := r.ask(ctx, entry.Bundle); answer == providers.Refused {
			return Outcome{Result: Done, Finding: FoundRefused, Answer: answer}
		}
	}
	nothingNew, err := r.nothingNew(ctx, entry.Bundle)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	o = r.publish(ctx, entry.Bundle, r.consumerBase(), r.mayReplace)
	if o.Result == Done && o.Finding == FoundNothing {
		o.Finding = nothingNew
	}
	return o
}

// nothingNew says whether the recorded version holds the value that is to be published. Either a person brought it again:
// Vault was edited, and the edit is taken back; then there is no old secret beside the new one, and nothing may be asked to
// be removed. Or the provider has kept the old secret, and only rotad's own keys may be new.
func (r *run) nothingNew(ctx context.Context, b credential.Bundle) (Finding, error) {
	if r.rot.OldVersion == 0 || r.rot.New.ID != "" && !r.rot.Cutover {
		return FoundNothing, nil
	}
	old, err := r.Vault.Consumer(ctx, r.client().Vault, r.rot.OldVersion)
	switch {
	case err != nil:
		return FoundNothing, err
	case r.rot.Cutover && hasValue(old) && old.Bundle.Login().Equal(b.Login()):
		return FoundKept, nil
	case r.rot.New.ID == "" && holds(old, b):
		return FoundSame, nil
	}
	return FoundNothing, nil
}

// proofIsOld: where the old secret works on, a new one that was verified a while ago, or by another process, is asked about
// again before it is published: Vault may have been away for days.
func (r *run) proofIsOld() bool {
	again := r.rec.Backoff.Attempts > 0 || r.rot.SinceBoot != r.env.Boot
	beside := additive(r.rot.Caps.Mode) || r.rot.Caps.Mode == credential.ModeManual
	return r.rot.Phase == credential.PhaseVerified && beside && (again || r.env.Now.Sub(r.rot.Since) > time.Minute)
}

// publish writes a bundle to the consumer path. replaces says which present bundles may be written over.
func (r *run) publish(ctx context.Context, b credential.Bundle, base int, replaces func(context.Context, credential.Consumer) (bool, error)) Outcome {
	path := r.client().Vault
	for range 3 {
		failpoint.Hit("promote", "before", r.rec.Client.ID)
		version, at, err := r.Vault.Promote(ctx, path, base, b)
		failpoint.Hit("promote", "after", r.rec.Client.ID)
		if err == nil {
			return r.published(ctx, version, at)
		}
		if definite(err) && !errors.Is(err, credential.ErrCAS) {
			return Outcome{Result: NotDone, Failure: failure(err)}
		}
		now, readErr := r.Vault.Consumer(ctx, path, 0)
		if readErr != nil {
			return Outcome{Result: Unknown, Failure: failure(readErr)}
		}
		if holds(now, b) {
			return r.published(ctx, now.Version, now.Created)
		}
		if !errors.Is(err, credential.ErrCAS) {
			return Outcome{Result: Unknown, Failure: failure(err)}
		}
		ok, err := replaces(ctx, now)
		if err != nil {
			return Outcome{Result: Unknown, Failure: failure(err)}
		}
		if !ok {
			return foreign("version %d of %s was written by someone else (expected version %d)", now.Version, path, base)
		}
		base = now.Version
	}
	return Outcome{Result: Unknown, Failure: Failure{Class: providers.ClassBusy, Text: "the Vault path is being written by others all the time"}}
}

// holds says whether a version hands out exactly this bundle.
func holds(c credential.Consumer, b credential.Bundle) bool {
	if c.Deleted || c.Version == 0 {
		return false
	}
	for name, value := range b {
		if have, ok := c.Bundle[name]; !ok || !have.Equal(value) {
			return false
		}
	}
	return true
}

// mayReplace says whether the present version may be written over: it hands out the same as the one that was to be replaced, or
// as the old one, or nothing where there was nothing.
func (r *run) mayReplace(ctx context.Context, now credential.Consumer) (bool, error) {
	if r.rot.OldVersion == 0 && !hasValue(now) {
		return true, nil
	}
	for _, version := range []int{r.rot.ConsumerBase, r.rot.OldVersion} {
		if version == 0 {
			continue
		}
		before, err := r.Vault.Consumer(ctx, r.client().Vault, version)
		if err != nil {
			return false, err
		}
		if hasValue(before) && !now.Deleted && now.Bundle.Login().Equal(before.Bundle.Login()) {
			return true, nil
		}
	}
	return false, nil
}

func (r *run) published(ctx context.Context, version int, at time.Time) Outcome {
	r.annotate(ctx)
	return Outcome{Result: Done, Version: version, At: at}
}

// annotate tells readers of the path about the rotation. It is never used to decide, so its failure is none.
func (r *run) annotate(ctx context.Context) {
	meta := map[string]string{
		"rotad_rotation": r.rot.ID, "rotad_secret_id": r.rot.New.ID,
		"rotad_expires_at": stamp(r.rot.New.Expires), "rotad_previous_valid_until": stamp(r.rot.OldDies),
	}
	_ = r.Vault.Annotate(ctx, r.client().Vault, meta)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// prove asks with the new value and with the old one.
func (r *run) prove(ctx context.Context) Outcome {
	entry, o, ok := r.stagedEntry(ctx)
	if o.Finding == FoundLost {
		entry.Bundle, ok = r.handedOut(ctx)
	}
	if !ok {
		return o
	}
	answer, _, f := r.ask(ctx, entry.Bundle)
	out := Outcome{Result: result(answer), Answer: answer, Failure: f}
	old, finding, f := r.askOld(ctx)
	out.Old, out.Finding = old, finding
	if out.Failure.Text == "" {
		out.Failure = f
	}
	if old == providers.Unknown && finding == FoundNothing {
		out.Result = Unknown
	}
	return out
}

// handedOut returns what the promoted version holds, where staging has lost its copy.
func (r *run) handedOut(ctx context.Context) (credential.Bundle, bool) {
	now, err := r.Vault.Consumer(ctx, r.client().Vault, 0)
	return now.Bundle, err == nil && hasValue(now) && r.rot.Promoted != 0 && now.Version >= r.rot.Promoted
}

// askOld asks with the old value, taken from the recorded Vault version.
func (r *run) askOld(ctx context.Context) (providers.Answer, Finding, Failure) {
	if r.rot.OldVersion == 0 {
		return providers.Unknown, FoundNoValue, Failure{}
	}
	old, err := r.Vault.Consumer(ctx, r.client().Vault, r.rot.OldVersion)
	if err != nil {
		return providers.Unknown, FoundNothing, failure(err)
	}
	if !hasValue(old) {
		return providers.Unknown, FoundNoValue, Failure{}
	}
	answer, noProof, f := r.ask(ctx, old.Bundle)
	if noProof {
		return providers.Unknown, FoundNoProof, Failure{}
	}
	return answer, FoundNothing, f
}

// restore brings the old bundle back, after a cutover that did not take: as a new version, with the present one's other
// keys, and only over the version that this rotation published.
func (r *run) restore(ctx context.Context) Outcome {
	old, err := r.Vault.Consumer(ctx, r.client().Vault, r.rot.OldVersion)
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	if !hasValue(old) {
		return Outcome{Result: NotDone, Failure: Failure{Class: providers.ClassNotFound, Text: "the version with the old value is gone from Vault"}}
	}
	entry, o, ok := r.stagedEntry(ctx)
	if o.Finding == FoundLost {
		return foreign("the staging entry is at version %d: it no longer holds the new secret, so nothing is taken back", entry.Version)
	}
	if !ok {
		return o
	}
	return r.publish(ctx, old.Bundle.WithKeysOf(entry.Bundle), r.rot.Promoted, func(_ context.Context, now credential.Consumer) (bool, error) {
		return holds(now, entry.Bundle), nil
	})
}
