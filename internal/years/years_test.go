package years_test

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// Years is how many fleet-years TestFleetsLiveThroughYears lives through; unset is a small number. 1000 adds a year of
// 5,000 clients. Replay is one plan, as a failing run prints it.
const (
	yearsVariable  = "ROTAD_YEARS"
	replayVariable = "ROTAD_YEARS_REPLAY"
)

// crowd is how many clients the large fleet has.
const crowd = 5000

// live lets one fleet live.
func live(t *testing.T, p plan, broken flaw) *judge {
	t.Helper()
	var f *fleet
	synctest.Test(t, func(t *testing.T) {
		f = newFleet(t, p, broken)
		if err := f.live(t.Context()); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	})
	return f.judge
}

// TestFleetsLiveThroughYears: whatever happens to servers, clocks and machines, every fleet keeps every rule, and does
// what is due when it is due.
func TestFleetsLiveThroughYears(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // memory is not what is short
	plans := plans(t)
	sum := &sum{}
	began := time.Now()
	each(t, plans, func(t *testing.T, p plan) {
		j := live(t, p, sound)
		said := j.verdict(p)
		for _, s := range said {
			t.Error(s)
		}
		if len(said) > 0 {
			t.Errorf("again with:\n\t%s='%s' go test -count=1 -run TestFleetsLiveThroughYears ./internal/years\n%s", replayVariable, p, j.story)
		}
		sum.add(p, j, len(said))
	})
	took := time.Since(began)
	for _, f := range sum.figures() {
		t.Logf("%s: %s %s", f.Name, f.Value, f.Goal)
	}
	if os.Getenv(yearsVariable) == "" {
		return
	}
	result := proof.Result{Seeds: fmt.Sprintf("%d..%d", plans[0].seed, plans[len(plans)-1].seed), Took: took, Figures: sum.figures()}
	if err := proof.Write("years", result); err != nil {
		t.Error(err)
	}
}

// each lets every plan live, as many at a time as there are processors, and the most work first: parallel tests begin in
// no order, and a fleet of 5,000 that begins last keeps one processor waiting for minutes.
func each(t *testing.T, plans []plan, do func(*testing.T, plan)) {
	t.Helper()
	queue := make(chan plan, len(plans))
	for _, p := range slices.SortedStableFunc(slices.Values(plans), func(a, b plan) int { return cmp.Compare(b.work(), a.work()) }) {
		queue <- p
	}
	close(queue)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for p := range queue {
				t.Run("seed-"+strconv.FormatUint(p.seed, 10), func(t *testing.T) { do(t, p) })
			}
		})
	}
	workers.Wait()
}

// plans are the fleets of this run. The small ones live through two leap days, 2038-01-19 and many changes of clock.
func plans(t *testing.T) []plan {
	t.Helper()
	if text := os.Getenv(replayVariable); text != "" {
		return []plan{parse(t, text)}
	}
	date := func(year int, month time.Month) time.Time { return time.Date(year, month, 20, 0, 0, 0, 0, time.UTC) }
	text := os.Getenv(yearsVariable)
	if text == "" {
		return []plan{
			{seed: 1, clients: 10, years: 2, origin: date(2036, 2), scan: weekly},
			{seed: 2, clients: 25, years: 0.2, origin: date(2027, 3), scan: weekly, only: jumps},
			{seed: 3, clients: 3, years: 0.1, origin: date(2028, 2), scan: hourly},
		}
	}
	years, err := strconv.Atoi(text)
	if err != nil || years < 1 {
		t.Fatalf("%s is %q; it is a number of fleet-years", yearsVariable, text)
	}
	return many(years, date)
}

// many spreads fleet-years over fleets of up to fifty years, which begin in different years. A tenth of them looks at its
// clients daily, the others weekly; every loop turns at least once an hour. Before them come a fleet of 5,000 clients, one
// that looks at its clients hourly, and one whose wall clock jumps every week, which live for a part of a year, or for
// years where a thousand fleet-years were asked for.
func many(years int, date func(int, time.Month) time.Time) []plan {
	const most = 50
	list := []plan{
		{seed: 1, clients: crowd, years: min(1, float64(years)/1000), origin: date(2037, 6), scan: weekly},
		{seed: 2, clients: shares, years: min(1, float64(years)/1000), origin: date(2028, 1), scan: hourly},
		{seed: 3, clients: shares, years: min(10, float64(years)/100), origin: date(2031, 1), scan: weekly, only: jumps},
	}
	for seed := uint64(4); years > 0; seed++ {
		p := plan{seed: seed, clients: shares, years: float64(min(years, most)), origin: date(2024+int(seed)%60, time.Month(1+seed%12)), scan: weekly}
		if seed%10 == 0 {
			p.scan = daily
		}
		list, years = append(list, p), years-most
	}
	return list
}

// sum is what all fleets did together.
type sum struct {
	mu                                                   sync.Mutex
	fleetYears                                           float64
	clientYears                                          float64
	effects, commits, notices, mails, rotations, revokes int64
	looks, overrides, holds, turns, jumps, boots, astray int64
	claim, crowd, rotate, recovered, revoke, mail        time.Duration
	violations                                           int
}

func (s *sum) add(p plan, j *judge, violations int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fleetYears += p.years
	s.clientYears += p.years * float64(p.clients)
	c := &j.counts
	s.effects, s.commits, s.notices = s.effects+c.effects.Load(), s.commits+c.commits.Load(), s.notices+c.notices.Load()
	s.mails, s.rotations, s.revokes = s.mails+c.mails.Load(), s.rotations+c.rotations.Load(), s.revokes+c.revokes.Load()
	s.looks, s.overrides, s.holds = s.looks+c.looks.Load(), s.overrides+c.overrides.Load(), s.holds+c.holds.Load()
	s.turns, s.jumps, s.boots = s.turns+c.turns.Load(), s.jumps+c.jumps.Load(), s.boots+c.boots.Load()
	s.astray += c.astray.Load()
	if p.clients > shares {
		s.crowd = max(s.crowd, j.lags.claim.get())
	} else {
		s.claim = max(s.claim, j.lags.claim.get())
	}
	s.rotate = max(s.rotate, j.lags.rotate.get())
	s.recovered, s.revoke = max(s.recovered, j.lags.recovered.get()), max(s.revoke, j.lags.revoke.get())
	s.mail = max(s.mail, j.lags.mail.get())
	s.violations += violations
}

// figures are the rows of the proof.
func (s *sum) figures() []proof.Figure {
	told := func(name string, n int64) proof.Figure {
		return proof.Figure{Name: name, Value: strconv.FormatInt(n, 10), OK: true}
	}
	lag := func(name string, d, most time.Duration) proof.Figure {
		return proof.Figure{Name: name, Value: d.Round(time.Millisecond).String(), Goal: "at most " + most.String(), OK: d <= most}
	}
	return []proof.Figure{
		{Name: "fleet-years", Value: fmt.Sprintf("%.1f", s.fleetYears), OK: true},
		{Name: "client-years", Value: fmt.Sprintf("%.0f", s.clientYears), OK: true},
		told("turns of the loop", s.turns), told("effects", s.effects), told("looks, of the effects", s.looks), told("commits", s.commits),
		told("notices decided", s.notices), told("mails taken", s.mails), told("rotations", s.rotations), told("secrets revoked", s.revokes),
		told("rotations past their window, for a deadline", s.overrides), told("holds", s.holds), told("starts of the daemon", s.boots),
		told("jumps of the wall clock", s.jumps), told("rotations begun by a wrong wall clock", s.astray),
		lag("due to claimed, at most", s.claim, claimBound(shares)),
		lag("due to claimed among 5,000 clients, at most", s.crowd, claimBound(crowd)), lag("due to published, at most", s.rotate, rotateBound),
		lag("due to published after an outage, at most", s.recovered, recoveredBound(weekly)),
		lag("due to revoked, at most", s.revoke, revokeBound), lag("decided to mailed, at most", s.mail, mailBound),
		{Name: "violations", Value: strconv.Itoa(s.violations), Goal: "0", OK: s.violations == 0},
	}
}
