package notify

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// The milestones of a failure notice, as the rotation writes them.
const (
	milestoneFailing    = "failing"    // a step fails again and again
	milestoneRestored   = "restored"   // a cutover did not take; the old value is back
	milestoneUnverified = "unverified" // published without proof, because the old one was about to expire
)

// StillTrue says whether a notice should still be sent, given the client's present record (found is false when there is
// none) and the time. It is asked right before a message leaves, because a notice may have waited for a mail server.
// Where it answers false, the reason says why in a few words. What happened (a rotation, a retirement, a removal, the
// word to the admins) stays true; what asks somebody to act does not survive the act.
func StillTrue(n credential.Notice, r credential.Record, found bool, now time.Time) (ok bool, reason string) {
	if !n.DropAfter.IsZero() && now.After(n.DropAfter) {
		return false, "no longer worth sending"
	}
	if why, done := historic(n, r, found); done {
		return why == "", why
	}
	switch {
	case n.Rung > 0 && found && answered(n, r, now) != "":
		return false, answered(n, r, now)
	case !found:
		return false, "the client is gone"
	case r.Leaving:
		return false, "the client is leaving"
	}
	why := stale(n, r, now)
	return why == "", why
}

// historic handles the kinds that report what has happened; done is false for the others.
func historic(n credential.Notice, r credential.Record, found bool) (why string, done bool) {
	switch n.Kind {
	case credential.NoticeAdmin, credential.NoticeRetired, credential.NoticeStopped, credential.NoticeDrift, KindTest:
		return "", true
	case credential.NoticeLeft:
		if found && !r.Leaving {
			return "the client is back", true
		}
		return "", true
	case credential.NoticeRotated:
		if found && n.Facts.VaultVersion > 0 && r.Version > n.Facts.VaultVersion {
			return "a later version has taken its place", true
		}
		return "", true
	case credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired, credential.NoticeAnnounce,
		credential.NoticeApprove, credential.NoticeFailed, credential.NoticeHeld, credential.NoticeReleased,
		credential.NoticeNoExpiry, credential.NoticeOldRemind, credential.NoticeInUse:
	}
	return "", false
}

// stale returns why a notice that asks somebody to act has lost its reason; empty = it has not.
func stale(n credential.Notice, r credential.Record, now time.Time) string {
	switch n.Kind {
	case credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired:
		if !n.Facts.NoExpiry.IsZero() {
			return staleUnending(n, r, now)
		}
		return staleExpiry(n, r, now)
	case credential.NoticeAnnounce, credential.NoticeApprove:
		return stalePlan(n, r, now)
	case credential.NoticeFailed:
		return staleFailure(n, r)
	case credential.NoticeHeld, credential.NoticeReleased:
		return staleHold(n, r)
	case credential.NoticeNoExpiry:
		return staleUnending(n, r, now)
	case credential.NoticeOldRemind:
		return staleReminder(n, r)
	case credential.NoticeInUse:
		return staleUse(n, r)
	case credential.NoticeAdmin, credential.NoticeRetired, credential.NoticeLeft, credential.NoticeRotated, credential.NoticeStopped, credential.NoticeDrift:
	}
	return ""
}

func staleHold(n credential.Notice, r credential.Record) string {
	switch told := n.Facts.Hold; {
	case n.Kind == credential.NoticeReleased && r.Hold != nil:
		return "it is held again"
	case n.Kind == credential.NoticeHeld && (r.Hold == nil || told != nil && r.Hold.Code != told.Code):
		return "the hold has ended"
	}
	return ""
}

// staleExpiry lets only the latest word about an expiry through: the record remembers the last milestone that was
// decided, in the same commit that queued its notice.
func staleExpiry(n credential.Notice, r credential.Record, now time.Time) string {
	if n.Kind != credential.NoticeExpired && r.Told.Expired || n.Kind == credential.NoticeWarning && laterWarning(n, r) {
		return "a later reminder takes its place"
	}
	switch {
	case replaced(n, r):
		return "the secret has been replaced"
	case n.Kind != credential.NoticeWarning:
		return ""
	case !n.Facts.Expires.IsZero() && !now.Before(n.Facts.Expires) && answered(n, r, now) == "":
		return "it has expired; another notice says so"
	}
	return answered(n, r, now)
}

// staleUnending is about a secret without a known expiry: that nobody has stated one, or that nobody stands for it any more.
func staleUnending(n credential.Notice, r credential.Record, now time.Time) string {
	word, said := n.Facts.NoExpiry, r.Client.NoExpiry
	switch {
	case !ends(r).IsZero(), word.IsZero() && r.Current.Never:
		return "an expiry is known"
	case word.IsZero() && said.Holds(now), !word.IsZero() && !word.Equal(said):
		return "somebody has answered for it"
	case n.Kind != credential.NoticeWarning:
		return ""
	case laterWarning(n, r):
		return "a later reminder takes its place"
	}
	return answered(n, r, now)
}

// answered says how a person has answered a warning.
func answered(n credential.Notice, r credential.Record, now time.Time) string {
	switch {
	case r.Request.Acked.After(n.At):
		return "acknowledged"
	case now.Before(r.Request.Snooze):
		return "snoozed"
	}
	return ""
}

// laterWarning says whether a reminder has followed. What goes up the ladder is the first that nobody has answered.
func laterWarning(n credential.Notice, r credential.Record) bool {
	return n.Rung == 0 && (r.Told.Final || r.Told.WarnedAt.After(n.At))
}

func stalePlan(n credential.Notice, r credential.Record, now time.Time) string {
	switch {
	case r.Rotation != nil:
		return "the rotation has begun"
	case replaced(n, r) || r.Last.At.After(n.At):
		return "the secret has been replaced"
	case n.Kind == credential.NoticeApprove && r.Request.Approved:
		return "it has been approved"
	case n.Kind == credential.NoticeAnnounce && r.Hold != nil && !r.Hold.Paging:
		return "it is held"
	case n.Kind == credential.NoticeAnnounce && !n.Facts.NextRotate.IsZero() && now.After(n.Facts.NextRotate):
		return "its time has come"
	}
	return ""
}

// staleFailure drops the word that something keeps failing once it no longer does. What ended badly stays true until
// the rotation has been brought to its end.
func staleFailure(n credential.Notice, r credential.Record) string {
	switch {
	case n.Facts.Rotation != "" && r.Last.Rotation == n.Facts.Rotation && r.Last.Outcome == "done":
		return "the rotation has succeeded"
	case n.Milestone == milestoneFailing && !r.Told.Failing:
		return "it no longer fails"
	}
	return ""
}

func staleReminder(n credential.Notice, r credential.Record) string {
	switch {
	case r.Rotation == nil || r.Rotation.ID != n.Facts.Rotation || r.Rotation.Revoked:
		return "the old secret is gone"
	case n.Rung == 0 && r.Told.Reminded.After(n.At):
		return "a later reminder takes its place"
	}
	return ""
}

// replaced says whether the record's current secret, or its expiry, is another one than the notice is about.
func replaced(n credential.Notice, r credential.Record) bool {
	if n.Facts.SecretID != "" && r.Current.ID != "" && n.Facts.SecretID != r.Current.ID {
		return true
	}
	return !n.Facts.Expires.IsZero() && !n.Facts.Expires.Equal(ends(r))
}

// ends returns when the current secret expires: what the provider says, else what a person has stated.
func ends(r credential.Record) time.Time {
	switch {
	case r.Current.Never:
		return time.Time{}
	case !r.Current.Expires.IsZero():
		return r.Current.Expires
	}
	return r.Client.Expires
}
