package notify

import (
	"context"
	"hash/fnv"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// lastDay is how long before its deadline a notice waits for no digest any more: a mail that leaves less than a day to act
// comes as good as too late.
const lastDay = 24 * time.Hour

// collecting is how long what cannot wait for the next digest, and still leaves more than a day, is collected for one of its own: a
// rotation of 500 clients on a Friday would be 500 mails else.
const collecting = time.Hour

// spread is the time over which the digests of one moment leave: every team chooses nine o'clock. It also gives nearly every
// digest a moment of its own, so that its notices lie side by side in the outbox.
const spread = time.Minute

// putOff puts off what is not urgent, for the digest of its owner or until the end of quiet hours, and returns the others. It
// is asked anew whenever a notice is due, so that a repetition does not come at night either.
func (l *Loop) putOff(ctx context.Context, world *World, notices []credential.Notice) (due []credential.Notice, err error) {
	var waiting []credential.Notice
	for _, n := range notices {
		until, digest := world.wait(n, l.Now())
		if until.IsZero() {
			due = append(due, n)
			continue
		}
		n.State, n.Wait, n.Due, n.Digest = credential.NoticeWaiting, until, until, n.Digest || digest
		if n.Digest {
			n.Due = until.Add(spreadOf(n.Owner))
		}
		n.Deliveries = slices.Clone(n.Deliveries)
		for i := range n.Deliveries {
			if d := &n.Deliveries[i]; d.State == credential.NoticePending {
				d.Next = n.Due
			}
		}
		waiting = append(waiting, n)
	}
	return due, l.settle(ctx, waiting...)
}

// wait says until when a notice can be put off, and whether it goes out in a digest then; zero = it goes now.
func (w *World) wait(n credential.Notice, now time.Time) (until time.Time, digest bool) {
	contact := w.audience(n)
	if n.Admins || SeverityOf(n) == SeverityCritical || unanswered(n) {
		return time.Time{}, false
	}
	end := deadline(n)
	if contact.Digest != nil && len(n.Deliveries) == 0 && n.Wait.IsZero() {
		until, digest = contact.gathered(now, end)
	}
	if contact.Quiet != nil {
		if quiet := contact.Quiet.End(later(now, until)); !quiet.IsZero() && beforeEnd(quiet, end) {
			until = quiet
		}
	}
	return until, digest
}

// gathered says until when something waits for a digest: the next one, or, where that comes too late for its end, what is
// collected within the hour.
func (c Contact) gathered(now, end time.Time) (until time.Time, digest bool) {
	next := c.Digest.Next(now)
	if next.IsZero() || !beforeEnd(next.Add(lastDay), end) {
		next = now.Truncate(collecting).Add(collecting)
	}
	if !beforeEnd(next.Add(lastDay), end) {
		return time.Time{}, false
	}
	return next, true
}

// unanswered says whether a message may have arrived: what is sent a second time is not touched.
func unanswered(n credential.Notice) bool {
	return slices.ContainsFunc(n.Deliveries, func(d credential.Delivery) bool {
		return d.State == credential.NoticePending && d.Ambiguous
	})
}

func beforeEnd(t, end time.Time) bool { return end.IsZero() || t.Before(end) }

// deadline is by when people have to know what a notice says: when the first thing happens that they can still do something
// about. One that has passed counts too, because then they are late already. Zero = there is none.
func deadline(n credential.Notice) time.Time {
	f := n.Facts
	ends := []time.Time{n.DropAfter, f.NoExpiry.Until}
	switch n.Kind {
	case credential.NoticeRetired, credential.NoticeLeft, credential.NoticeReleased:
		ends = nil
	case credential.NoticeAnnounce:
		ends = append(ends, f.NextRotate, f.Expires)
	case credential.NoticeRotated, credential.NoticeInUse:
		ends = append(ends, f.OldDies, f.Consumers.Until)
	case credential.NoticeOldRemind:
		ends = append(ends, f.OldDies)
	case credential.NoticeHeld:
		ends = append(ends, f.Expires)
		if f.Hold != nil {
			ends = append(ends, f.Hold.Deadline)
		}
	case credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired, credential.NoticeApprove, credential.NoticeFailed,
		credential.NoticeNoExpiry, credential.NoticeAdmin, credential.NoticeStopped, credential.NoticeDrift:
		ends = append(ends, f.Expires)
	}
	var first time.Time
	for _, end := range ends {
		if !end.IsZero() && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	return first
}

// spreadOf is by how much the digests of an owner leave later than others.
func spreadOf(owner string) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(owner))
	return time.Duration(h.Sum64()%uint64(spread/time.Microsecond)) * time.Microsecond
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
