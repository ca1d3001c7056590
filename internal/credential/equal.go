package credential

import (
	"maps"
	"slices"
)

// Equal says whether two records are the same in every field. The loop asks it before every effect, so it is written
// out: walking the fields by reflection takes longer than the decision that they are compared for.
func (r *Record) Equal(o *Record) bool {
	return all(
		r.Rev == o.Rev, r.Sight == o.Sight, r.Version == o.Version, r.Proved == o.Proved, r.Missing == o.Missing,
		r.Presumed == o.Presumed, r.Refused == o.Refused, r.Leaving == o.Leaving, r.Due.Equal(o.Due), r.DueFor == o.DueFor,
		r.Boot == o.Boot, r.Since.Equal(o.Since), r.VersionAt.Equal(o.VersionAt), r.Looked.Equal(o.Looked), r.NextLook.Equal(o.NextLook),
		r.Backoff == o.Backoff, r.Request == o.Request, r.Told == o.Told, r.Calendar == o.Calendar, r.Answered.Equal(o.Answered), r.Last == o.Last,
		r.Current == o.Current, r.Caps == o.Caps, same(r.Hold, o.Hold), r.Cleanup.equal(o.Cleanup), slices.Equal(r.Copies, o.Copies),
		slices.Equal(r.Consumers, o.Consumers), slices.EqualFunc(r.Habits, o.Habits, Habit.equal), r.Wave == o.Wave,
		slices.Equal(r.Orphans, o.Orphans), slices.Equal(r.Beside, o.Beside), r.BesideAt.Equal(o.BesideAt),
		r.Client.equal(&o.Client), r.Rotation.equal(o.Rotation),
	)
}

// all says whether every condition holds. It asks them all: where two records differ hardly matters, mostly they do not.
func all(conditions ...bool) bool { return !slices.Contains(conditions, false) }

// same compares what pointers point to; nil is the same as nil only.
func same[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func (c *Cleanup) equal(o *Cleanup) bool {
	if c == nil || o == nil {
		return c == o
	}
	return slices.Equal(c.Staging, o.Staging) && slices.Equal(c.Consumer, o.Consumer) && c.Next.Equal(o.Next) && c.Tries == o.Tries
}

func (c *Client) equal(o *Client) bool {
	return all(
		c.ID == o.ID, c.Provider == o.Provider, c.Owner == o.Owner, c.Policy == o.Policy, c.Expires.Equal(o.Expires),
		c.CurrentID == o.CurrentID, c.AllowCut == o.AllowCut, c.Bootstrap == o.Bootstrap, c.Grace == o.Grace,
		c.KeepRetired == o.KeepRetired, c.RenamedFrom == o.RenamedFrom, c.Source == o.Source, c.Verify == o.Verify,
		c.Vault.Namespace == o.Vault.Namespace, c.Vault.Mount == o.Vault.Mount, c.Vault.Path == o.Vault.Path,
		maps.Equal(c.Vault.Fields, o.Vault.Fields), maps.Equal(c.Ref, o.Ref), maps.Equal(c.Labels, o.Labels),
		slices.Equal(c.Probes, o.Probes), sameDestinations(c.Destinations, o.Destinations),
		sameReloads(c.Reloads, o.Reloads), c.Stagger == o.Stagger, c.NoExpiry.Equal(o.NoExpiry),
		slices.Equal(c.Consumers, o.Consumers),
	)
}

func (p *Policy) equal(o *Policy) bool {
	return all(
		p.Name == o.Name, p.Start == o.Start, p.Lifetime == o.Lifetime, p.RotateBefore == o.RotateBefore,
		p.Overlap == o.Overlap, p.OverlapMin == o.OverlapMin, p.Announce == o.Announce, p.WarnWhen == o.WarnWhen,
		p.Window == o.Window, p.DeleteEarly == o.DeleteEarly, p.MaxAttempts == o.MaxAttempts, slices.Equal(p.Warn, o.Warn),
		p.OverlapEnds == o.OverlapEnds, p.Quiet == o.Quiet, p.OverlapMax == o.OverlapMax, p.AtMax == o.AtMax, p.Drift == o.Drift,
	)
}

func (r *Rotation) equal(o *Rotation) bool {
	if r == nil || o == nil || r == o {
		return r == o
	}
	return r.equalInPlan(o) && r.equalInDeed(o) && r.Client.equal(&o.Client) && r.Policy.equal(&o.Policy)
}

// equalInPlan compares what was known when the create was sent.
func (r *Rotation) equalInPlan(o *Rotation) bool {
	return all(
		r.ID == o.ID, r.Attempt == o.Attempt, r.Phase == o.Phase, r.Since.Equal(o.Since), r.Cause == o.Cause, r.Caps == o.Caps,
		r.Started.Equal(o.Started), slices.Equal(r.Before, o.Before), r.Old == o.Old, r.OldVersion == o.OldVersion,
		r.ConsumerBase == o.ConsumerBase, r.FenceBase == o.FenceBase, r.Fence == o.Fence, r.FenceAt.Equal(o.FenceAt),
		same(r.Unsettled, o.Unsettled), r.Asked == o.Asked, r.Resent == o.Resent, r.Replaced == o.Replaced, same(r.Sent, o.Sent),
	)
}

// equalInDeed compares what came of it.
func (r *Rotation) equalInDeed(o *Rotation) bool {
	return all(
		r.New == o.New, r.Staged == o.Staged, r.StagedAt.Equal(o.StagedAt), r.Orphan == o.Orphan, r.Successes == o.Successes,
		r.Publishing == o.Publishing, r.Promoted == o.Promoted, r.PromotedAt.Equal(o.PromotedAt), r.RevokeAfter.Equal(o.RevokeAfter),
		r.OldDies.Equal(o.OldDies), r.Cutover == o.Cutover, r.Override == o.Override, r.Restored == o.Restored,
		r.SinceBoot == o.SinceBoot, r.SinceElapsed == o.SinceElapsed, r.Aborting == o.Aborting, r.Revoked == o.Revoked,
		r.Negative == o.Negative, r.NegativeSince.Equal(o.NegativeSince), r.Undelivered == o.Undelivered,
		r.SameAs == o.SameAs, r.OldUsed.Equal(o.OldUsed), r.Extended.Equal(o.Extended), r.LastCall == o.LastCall,
		slices.Equal(r.Reloads, o.Reloads), same(r.RollingBack, o.RollingBack),
	)
}
