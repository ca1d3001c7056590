package notify_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/notify"
)

// Whoever loads the configuration every few minutes still hears of a channel that is down for hours: what counts is since when it
// has taken nothing, whatever was loaded meanwhile. A channel that works, or has gone, is no longer said.
func TestHowLongAChannelFailsOutlivesAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		w.channel.answer = func(int, notify.Message) error { return failure(notify.ClassDown) }
		w.run(t)
		for range 5 {
			pass(20 * time.Minute)
			if err := w.loop.Replace(w.settings.World); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if got := w.loop.Failing()["smtp"]; len(w.loop.Failing()) != 1 || got < 100*time.Minute || got > 105*time.Minute {
			t.Errorf("after 100 minutes: %v", w.loop.Failing())
		}
		gone := w.settings.World
		gone.Channels = nil
		if err := w.loop.Replace(gone); err != nil || len(w.loop.Failing()) != 0 {
			t.Errorf("%v: a channel that has gone fails: %v", err, w.loop.Failing())
		}
	})
}

func TestAChannelThatWorksDoesNotFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		w.channel.answer = func(try int, _ notify.Message) error {
			if try > 1 {
				return nil
			}
			return failure(notify.ClassRetry)
		}
		w.run(t)
		before := len(w.loop.Failing())
		pass(time.Hour)
		if before != 1 || len(w.loop.Failing()) != 0 {
			t.Errorf("%d fail after a refusal, and %v after it was taken", before, w.loop.Failing())
		}
	})
}
