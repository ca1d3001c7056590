package statetest

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func countRules() []rule {
	return []rule{
		{"the counters follow every commit", countFollow},
		{"what expires is counted to the microsecond", countExpiring},
		{"an expiry that a person stated counts where the provider says nothing", countStated},
	}
}

func countFollow(w world) {
	a, b := client("a", "p", start()), client("b", "q", start())
	a.Record.Hold = &credential.Hold{Code: credential.HoldByPerson, Since: start()}
	a.Record.Rotation = &credential.Rotation{ID: "r", Phase: credential.PhaseOverlap}
	a.Record.Rotation.Caps.Mode = credential.ModeGraceWindow
	b.Record.Current.Never = true
	first, second := w.commit(a), w.commit(b)
	want := emptyAggregates()
	want.Clients[state.Watch{Provider: "p", Mode: credential.ModeGraceWindow}] = 1
	want.Clients[state.Watch{Provider: "q", Mode: credential.ModeTwoSlot}] = 1
	want.Holds[credential.HoldByPerson] = 1
	want.Phases[credential.PhaseOverlap] = 1
	want.WithoutExpiry = 1
	w.same("at first", w.Aggregates(), want)

	first.Hold.Code, first.Rotation = credential.HoldMismatch, nil
	second.Client.Provider = "p"
	w.commit(credential.Change{Record: first})
	w.commit(credential.Change{Record: second})
	want = emptyAggregates()
	want.Clients[state.Watch{Provider: "p", Mode: credential.ModeTwoSlot}] = 2
	want.Holds[credential.HoldMismatch] = 1
	want.WithoutExpiry = 1
	w.same("then", w.Aggregates(), want)
	w.sound()
}

// expiries asks how many have expired, and how many will within a minute, an hour, a day and ninety days.
func (w world) expiries(now time.Time, want ...int) {
	w.Helper()
	expired, soon, err := w.Expiring(w.Context(), now, time.Minute, time.Hour, 24*time.Hour, 90*24*time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	w.same("expired and soon", append([]int{expired}, soon...), want)
}

func countExpiring(w world) {
	w.expiries(start(), 0, 0, 0, 0, 0)
	w.expiring("a", start())
	w.expiring("b", at(time.Microsecond))
	w.expiring("c", at(time.Minute))
	w.expiring("d", at(time.Hour+time.Microsecond))
	e := w.expiring("e", at(89*24*time.Hour))
	w.expiring("f", time.Time{})
	w.expiring("g", at(-365*24*time.Hour))
	w.expiring("h", time.Date(1960, 1, 1, 0, 0, 0, 1000, time.UTC))
	w.expiries(at(-time.Microsecond), 2, 2, 3, 4, 5)
	w.expiries(start(), 3, 2, 2, 3, 4)
	w.expiries(at(time.Hour), 5, 1, 1, 1, 2)
	e.Current.Never = true
	w.commit(credential.Change{Record: e})
	w.expiries(at(1000*24*time.Hour), 6, 0, 0, 0, 0)
	w.sound()
}

func countStated(w world) {
	c := client("a", "p", start())
	c.Record.Client.Expires = at(time.Minute)
	r := w.commit(c)
	w.expiries(start(), 0, 1, 1, 1, 1)
	r.Current.Expires = at(time.Hour)
	r = w.commit(credential.Change{Record: r})
	w.expiries(start(), 0, 0, 1, 1, 1)
	r.Current.Never = true
	w.commit(credential.Change{Record: r})
	w.expiries(start(), 0, 0, 0, 0, 0)
	w.same("without expiry", w.Aggregates().WithoutExpiry, 0)
	w.sound()
}
