package statetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

func crowdRules() []rule {
	return []rule{
		{"of many commits from one revision exactly one wins", crowdOneWins},
		{"many workers claim every record once, and no commit is lost", crowdSweep},
		{"readers see whole commits while others write", crowdReaders},
		{"many notices are told once each", crowdNotices},
	}
}

const crowd = 16

// together runs work in many goroutines and waits for them.
func together(work func(i int)) {
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() { work(i) })
	}
	all.Wait()
}

func crowdOneWins(w world) {
	r := w.add("a", "p", start())
	for round := range 10 {
		var mu sync.Mutex
		var won []int
		together(func(i int) {
			mine := r
			mine.Missing = 100*round + i
			_, conflict, err := w.Commit(w.Context(), credential.Change{
				Record: mine, Audit: []credential.Audit{audit(credential.EventFailed, fmt.Sprint(i))},
			})
			if err != nil {
				w.Error(err)
			}
			if !conflict {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, mine.Missing)
			}
		})
		r = w.must("a")
		w.same("winners", won, []int{r.Missing})
		w.same("revision", r.Rev, uint64(round+2))
	}
	if n, err := w.VerifyAudit(w.Context()); n != 10 || err != nil {
		w.Errorf("%d audit entries, %v", n, err)
	}
	w.sound()
}

func crowdSweep(w world) {
	const clients, rounds = 100, 3
	var changes []credential.Change
	for i := range clients {
		changes = append(changes, client(numbered(i), "p", start()))
	}
	if refusals, err := w.CommitMany(w.Context(), changes); err != nil || len(refusals) > 0 {
		w.Fatal(refusals, err)
	}
	for round := range rounds {
		now := at(time.Duration(round) * time.Hour)
		together(func(i int) { w.sweep(now, fmt.Sprint("worker", i)) })
	}
	for i := range clients {
		r := w.must(numbered(i))
		if r.Missing != rounds || r.Rev != rounds+1 {
			w.Errorf("client %d: swept %d times, revision %d", i, r.Missing, r.Rev)
		}
	}
	w.wakes("p", at(rounds*time.Hour))
	w.sound()
}

// sweep claims until nothing is due, and commits each record once.
func (w world) sweep(now time.Time, owner string) {
	for {
		records, err := w.Claim(w.Context(), now, "p", 3, owner, time.Minute)
		if err != nil {
			w.Error(err)
		}
		if len(records) == 0 {
			return
		}
		for _, r := range records {
			r.Missing++
			r.Due = r.Due.Add(time.Hour)
			_, conflict, err := w.Commit(w.Context(), credential.Change{
				Record: r, Audit: []credential.Audit{audit(credential.EventFailed, "")},
			})
			if err != nil || conflict {
				w.Errorf("client %s: conflict %v, %v", r.Client.ID, conflict, err)
			}
		}
	}
}

func crowdReaders(w world) {
	r := w.add("a", "p", start())
	together(func(i int) {
		for n := range 20 {
			if i == 0 {
				r.Missing = n
				r.Backoff.Attempts = n
				r.Due = at(time.Duration(n) * time.Second)
				r, _, _ = w.Commit(w.Context(), credential.Change{Record: r})
				continue
			}
			got, ok, err := w.Get(w.Context(), "a")
			if err != nil || !ok || got.Missing != got.Backoff.Attempts {
				w.Errorf("half a commit: %+v, %v, %v", got, ok, err)
			}
			if _, _, err := w.NextDue(w.Context(), "p"); err != nil {
				w.Error(err)
			}
			w.Aggregates()
			if _, _, err := w.Expiring(w.Context(), start(), time.Hour); err != nil {
				w.Error(err)
			}
		}
	})
	w.same("in the end", w.must("a").Missing, 19)
	w.wakes("p", at(19*time.Second))
	w.sound()
}

func crowdNotices(w world) {
	for i := range 40 {
		w.tell(notice(numbered(i), start()))
	}
	var mu sync.Mutex
	told := make(map[string]int)
	together(func(int) {
		for {
			notices, err := w.ClaimNotices(w.Context(), start(), 2)
			if err != nil {
				w.Error(err)
			}
			if len(notices) == 0 {
				return
			}
			for _, n := range notices {
				mu.Lock()
				told[n.Key]++
				mu.Unlock()
				n.State, n.Due = credential.NoticeSent, time.Time{}
				if err := w.Settle(w.Context(), n); err != nil {
					w.Error(err)
				}
			}
		}
	})
	for i := range 40 {
		w.same("told "+numbered(i), told[numbered(i)], 1)
	}
	w.same("counts", w.OutboxCounts(), map[credential.NoticeState]int{credential.NoticeSent: 40})
	w.sound()
}
