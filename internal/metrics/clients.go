package metrics

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// The slots of rotad_secret_expiry_timestamp_seconds.
const (
	slotCurrent  = "current"
	slotRetiring = "retiring"
)

// The states of rotad_consumers.
const (
	stateMoved = "moved"
	stateLate  = "late"
)

// clientSeries shows the clients that get series of their own and returns how many those are. The client is a label here
// and nowhere else.
func (c *collector) clientSeries(out sink) (int, error) {
	limit := c.options.ClientSeries
	if limit <= 0 {
		return 0, nil
	}
	shown, labels := make(map[string]struct{}), shared{}
	for rec, err := range c.source.MostUrgent(limit) {
		if err != nil {
			return len(shown), fmt.Errorf("reading the most urgent clients: %w", err)
		}
		if len(shown) == limit {
			break
		}
		id := clean(rec.Client.ID)
		if _, twice := shown[id]; !twice { // the same series twice would cost the whole scrape
			shown[id] = struct{}{}
			c.client(out, labels, &rec)
		}
	}
	return len(shown), nil
}

func (c *collector) client(out sink, l shared, rec *credential.Record) {
	id, owner, provider := label("client", rec.Client.ID), l.of("owner", rec.Client.Owner), l.of("provider", rec.Client.Provider)
	if end, known := currentEnds(rec); known {
		out.series(c.expiry, ending(end), id, owner, provider, l.of("slot", slotCurrent))
	}
	if end, known := retiringEnds(rec); known {
		out.series(c.expiry, ending(end), id, owner, provider, l.of("slot", slotRetiring))
	}
	if phase := rec.Phase(); phase != credential.PhaseSteady {
		out.series(c.phase, 1, id, l.of("phase", string(phase)))
	}
	if moved, of := rec.Moved(); of > 0 {
		out.series(c.consumers, float64(moved), id, l.of("state", stateMoved))
		out.series(c.consumers, float64(of-moved), id, l.of("state", stateLate))
	}
	if r := rec.Rotation; overlapping(r) && !r.Extended.IsZero() {
		out.series(c.extended, seconds(r.Extended), id)
	}
	if c.options.NextAction == nil {
		return
	}
	if action, at := c.options.NextAction(*rec); action != "" && !at.IsZero() {
		out.series(c.action, seconds(at), l.of("action", action), id)
	}
}

// currentEnds returns when the secret that Vault hands out expires: what the provider says, else what a person has
// stated. A zero time is never; known is false where nobody knows.
func currentEnds(rec *credential.Record) (end time.Time, known bool) {
	switch {
	case rec.Current.Never:
		return time.Time{}, true
	case !rec.Current.Expires.IsZero():
		return rec.Current.Expires, true
	default:
		return rec.Client.Expires, !rec.Client.Expires.IsZero()
	}
}

// retiringEnds returns until when consumers may count on the old secret, between promote and revoke: the end of the
// overlap, or the provider's own timer where that retires it, or its expiry, whichever comes first. A manual one ends
// with its expiry only: nobody but a person can remove it. A zero time is never.
func retiringEnds(rec *credential.Record) (end time.Time, known bool) {
	r := rec.Rotation
	if !overlapping(r) {
		return time.Time{}, false
	}
	if r.Caps.Mode == credential.ModeManual {
		return r.Old.Expires, r.Old.Never || !r.Old.Expires.IsZero()
	}
	end = r.RevokeAfter
	if r.Caps.Mode == credential.ModeGraceWindow && !r.Policy.DeleteEarly && !r.OldDies.IsZero() {
		end = r.OldDies
	}
	if e := r.Old.Expires; !e.IsZero() && (end.IsZero() || e.Before(end)) {
		end = e
	}
	return end, !end.IsZero()
}

// overlapping says whether there is an old secret that still works beside the new one.
func overlapping(r *credential.Rotation) bool {
	if r == nil || r.Cutover || r.Revoked {
		return false
	}
	hadOld := r.OldVersion != 0 || r.Old.ID != ""
	return hadOld && (r.Phase == credential.PhaseOverlap || r.Phase == credential.PhaseRevoking)
}
