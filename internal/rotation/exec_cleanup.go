package rotation

import (
	"context"
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/providers"
)

// cleanUp closes the rotation in Vault, in this order: staging gets a version without a value that names the current
// secret's id; then older staging versions, and those consumer versions below the promoted one that hand out the old
// value, are destroyed by number.
func (r *run) cleanUp(ctx context.Context) Outcome {
	entry, err := r.Vault.Staging(ctx, r.key())
	if err != nil {
		return Outcome{Result: NotDone, Failure: failure(err)}
	}
	if r.lagging(entry) {
		return laggingOutcome()
	}
	if o, ok := r.lateOrphan(ctx); !ok {
		return o
	}
	if !r.ours(entry) { // somebody else's entry stays; what we wrote below it is destroyed all the same
		return Outcome{Result: Done, Cleanup: r.destroy(ctx, r.stagingBelow(min(entry.Version, r.rot.Staged+1)), r.retired(ctx))}
	}
	if entry.Phase != credential.StagingIdle {
		s := r.entry(credential.StagingIdle)
		s.New, s.Consumer = r.rot.New, r.rot.Promoted
		failpoint.Hit("idle", "before", r.rec.Client.ID)
		version, _, err := r.Vault.Stage(ctx, r.key(), entry.Version, s)
		failpoint.Hit("idle", "after", r.rec.Client.ID)
		if err != nil {
			return Outcome{Result: Unknown, Failure: failure(err)}
		}
		entry.Version = version
	}
	return Outcome{Result: Done, Cleanup: r.destroy(ctx, r.stagingBelow(entry.Version), r.retired(ctx))}
}

// lateOrphan finds what an earlier attempt of this rotation has left: a create that landed after it had been settled, sent
// by a process that was paused and then died. Its label names this rotation, so nobody else can have made it. It is named
// in the record before it is deleted.
func (r *run) lateOrphan(ctx context.Context) (Outcome, bool) {
	if !additive(r.rot.Caps.Mode) || !r.rot.Caps.Labels || r.rot.Attempt < 2 {
		return Outcome{}, true
	}
	snap, err := r.provider.Inspect(ctx, r.target())
	if err != nil {
		return failed(err), false
	}
	for _, secret := range snap.Secrets {
		isNew := secret.ID == r.rot.New.ID || r.rot.New.ID == "" && secret.Label == Label(&r.rot)
		if strings.HasPrefix(secret.Label, labelOf(&r.rot)) && !isNew && secret.ID != r.rot.Old.ID {
			return Outcome{Result: Done, Finding: FoundOrphan, Orphan: secret.ID}, false
		}
	}
	return Outcome{}, true
}

// stagingBelow returns the staging versions from before the idle one. Vault keeps ten by default, a path may keep more.
func (r *run) stagingBelow(version int) []int {
	var versions []int
	for v := max(1, version-stagingKept); v < version; v++ {
		versions = append(versions, v)
	}
	return versions
}

// stagingKept is how many staging versions are looked back for values to destroy.
const stagingKept = 32

// retired returns the consumer versions below the promoted one that hand out the old value.
func (r *run) retired(ctx context.Context) []int {
	if r.rot.OldVersion == 0 || r.client().KeepRetired || r.rot.Promoted <= r.rot.OldVersion {
		return nil
	}
	old, err := r.Vault.Consumer(ctx, r.client().Vault, r.rot.OldVersion)
	if err != nil || !hasValue(old) || r.takenBack(ctx, old) {
		return nil
	}
	var versions []int
	for v := max(1, r.rot.Promoted-stagingKept); v < r.rot.Promoted; v++ {
		c, err := r.Vault.Consumer(ctx, r.client().Vault, v)
		if err == nil && hasValue(c) && c.Bundle.Login().Equal(old.Bundle.Login()) {
			versions = append(versions, v)
		}
	}
	return versions
}

// takenBack says whether Vault may hand out the old value again, because a backup was restored: then it has to stay.
func (r *run) takenBack(ctx context.Context, old credential.Consumer) bool {
	now, err := r.Vault.Consumer(ctx, r.client().Vault, 0)
	return err != nil || now.Version < r.rot.Promoted || now.Bundle.Login().Equal(old.Bundle.Login())
}

// destroy destroys versions by number, and returns what was refused, to be tried again later.
func (r *run) destroy(ctx context.Context, staging, consumer []int) *credential.Cleanup {
	left := credential.Cleanup{}
	failpoint.Hit("destroy", "before", r.rec.Client.ID)
	if len(staging) > 0 && r.Vault.DestroyStaging(ctx, r.key(), staging) != nil {
		left.Staging = staging
	}
	failpoint.Hit("destroy", "between", r.rec.Client.ID)
	if len(consumer) > 0 && r.Vault.DestroyConsumer(ctx, r.client().Vault, consumer) != nil {
		left.Consumer = consumer
	}
	if left.Staging == nil && left.Consumer == nil {
		return nil
	}
	return &left
}

// below returns the versions before a version: where a backup of Vault was restored, later numbers mean other values.
func below(versions []int, version int) []int {
	var list []int
	for _, v := range versions {
		if v < version {
			list = append(list, v)
		}
	}
	return list
}

// sweep retries a destroy that was refused.
func (r *run) sweep(ctx context.Context) Outcome {
	c := r.rec.Cleanup
	if c == nil {
		return Outcome{Result: Done}
	}
	now, err := r.Vault.Consumer(ctx, r.rec.Client.Vault, 0)
	if err != nil {
		return Outcome{Result: NotDone, Cleanup: c, Failure: failure(err)}
	}
	consumer, err := r.stillRetired(ctx, now, below(c.Consumer, now.Version))
	if err != nil {
		return Outcome{Result: NotDone, Cleanup: c, Failure: failure(err)}
	}
	left := r.destroy(ctx, c.Staging, consumer)
	if left != nil {
		return Outcome{Result: NotDone, Cleanup: left, Failure: Failure{
			Class: providers.ClassAuth,
			Text:  fmt.Sprintf("destroying retired versions below %s was refused", r.rec.Client.Vault),
		}}
	}
	return Outcome{Result: Done}
}

// stillRetired returns the versions, unless Vault hands out their value again: all of them hold the same one.
func (r *run) stillRetired(ctx context.Context, now credential.Consumer, versions []int) ([]int, error) {
	if len(versions) == 0 {
		return nil, nil
	}
	old, err := r.Vault.Consumer(ctx, r.rec.Client.Vault, versions[len(versions)-1])
	if err != nil {
		return nil, err
	}
	if hasValue(old) && now.Bundle.Equal(old.Bundle) {
		return nil, nil
	}
	return versions, nil
}
