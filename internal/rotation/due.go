package rotation

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// DueAt returns when the client's rotation becomes due by its policy: the earliest of the provider's expiry, the time
// from which the provider itself requires it, and start (or first sight) plus lifetime; less rotate_before. A zero time
// means never.
func DueAt(rec credential.Record, p credential.Policy) time.Time {
	end := earliest(Ends(rec), rec.Caps.Required)
	if p.Lifetime > 0 {
		end = earliest(end, startOf(rec).Add(p.Lifetime))
	}
	if end.IsZero() {
		return time.Time{}
	}
	return end.Add(-p.RotateBefore)
}

// startOf returns since when the current secret is counted. Where the provider does not say it, that is when rotad published
// it, and for one that was there before, the first sight of the client.
func startOf(rec credential.Record) time.Time {
	r := rec.Rotation
	switch {
	case !rec.Current.Start.IsZero():
		return rec.Current.Start
	case r != nil && r.Promoted != 0:
		return latest(rec.Since, r.PromotedAt)
	case rec.Last.Outcome == "done":
		return latest(rec.Since, rec.Last.At)
	}
	return rec.Since
}

// Ends returns when the current secret expires: what the provider says, else what a person has stated. Zero = never, or
// unknown.
func Ends(rec credential.Record) time.Time {
	if rec.Current.Never {
		return time.Time{}
	}
	if !rec.Current.Expires.IsZero() {
		return rec.Current.Expires
	}
	return rec.Client.Expires
}

func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// Planned returns when the rotation is to begin: its due time, moved to the next opening of the window. Where no window
// is left before expiry minus overlap, it begins outside the window, and override says so. Zero = never.
func Planned(rec credential.Record, p credential.Policy, w credential.Window) (at time.Time, override bool) {
	due := DueAt(rec, p)
	if due.IsZero() || w.Contains(due) {
		return due, false
	}
	return inWindow(due, lastStart(rec, p), w)
}

// inWindow returns the next opening at or after t, or t itself as an override where that would be after the last
// moment. A zero last moment means that there is none.
func inWindow(t, last time.Time, w credential.Window) (at time.Time, override bool) {
	if w.Contains(t) {
		return t, false
	}
	next := w.Next(t)
	if !last.IsZero() && (next.IsZero() || next.After(last)) {
		return t, true
	}
	return next, false
}

// lastStart returns the last moment at which a rotation can begin and still leave its whole overlap before the expiry.
func lastStart(rec credential.Record, p credential.Policy) time.Time {
	end := Ends(rec)
	if end.IsZero() {
		return end
	}
	return end.Add(-p.Overlap)
}

// Automatic says whether the client's rotation needs nobody.
func Automatic(rec credential.Record, p credential.Policy) bool {
	return p.Start == credential.StartAuto && rec.Caps.Mode != credential.ModeManual &&
		(rec.Caps.Mode != credential.ModeHardCutover || rec.Client.AllowCut)
}

// overlapOf returns the effective overlap: what the policy wants, at most what the provider grants.
func overlapOf(c credential.Capabilities, p credential.Policy) time.Duration {
	if c.Mode == credential.ModeGraceWindow && c.Grace > 0 {
		return min(p.Overlap, c.Grace)
	}
	return p.Overlap
}

// overlapMin returns the shortest overlap that the policy accepts; its default is the overlap itself.
func overlapMin(p credential.Policy) time.Duration {
	if p.OverlapMin > 0 {
		return p.OverlapMin
	}
	return p.Overlap
}

// RetiresAt returns when the old secret of an overlap is to be retired: at its end, or at the opening of the window for
// which it waits then. A zero time means that a person removes it.
func RetiresAt(rec credential.Record, p credential.Policy, w credential.Window) time.Time {
	r := rec.Rotation
	if r.Caps.Mode == credential.ModeManual {
		return time.Time{}
	}
	return retiresFrom(rec, p, w, r.RevokeAfter)
}

// retiresFrom returns when an old secret whose overlap has ended is to be retired, asked at a moment: then, or at the next
// opening of the window. Where the provider retires the old secret by itself, or it has expired, there is nothing to wait
// for. A window that opens only after the next rotation is due would keep that one from beginning until the new secret
// expires: then the old one goes when people were told that it would.
func retiresFrom(rec credential.Record, p credential.Policy, w credential.Window, from time.Time) time.Time {
	r := rec.Rotation
	if w.Contains(from) || lapses(r) || r.Old.Gone(from, ExpirySkew) {
		return from
	}
	next, due := w.Next(from), DueAt(rec, p)
	if next.IsZero() || !due.IsZero() && due.Before(next) {
		return from
	}
	return next
}
