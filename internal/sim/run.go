package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
)

// Result is what became of a schedule.
type Result struct {
	Trace  []string // the calls that were made
	Broken []oracle.Broken
	Holds  map[credential.HoldCode]int // how often people had to help, by hold
	Hit    int                         // faults that happened
}

// Bounds of a life. Whoever needs more never ends. A slow provider is asked some two hundred times before a secret that it
// refuses is given up, and a clock that is a year behind lets a year of looks go by.
const (
	mostSteps = 1200
	mostCalls = 5000
	mostHelp  = 24
)

// Run runs one schedule until all is quiet.
func Run(s Schedule) Result {
	l := s.life()
	l.live(s)
	return l.result()
}

func (l *Life) result() Result {
	return Result{Trace: l.World.Trace, Broken: l.broken, Holds: l.Holds, Hit: l.World.Hit}
}

// Story runs a schedule and tells what happened, for people.
func Story(s Schedule) string {
	l := s.life()
	l.live(s)
	var b strings.Builder
	for _, a := range l.store.audit {
		fmt.Fprintf(&b, "%s %-10s %-10s %s v%d %s %s\n", a.At.Format(time.DateTime), a.Event, a.Phase, a.Secret, a.Version, a.Rotation, a.Detail)
	}
	for i, call := range l.World.Trace {
		if i > 0 && i%12 == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d:%s ", i, call)
	}
	rec := l.store.rec
	fmt.Fprintf(&b, "\nphase %s, sight %s, hold %+v, due %s for %s, current %s, backoff %+v\n", rec.Phase(), rec.Sight, rec.Hold, rec.Due.Format(time.DateTime), rec.DueFor, rec.Current.ID, rec.Backoff)
	for _, secret := range l.Provider.Secrets() {
		fmt.Fprintf(&b, "at the provider: %s by %s, live %v, handed out %v\n", secret.ID, secret.Maker, secret.Live, secret.Value == l.Vault.Hands())
	}
	for _, broken := range l.broken {
		fmt.Fprintf(&b, "BROKEN %s\n", broken)
	}
	return b.String()
}

// live goes on until all is quiet. Two daemons end as one does: when one of them has been left alone.
func (l *Life) live(s Schedule) {
	if s.Seed != 0 {
		l.share(s.Seed)
	}
	l.untilQuiet()
}

func (s Schedule) life() *Life {
	m, ok := modeOf(s.Mode)
	if !ok {
		panic("there is no mode " + s.Mode)
	}
	l := NewLife(m)
	l.points = s.Points
	for _, p := range s.Points {
		if p.Fault != "" {
			l.World.Faults[p.At] = p.Fault
		}
	}
	return l
}

// untilQuiet goes on until nothing moves any more and every point has been reached, or something is broken.
func (l *Life) untilQuiet() {
	for ; len(l.broken) == 0; l.steps++ {
		if l.steps > mostSteps || len(l.World.Trace) > mostCalls {
			l.fail(oracle.Broken{Invariant: "I9", Name: "convergence", Text: l.endless()})
			return
		}
		if l.stepping != nil {
			l.stepping()
		}
		l.step()
		l.attend()
		if l.store.gone || l.finished() || !l.lookAfter() {
			l.fail(oracle.Quiet(l.view())...)
			return
		}
	}
}

// lookAfter lets people look after a hold: at once where rotad waits for them, now and then where it goes on trying by
// itself. It returns false where they can do nothing more.
func (l *Life) lookAfter() bool {
	h := l.store.rec.Hold
	if h == nil {
		return true
	}
	if h.Retry || h.Paging {
		if l.tries++; l.tries%4 != 0 {
			return true
		}
	}
	boots, rev := l.boots, l.store.rec.Rev
	if l.helped++; l.helped <= mostHelp {
		if l.help() || h.Paging || l.boots != boots || l.store.rec.Rev != rev {
			return true
		}
	}
	if l.disturbed == "" {
		l.fail(oracle.Broken{
			Invariant: "I9", Name: "convergence",
			Text: "people cannot end the hold " + string(h.Code) + " with the choices that it offers",
		})
	}
	return false
}

// finished says whether a rotation has ended well and nothing is left to happen.
func (l *Life) finished() bool {
	rec := l.store.rec
	if l.unseen > 0 && !rec.Looked.Equal(l.looked) {
		l.unseen, l.looked = l.unseen-1, rec.Looked
	}
	if l.disturbed != "" && rec.Hold != nil { // what a look finds first hides the rest until it is resolved
		l.unseen = max(l.unseen, looksAfterHold)
	}
	if l.unseen > 0 {
		return false
	}
	if !rec.Due.After(l.World.Wall.Add(l.daemon.skew)) {
		return false
	}
	return l.calm() && l.copied() && l.past()
}

// calm says whether a rotation has ended well and nothing fails.
func (l *Life) calm() bool {
	rec := l.store.rec
	return rec.Rotation == nil && rec.Hold == nil && rec.Refused == 0 && rec.Last.Outcome == "done" && rec.Backoff.Attempts == 0
}

// copied says whether the destination holds what is published, as far as rotad knows.
func (l *Life) copied() bool {
	rec := l.store.rec
	return !l.Mode.Copied || rec.CopyAt("app").Version == rec.Version
}

// past says whether every point has been reached, or never will be.
func (l *Life) past() bool {
	if l.at < len(l.points) && l.points[l.at].At < len(l.World.Trace)+100 {
		return false
	}
	for at := range l.World.Faults {
		if at >= len(l.World.Trace) && at < len(l.World.Trace)+100 {
			return false
		}
	}
	return true
}

func (l *Life) endless() string {
	rec := l.store.rec
	text := "no end: phase " + string(rec.Phase()) + ", due for " + string(rec.DueFor)
	if rec.Hold != nil {
		text += ", hold " + string(rec.Hold.Code)
	}
	if rec.Backoff.Error != "" {
		text += ", " + rec.Backoff.Error
	}
	return text
}
