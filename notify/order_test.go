package notify_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

func TestNoticesOfOneClientKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notices []credential.Notice
		for i := range 40 {
			n := retired(uint64(i+1), fmt.Sprintf("client-%d", i%4))
			n.Milestone = fmt.Sprint(i)
			notices = append(notices, n)
		}
		w := newWorld(t, notices...)
		w.channel.during = func(context.Context) error { pass0(time.Second); return nil }
		w.run(t)
		pass(time.Minute)
		last := map[string]int{}
		for _, s := range w.channel.sends() {
			var i int
			_, _ = fmt.Sscan(s.message.Milestone, &i)
			if i < last[s.message.Client] {
				t.Errorf("%s: %d came after %d", s.message.Client, i, last[s.message.Client])
			}
			last[s.message.Client] = i
		}
		if len(w.channel.sends()) != 40 {
			t.Errorf("%d were sent", len(w.channel.sends()))
		}
	})
}

func TestFewSpeakAtOnceAndWhoWaitsIsNotSentWhileTheDaemonStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notices []credential.Notice
		for i := range 20 {
			notices = append(notices, retired(uint64(i+1), fmt.Sprintf("client-%d", i)))
		}
		w := newWorld(t, notices...)
		var speaking, most atomic.Int64
		w.channel.during = func(context.Context) error {
			most.Store(max(most.Load(), speaking.Add(1)))
			defer speaking.Add(-1)
			pass0(10 * time.Second)
			return nil
		}
		w.run(t)
		pass(time.Second)
		if begun := w.outbox.settled; begun != 20 || speaking.Load() != 4 {
			t.Errorf("%d speak, and %d notices are noted as begun", speaking.Load(), begun)
		}
		w.stop()
		pass(time.Minute)
		if most.Load() != 4 || len(w.channel.sends()) != 4 {
			t.Errorf("%d spoke at once, %d were sent", most.Load(), len(w.channel.sends()))
		}
		for seq := range uint64(20) {
			n := w.outbox.get(seq + 1)
			if n.State == credential.NoticePending && (n.Deliveries[0].Attempts != 0 || n.Due.After(time.Now())) {
				t.Errorf("notice %d was not sent, and yet: %+v", seq+1, n)
			}
		}
	})
}
