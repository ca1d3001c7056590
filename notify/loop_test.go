package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

func TestADeliveryIsSettledAsBegunBeforeItsFirstByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		w.channel.before = func(m notify.Message) {
			n := w.outbox.get(1)
			if len(n.Deliveries) != 1 || n.Deliveries[0].Attempts != 1 || n.Deliveries[0].MessageID != m.ID || !n.Due.After(time.Now()) {
				t.Errorf("the message left before the outbox knew of it: %+v", n)
			}
		}
		w.run(t)
		n := w.outbox.get(1)
		if n.State != credential.NoticeSent || !n.Due.IsZero() || n.Deliveries[0].Receipt != "2.0.0 Ok: queued as 4F2A" || n.Deliveries[0].SentAt.IsZero() {
			t.Errorf("the outcome was not settled: %+v", n)
		}
		if w.outbox.settled != 2 || w.meter.count(notify.OutcomeSent) != 1 || len(w.meter.delays) != 1 {
			t.Errorf("%d settles, %v", w.outbox.settled, w.meter.counts)
		}
	})
}

func TestOneMessagePerRecipient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		w.settings.World.Directory = directory{owners: map[string]notify.Contact{"payments": {Emails: []string{"a@example.com", "b@example.com", "a@example.com"}}}}
		w.channel.answer = func(_ int, m notify.Message) error {
			if m.To == "a@example.com" && time.Since(m.Date) < time.Minute {
				return failure(notify.ClassRetry)
			}
			return nil
		}
		w.run(t)
		if n := w.outbox.get(1); n.State != credential.NoticePending || n.Deliveries[1].State != credential.NoticeSent {
			t.Errorf("one slow recipient held up the other: %+v", n)
		}
		pass(5 * time.Minute)
		var to []string
		for _, s := range w.channel.sends() {
			to = append(to, s.message.To)
		}
		if strings.Join(to, " ") != "a@example.com b@example.com a@example.com" || w.outbox.get(1).State != credential.NoticeSent {
			t.Errorf("sent to %v", to)
		}
	})
}

// pass0 lets time go by without waiting for the others.
func pass0(d time.Duration) { <-time.After(d) }

func TestBackoffOfADelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := retired(1, "billing")
		n.DropAfter = time.Now().Add(5 * time.Hour)
		w := newWorld(t, n)
		w.channel.answer = func(int, notify.Message) error { return failure(notify.ClassRetry) }
		w.run(t)
		pass(24 * time.Hour)
		sends := w.channel.sends()
		for i, want := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, time.Hour, time.Hour} {
			got := sends[i+1].at.Sub(sends[i].at)
			if got < want || got > want+want/5+time.Second {
				t.Errorf("pause %d lasts %v, want %v", i+1, got, want)
			}
			if sends[i].message.ID != sends[0].message.ID {
				t.Error("an attempt had another id")
			}
		}
		end := w.outbox.get(1)
		if end.State != credential.NoticeDropped || !end.Due.IsZero() || w.meter.count(notify.OutcomeDropped) != 1 {
			t.Errorf("after drop_after: %+v", end)
		}
	})
}

func TestAnUnreachableServerCostsOneAttemptPerPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notices []credential.Notice
		for i := range 200 {
			notices = append(notices, retired(uint64(i+1), fmt.Sprintf("client-%d", i)))
		}
		w := newWorld(t, notices...)
		var down atomic.Bool
		down.Store(true)
		w.channel.answer = func(int, notify.Message) error {
			if down.Load() {
				return failure(notify.ClassDown)
			}
			return nil
		}
		w.run(t)
		pass(12 * time.Hour)
		if tried := len(w.channel.sends()); tried < 40 || tried > 4*60 {
			t.Errorf("an outage of 12 hours cost %d attempts", tried)
		}
		down.Store(false)
		pass(20 * time.Minute)
		for seq := range uint64(200) {
			n := w.outbox.get(seq + 1)
			if n.State != credential.NoticeSent || n.Deliveries[0].Attempts != 1 {
				t.Fatalf("notice %d after the outage: %+v", seq+1, n)
			}
		}
	})
}

func TestALostAnswerIsSentOnceMoreWithTheSameBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := retired(1, "billing")
		n.Facts.OldDies = time.Now().Add(5*time.Hour + 10*time.Minute)
		n.Kind = credential.NoticeRotated
		w := newWorld(t, n)
		w.channel.compose = true
		w.channel.answer = func(int, notify.Message) error { return failure(notify.ClassAmbiguous) }
		w.run(t)
		pass(29 * time.Minute)
		if len(w.channel.sends()) != 1 || !w.outbox.get(1).Deliveries[0].Ambiguous {
			t.Error("it was not put aside")
		}
		pass(24 * time.Hour)
		sends := w.channel.sends()
		if len(sends) != 2 || sends[0].bytes != sends[1].bytes || sends[1].at.Sub(sends[0].at) != notify.AmbiguousPause {
			t.Errorf("it was sent %d times, or with other bytes:\n%s", len(sends), firstDifference([]byte(sends[0].bytes), []byte(sends[1].bytes)))
		}
		if end := w.outbox.get(1); end.State != credential.NoticeSent || end.Deliveries[0].Receipt == "" {
			t.Errorf("in the end: %+v", end)
		}
	})
}

func TestTheAdminsStandInWhereNoAddressOfTheOwnerTakesMail(t *testing.T) {
	unknown := directory{admins: notify.Contact{Emails: []string{"admin@example.com"}}}
	broken := directory{owners: map[string]notify.Contact{"payments": {Emails: []string{"a@b@c", `"x"@y`}}}, admins: unknown.admins}
	tests := map[string]struct {
		directory notify.Directory
		refuse    string
		want      string
		state     credential.NoticeState
	}{
		"an unknown owner":                {unknown, "", "admin@example.com", credential.NoticeSent},
		"an owner without a good address": {broken, "", "admin@example.com", credential.NoticeSent},
		"an owner who is refused":         {nil, "payments@example.com", "payments@example.com admin@example.com", credential.NoticeSent},
		"everybody is refused":            {nil, "@", "payments@example.com admin@example.com", credential.NoticeDead},
		"nobody is there":                 {directory{}, "", "", credential.NoticeDead},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, retired(1, "billing"))
				if tt.directory != nil {
					w.settings.World.Directory = tt.directory
				}
				w.channel.answer = func(_ int, m notify.Message) error {
					if tt.refuse != "" && strings.Contains(m.To, tt.refuse) {
						return failure(notify.ClassPermanent)
					}
					return nil
				}
				w.run(t)
				pass(time.Hour)
				var to []string
				for _, s := range w.channel.sends() {
					to = append(to, s.message.To)
					if standsIn := strings.Contains(s.message.Text, "no address of the owner"); standsIn != (s.message.To == "admin@example.com") {
						t.Errorf("%s is told that they stand in: %v", s.message.To, standsIn)
					}
				}
				if n := w.outbox.get(1); strings.Join(to, " ") != tt.want || n.State != tt.state || !n.Due.IsZero() {
					t.Errorf("sent to %v, in the end %+v", to, n)
				}
			})
		})
	}
}

func TestWhatIsNoLongerTrueIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := retired(1, "billing")
		n.Kind = credential.NoticeHeld
		w := newWorld(t, n)
		w.run(t)
		if n := w.outbox.get(1); n.State != credential.NoticeDropped || len(w.channel.sends()) != 0 || w.meter.count(notify.OutcomeDropped) != 1 {
			t.Errorf("a hold that has ended: %+v", n)
		}
	})
}

func TestOnlyTheLastOfSeveralWaitingMailsMovesTheEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notices []credential.Notice
		for i := range 3 {
			n := retired(uint64(i+1), "billing")
			n.Calendar = &credential.Invite{UID: "7f6c2a52-0f5e-4b7e-9a39-5d9f6d2f8c11", Sequence: i, At: time.Now().Add(time.Duration(i+1) * time.Hour), What: "x"}
			notices = append(notices, n)
		}
		w := newWorld(t, notices...)
		w.run(t)
		for i, s := range w.channel.sends() {
			if has := s.message.Calendar != nil; has != (i == 2) {
				t.Errorf("mail %d moves the event: %v", i+1, has)
			}
		}
	})
}

func TestAWakeIsServedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(t)
		w.outbox.add(retired(1, "billing"))
		w.loop.Wake()
		w.loop.Wake()
		synctest.Wait()
		if len(w.channel.sends()) != 1 {
			t.Error("it was not sent at once")
		}
	})
}

func TestAClockThatJumpsDelaysNothingForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := retired(1, "billing")
		n.Due = time.Now().Add(48 * time.Hour)
		w := newWorld(t, n)
		var mu sync.Mutex
		var offset time.Duration
		w.settings.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return time.Now().Add(offset)
		}
		w.run(t)
		mu.Lock()
		offset = 50 * time.Hour // the machine was suspended
		mu.Unlock()
		pass(2 * time.Minute)
		if len(w.channel.sends()) != 1 {
			t.Error("the loop slept on after a suspend")
		}
	})
}

func TestAMessageUnderWayFinishesWhileTheDaemonStops(t *testing.T) {
	for name, tt := range map[string]struct {
		takes time.Duration
		want  credential.NoticeState
	}{"quick": {5 * time.Second, credential.NoticeSent}, "hanging": {time.Hour, credential.NoticePending}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, retired(1, "billing"), retired(2, "billing"))
				w.channel.during = func(ctx context.Context) error {
					select {
					case <-time.After(tt.takes):
						return nil
					case <-ctx.Done():
						return failure(notify.ClassRetry)
					}
				}
				w.run(t)
				w.stop()
				pass(30 * time.Second)
				select {
				case err := <-w.done:
					if err != nil {
						t.Errorf("stopping gives %v", err)
					}
				default:
					t.Error("the loop did not stop")
				}
				if n := w.outbox.get(1); n.State != tt.want {
					t.Errorf("the message under way: %+v", n)
				}
				if n := w.outbox.get(2); n.State != credential.NoticePending || len(n.Deliveries) != 0 {
					t.Errorf("another message was begun: %+v", n)
				}
			})
		})
	}
}

func TestAReloadReplacesTheWorldAndTriesAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		w.channel.answer = func(int, notify.Message) error { return failure(notify.ClassDown) }
		w.run(t)
		working := &channel{t: t}
		world := w.settings.World
		world.Channels = []notify.Channel{working}
		if err := w.loop.Replace(world); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		if len(working.sends()) != 1 {
			t.Error("the new channel was not used")
		}
		if err := w.loop.Replace(notify.World{}); err == nil {
			t.Error("an empty world was accepted")
		}
	})
}

func TestWithoutAChannelNothingPilesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		w.settings.World.Channels = nil
		w.run(t)
		if n := w.outbox.get(1); n.State != credential.NoticeDropped || !n.Due.IsZero() {
			t.Errorf("without a channel: %+v", n)
		}
	})
}

func TestARowThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		w.outbox.broken = errors.New("row 2 is damaged")
		w.run(t)
		if n := w.outbox.get(1); n.State != credential.NoticeSent {
			t.Errorf("the good row: %+v", n)
		}
	})
}

// An outbox that nobody prunes grows for ever.
func TestOldNoticesAreForgottenOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		began := time.Now()
		w.run(t)
		pass(72*time.Hour + 30*time.Minute)
		w.outbox.mu.Lock()
		defer w.outbox.mu.Unlock()
		if n := len(w.outbox.pruned); n != 4 || w.outbox.pruned[3].Sub(began) < 72*time.Hour {
			t.Errorf("pruned at %v since %v, want at the beginning and every day", w.outbox.pruned, began)
		}
	})
}

func TestAnOutboxThatFailsEndsTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, retired(1, "billing"))
		w.outbox.fail = func(credential.Notice) error { return errors.New("the disk is full") }
		w.run(t)
		select {
		case err := <-w.done:
			if err == nil || len(w.channel.sends()) != 0 {
				t.Errorf("ended with %v after %d sends", err, len(w.channel.sends()))
			}
		default:
			t.Error("the loop goes on without an outbox, and would send again and again")
		}
	})
}
