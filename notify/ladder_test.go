package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// ladder is a world in which payments has a ladder: the lead after two days, the admins after five. A mailbox is one reader.
func ladder(t *testing.T, notices ...credential.Notice) *loopWorld {
	t.Helper()
	w := newWorld(t, notices...)
	w.settings.World.Directory = directory{
		owners: map[string]notify.Contact{
			"payments": {Emails: []string{"payments@example.com"}, Escalate: []notify.Rung{{After: 2 * day, To: "lead"}, {After: 5 * day, To: notify.ToAdmins}}},
			"lead":     {Emails: []string{"lead@example.com"}},
		},
		admins: notify.Contact{Emails: []string{"admin@example.com"}},
	}
	w.records.record.Current.Expires = time.Now().Add(30 * day)
	return w
}

// reminds is a warning about a secret that expires thirty days after the beginning.
func reminds(seq uint64, began time.Time) credential.Notice {
	n := retired(seq, "billing")
	n.Kind, n.Facts.Hold, n.Facts.OldDies, n.Facts.Expires = credential.NoticeWarning, nil, time.Time{}, began.Add(30*day)
	n.Milestone = fmt.Sprint(seq)
	return n
}

// told lists to whom mails went, each with the day on which it did.
func told(w *loopWorld, began time.Time) string {
	var out []string
	for _, s := range w.channel.sends() {
		name, _, _ := strings.Cut(s.message.To, "@")
		out = append(out, fmt.Sprintf("%s %d", name, int(s.at.Sub(began)/day)))
	}
	return strings.Join(out, ", ")
}

func (w *loopWorld) acked() {
	w.records.mu.Lock()
	defer w.records.mu.Unlock()
	w.records.record.Request.Acked = time.Now()
}

func TestWhatNobodyAcknowledgesGoesUpTheLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := ladder(t, reminds(1, began))
		w.run(t)
		pass(20 * day)
		if got := told(w, began); got != "payments 0, lead 2, admin 5" {
			t.Fatalf("told: %s", got)
		}
		first, second := w.channel.sends()[0].message, w.channel.sends()[1].message
		if !strings.Contains(first.Text, "within 2 days, lead is told") || !strings.Contains(first.Text, "rotad ack billing") {
			t.Errorf("the owner does not learn who is next:\n%s", first.Text)
		}
		if !strings.HasPrefix(second.Subject, "No answer: ") || !strings.Contains(second.Text, "rotad ack billing") || second.ID == first.ID {
			t.Errorf("the lead does not learn why: %s\n%s", second.Subject, second.Text)
		}
		if second.Date.Sub(first.Date) < 2*day {
			t.Errorf("the word of day 2 is dated %v", second.Date)
		}
	})
}

// A daily reminder is the same matter: it begins no ladder of its own, and does not hide the first one.
func TestRemindersClimbOneLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := ladder(t, reminds(1, began))
		w.run(t)
		for seq := range uint64(7) {
			pass(day)
			w.outbox.add(reminds(seq+2, began))
			w.records.mu.Lock()
			w.records.record.Told.WarnedAt = time.Now()
			w.records.mu.Unlock()
			w.loop.Wake()
		}
		pass(20 * day)
		if got := told(w, began); got != "payments 0, payments 1, lead 2, payments 2, payments 3, payments 4, admin 5, payments 5, payments 6, payments 7" &&
			got != "payments 0, payments 1, payments 2, lead 2, payments 3, payments 4, payments 5, admin 5, payments 6, payments 7" {
			t.Errorf("told: %s", got)
		}
	})
}

func TestAnAnswerStopsTheLadder(t *testing.T) {
	for name, tt := range map[string]struct {
		after time.Duration
		want  string
	}{
		"before the first rung": {day, "payments 0"}, "between the rungs": {3 * day, "payments 0, lead 2"},
	} {
		for _, kind := range []credential.NoticeKind{credential.NoticeWarning, credential.NoticeFinal, credential.NoticeFailed} {
			synctest.Test(t, func(t *testing.T) {
				began, n := time.Now(), reminds(1, time.Now())
				n.Kind = kind
				w := ladder(t, n)
				w.run(t)
				pass(tt.after)
				w.acked()
				pass(20 * day)
				if got := told(w, began); got != tt.want {
					t.Errorf("%s, answered %s: told: %s", kind, name, got)
				}
			})
		}
	}
}

// What has been done is not told up the ladder, also where nobody has said so; and after days without the daemon only what is
// true is said, each rung once.
func TestTheLadderSaysOnlyWhatIsTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := ladder(t, reminds(1, began))
		w.run(t)
		w.stop()
		if err := <-w.done; err != nil {
			t.Fatal(err)
		}
		pass(3 * day)
		w.run(t)
		pass(time.Hour)
		if got := told(w, began); got != "payments 0, lead 3" {
			t.Fatalf("told: %s", got)
		}
		w.records.mu.Lock()
		w.records.record.Current.Expires = began.Add(90 * day)
		w.records.mu.Unlock()
		pass(20 * day)
		if got := told(w, began); got != "payments 0, lead 3" {
			t.Errorf("told: %s", got)
		}
	})
}

// Whoever is refused is followed by the next at once; each rung is told once all the same.
func TestARefusedReaderIsFollowedByTheNext(t *testing.T) {
	for refused, want := range map[string]string{
		"payments@example.com":                  "payments 0, lead 0, admin 5",
		"lead@example.com":                      "payments 0, lead 2, admin 2",
		"payments@example.com lead@example.com": "payments 0, lead 0, admin 0",
	} {
		t.Run(refused, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				w := ladder(t, reminds(1, began))
				w.channel.answer = func(_ int, m notify.Message) error {
					if strings.Contains(refused, m.To) {
						return failure(notify.ClassPermanent)
					}
					return nil
				}
				w.run(t)
				pass(20 * day)
				if got := told(w, began); got != want {
					t.Errorf("told: %s, want %s", got, want)
				}
			})
		})
	}
}

// Nobody is asked to acknowledge what calls for nobody, and an owner that does not exist has the admins.
func TestWhatHasNoLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		healthy := retired(2, "billing")
		healthy.Kind, healthy.Facts.OldDies = credential.NoticeRotated, began.Add(3*day)
		nobody := reminds(3, began)
		nobody.Owner, nobody.Client = "nobody", "other"
		w := ladder(t, retired(1, "billing"), healthy, nobody)
		w.run(t)
		pass(20 * day)
		if got := told(w, began); strings.Count(got, "payments 0") != 2 || strings.Count(got, "admin 0") != 1 || len(w.channel.sends()) != 3 {
			t.Errorf("told: %s", got)
		}
	})
}

// The time runs from when the owner was told: a digest of Monday is not escalated on Sunday.
func TestTheLadderOfADigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		other := reminds(2, began)
		other.Client, other.Key = "checkout", "checkout|2"
		w := ladder(t, reminds(1, began), other)
		contact := w.settings.World.Directory.(directory).owners["payments"]
		contact.Digest = everyMorning{}
		w.settings.World.Directory.(directory).owners["payments"] = contact
		w.run(t)
		pass(2*day + time.Hour)
		if got := told(w, began); got != "payments 0" {
			t.Fatalf("told: %s", got)
		}
		if text := w.channel.sends()[0].message.Text; strings.Count(text, "rotad ack CLIENT") != 1 {
			t.Errorf("the digest does not say who is next:\n%s", text)
		}
		pass(day)
		if got := told(w, began); got != "payments 0, lead 2, lead 2" {
			t.Errorf("told: %s", got)
		}
	})
}
