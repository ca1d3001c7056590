package years_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/notify"
)

// lags are the greatest delays between "due" and "done", apart from what outages, downtime and closed windows cost.
// Recovered is that of rotations that an outage had kept from beginning: a hold that may end by itself is asked about
// again with the next look.
type lags struct{ claim, rotate, recovered, revoke, mail greatest }

type greatest struct {
	mu    sync.Mutex
	value time.Duration
	whose string
}

func (g *greatest) get() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.value
}

func (g *greatest) see(d time.Duration, whose string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d > g.value {
		g.value, g.whose = d, whose
	}
}

// The late bounds: what a run must not exceed.
const (
	napBound    = 15 * time.Second // the loop looks at its clock that often
	rotateBound = 15 * time.Minute // with lost replies to settle and a value to be refused until it is known everywhere
	revokeBound = 15 * time.Minute
	mailBound   = 10 * time.Minute
)

// claimBound is how late a due record may be claimed: a nap, and in a large fleet the queue before eight workers where a
// window opens and every create takes two seconds.
func claimBound(clients int) time.Duration {
	return napBound + time.Duration(max(0, clients-shares))*2*time.Second/8
}

// recoveredBound is how late a rotation may be that an outage kept from beginning: the next look, and the next attempt.
func recoveredBound(scan string) time.Duration {
	return every(scan) + settle + rotateBound
}

// verdict is what the judge has against a run.
func (j *judge) verdict(p plan) []string {
	said := j.broken
	for _, l := range []struct {
		lag  *greatest
		most time.Duration
		what string
	}{
		{&j.lags.claim, claimBound(p.clients), "was claimed"},
		{&j.lags.rotate, rotateBound, "was published"},
		{&j.lags.recovered, recoveredBound(p.scan), "was published after an outage"},
		{&j.lags.revoke, revokeBound, "was revoked"},
		{&j.lags.mail, mailBound, "was mailed"},
	} {
		if l.lag.get() > l.most {
			said = append(said, fmt.Sprintf("something of %q %s %s after it was due; the bound is %s", l.lag.whose, l.what, l.lag.value, l.most))
		}
	}
	return said
}

// settle is how long after an outage everything that waited for it has been tried again: the longest pause between two
// attempts is an hour.
const settle = time.Hour + 5*time.Minute

// late returns how much later than it could have been something was done, by its due time, its window, and what was out
// of order meanwhile; and whether anything was.
func (j *judge) late(a *account, s span) (lag time.Duration, disturbed bool) {
	for from := s.from; ; disturbed = true {
		open := a.file.rule.opening.next(from)
		if !open.Before(s.to) {
			return 0, disturbed
		}
		clear := j.fleet.clear(a, open)
		if clear.Equal(open) {
			begun, ok := j.fleet.breaks(a, span{open, open.Add(rotateBound)})
			if !ok || !begun.Before(s.to) {
				return s.to.Sub(open), disturbed
			}
			clear = begun // it had begun in time, and could not be finished
		}
		from = clear
	}
}

// lateRotation measures a rotation that was published now.
func (j *judge) lateRotation(a *account, r *credential.Rotation) {
	if r.Cause.Kind != credential.CauseScheduled || r.Override { // then the deadline decided, not the due time
		return
	}
	due := later(rotation.DueAt(a.file.before, r.Policy), a.file.approved)
	if a.file.helped.After(due) || j.fleet.jumped(due) {
		return // it waited for a person, or was due by a clock that was set back meanwhile
	}
	lag, disturbed := j.late(a, span{due, j.clocks.truth()})
	if disturbed {
		j.lags.recovered.see(lag, a.id)
		return
	}
	j.lags.rotate.see(lag, a.id)
}

// mailSettle is how long after an outage of the mail server the last message has gone: the channel is tried again every
// quarter of an hour, and every pause may be longer by a fifth.
const mailSettle = 30 * time.Minute

// Notice is told of each delivery.
func (j *judge) Notice(string, credential.NoticeKind, notify.Outcome) {}

// Delay measures how long after its decision a message was taken, apart from the outages of the mail server and of the
// machine.
func (j *judge) Delay(kind credential.NoticeKind, delay time.Duration) {
	s := span{j.clocks.truth().Add(-delay), j.clocks.truth()}
	if j.clocks.skew.Load() != 0 || j.fleet.jumped(s.from) {
		return // measured by two clocks
	}
	away := j.fleet.mail.away.within(s, mailSettle) + j.fleet.machine.within(s, mailSettle)
	j.lags.mail.see(max(0, delay-away), string(kind))
}
