package main

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestDemoBeginsOnAMonday(t *testing.T) {
	for day := range 400 {
		now := time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC).AddDate(0, 0, day)
		begin := demoBegin(now)
		if begin.Weekday() != time.Monday || begin.Hour() != 7 || now.Sub(begin) > 8*demoDay || begin.Sub(now) > demoDay {
			t.Errorf("%s begins at %s", now, begin)
		}
	}
}

// clockWorld is a demo clock in a bubble, with a world that says what is due and whether it is busy.
type clockWorld struct {
	*demoClock
	busy atomic.Bool
	due  atomic.Int64 // after the clock's origin; 0 = nothing is
}

func inBubble(t *testing.T, f func(w *clockWorld)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &clockWorld{demoClock: newDemoClock(time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC))}
		due := func() (time.Time, bool) {
			after := time.Duration(w.due.Load())
			return w.origin.Add(after), after > 0
		}
		go w.run(t.Context(), demoDay, w.busy.Load, due)
		f(w)
	})
}

// real lets real time pass.
func real(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestDemoClockKeepsItsSpeed(t *testing.T) {
	inBubble(t, func(w *clockWorld) {
		real(10 * time.Second)
		if days := w.elapsed().Hours() / 24; days < 9.9 || days > 10.1 {
			t.Errorf("%.2f days in ten seconds", days)
		}
		if w.now().Sub(w.origin) != w.elapsed() {
			t.Error("the two clocks differ")
		}
	})
}

func TestDemoClockRunsInRealTimeDuringAnEffect(t *testing.T) {
	inBubble(t, func(w *clockWorld) {
		w.busy.Store(true)
		real(time.Second)
		if got := w.elapsed(); got != time.Second {
			t.Errorf("%s in a second", got)
		}
		w.busy.Store(false)
		real(2 * time.Second)
		if days := w.elapsed().Hours() / 24; days < 2.9 || days > 3.1 {
			t.Errorf("%.2f days in three seconds: the lost one was not made up for", days)
		}
		release := w.hold()
		before := w.elapsed()
		real(time.Second)
		if got := w.elapsed() - before; got != time.Second {
			t.Errorf("%s in a second, while it was held", got)
		}
		release()
	})
}

func TestDemoClockWaitsForWhatIsDue(t *testing.T) {
	inBubble(t, func(w *clockWorld) {
		const due = 36 * time.Hour
		w.due.Store(int64(due))
		real(5 * time.Second)
		if late := w.elapsed() - due; late < 0 || late > 5*time.Second {
			t.Errorf("%s after the due moment", late)
		}
	})
}

func TestDemoClockFiresTimersWhenTheirTimeHasCome(t *testing.T) {
	inBubble(t, func(w *clockWorld) {
		day, minute := w.after(demoDay), w.after(time.Minute)
		at := <-minute
		if late := at.Sub(w.origin.Add(time.Minute)); late < 0 || late > 10*time.Minute {
			t.Errorf("the minute ended %s late", late)
		}
		at = <-day
		if late := at.Sub(w.origin.Add(demoDay)); late < 0 || late > 10*time.Minute {
			t.Errorf("the day ended %s late", late)
		}
	})
}

func TestDemoClockKeepsAppointmentsInRealTime(t *testing.T) {
	inBubble(t, func(w *clockWorld) {
		var met, left time.Time
		appointed := w.origin.Add(30 * time.Hour)
		w.at(appointed, func() {
			met = w.now()
			<-time.After(time.Second)
			left = w.now()
		})
		real(5 * time.Second)
		if late := met.Sub(appointed); late < 0 || late > time.Second || left.Sub(met) != time.Second {
			t.Errorf("met %s late, for %s", late, left.Sub(met))
		}
	})
}
