package rotation

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// CanWait says whether an effect may be put off while its provider does not answer, or has asked for a pause: what only looks,
// and what comes before a create or before a revoke. Where a created secret may be unpublished nothing waits, nor where
// somebody has the old one who must not.
func CanWait(rec credential.Record, e Effect) bool {
	s := step{rec: rec}
	if s.neverInterrupted() || rec.Request.Compromised || rec.Rotation != nil && compromised(rec.Rotation) {
		return false
	}
	switch e {
	case EffectLook, EffectPrepare, EffectCreate, EffectGate, EffectRevoke, EffectNegative:
		return true
	default:
		return false
	}
}

// Later is a decision that was made from a record, with its effect put off. What it tells stays. Nothing was sent, so that
// nothing is counted as a failure.
func (d Decision) Later(from credential.Record, until time.Time, why credential.Reason) Decision {
	if r := d.Record.Rotation; r != nil && from.Rotation != nil && d.Effect == EffectCreate {
		copied := *r
		copied.Asked = from.Rotation.Asked
		d.Record.Rotation = &copied
	}
	d.Effect, d.Reason = EffectNone, why
	d.Record.Due, d.Record.DueFor = until.UTC().Truncate(time.Microsecond), why
	return d
}

// TellAway adds the word to the admins that a provider does not answer, and since when. The store drops another word about
// the same outage.
func (d Decision) TellAway(env Env, since time.Time, silent int) Decision {
	s := newStep(d.Record, env)
	provider := s.rec.Client.Provider
	s.tellAdmins("away", fmt.Sprintf("%d calls in a row brought no answer", silent), func(n *credential.Notice) {
		n.Key = fmt.Sprintf("%s|away|%d", provider, since.Unix())
		n.Owner, n.Facts.Since, n.Facts.Expires = "", since.UTC(), time.Time{}
	})
	d.Notices = append(d.Notices, s.out.Notices...)
	return d
}

// Spread returns a part of a span that a client's id decides, so that many do not come together.
func Spread(id string, over time.Duration) time.Duration {
	return time.Duration(hash(id, int(over))%jitterSteps) * over / jitterSteps
}
