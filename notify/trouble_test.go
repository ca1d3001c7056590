package notify_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// TestNeverALossAtMostOneDuplicate lets a year of trouble pass: refusals, outages, lost answers, and crashes between
// the server's answer and the commit that knows of it.
func TestNeverALossAtMostOneDuplicate(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { trouble(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func trouble(t *testing.T, random *rand.Rand) {
	var notices []credential.Notice
	for i := range 40 {
		n := retired(uint64(i+1), fmt.Sprintf("client-%d", i%7))
		n.Due = n.Due.Add(time.Duration(random.IntN(72)) * time.Hour)
		notices = append(notices, n)
	}
	w := newWorld(t, notices...)
	arrived := map[string]int{}    // messages that reached a mailbox
	mayRepeat := map[string]bool{} // those whose answer was lost
	var mu sync.Mutex
	w.channel.answer = func(_ int, m notify.Message) error {
		mu.Lock()
		defer mu.Unlock()
		switch random.IntN(10) {
		case 0, 1:
			return failure(notify.ClassRetry)
		case 2:
			return failure(notify.ClassDown)
		case 3:
			if mayRepeat[m.ID] {
				return failure(notify.ClassRetry)
			}
			mayRepeat[m.ID] = true
			if random.IntN(2) == 0 {
				arrived[m.ID]++
			}
			return failure(notify.ClassAmbiguous)
		}
		arrived[m.ID]++
		return nil
	}
	w.outbox.fail = func(n credential.Notice) error {
		mu.Lock()
		defer mu.Unlock()
		if n.State == credential.NoticeSent && !mayRepeat[n.Deliveries[0].MessageID] && random.IntN(15) == 0 {
			mayRepeat[n.Deliveries[0].MessageID] = true
			return errors.New("killed between the answer and the commit")
		}
		return nil
	}
	for range 200 { // whoever watches the daemon starts it again
		w.run(t)
		select {
		case <-w.done: //nolint:errcheck // how it ended does not matter here
			pass(time.Minute)
		case <-time.After(4 * 24 * time.Hour):
			synctest.Wait()
		}
		w.stop()
		synctest.Wait()
		if _, waiting, _ := w.outbox.NextDue(t.Context()); !waiting {
			break
		}
	}
	for _, n := range notices {
		id := w.settings.World.Renderer.MessageID(n, "payments@example.com")
		limit := 1
		if mayRepeat[id] {
			limit = 2
		}
		if end := w.outbox.get(n.Seq); end.State != credential.NoticeSent || arrived[id] < 1 || arrived[id] > limit {
			t.Errorf("notice %d arrived %d times (repeat allowed: %v): %+v", n.Seq, arrived[id], mayRepeat[id], end.Deliveries)
		}
	}
}
