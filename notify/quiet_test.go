package notify_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// nights are quiet from eight in the evening until seven in the morning, UTC.
type nights struct{}

func (nights) End(t time.Time) time.Time {
	t = t.UTC()
	end := time.Date(t.Year(), t.Month(), t.Day(), 7, 0, 0, 0, time.UTC)
	switch {
	case t.Hour() < 7:
		return end
	case t.Hour() >= 20:
		return end.AddDate(0, 0, 1)
	}
	return time.Time{}
}

func (w *loopWorld) sleeps(edit func(*notify.Contact)) {
	w.gathers(func(c *notify.Contact) {
		c.Digest, c.Quiet = nil, nights{}
		if edit != nil {
			edit(c)
		}
	})
}

// A bubble begins at midnight, which is quiet.
func TestQuietHoursHideNothingUrgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		edited := func(kind credential.NoticeKind, edit func(*credential.Notice)) credential.Notice {
			n := retired(1, "billing")
			n.Kind, n.Facts.Hold, n.Facts.OldDies, n.Facts.Expires = kind, nil, time.Time{}, time.Now().Add(10*day)
			edit(&n)
			return n
		}
		none := func(*credential.Notice) {}
		for name, tt := range map[string]struct {
			kind  credential.NoticeKind
			edit  func(*credential.Notice)
			after time.Duration
		}{
			"an old secret that has gone": {credential.NoticeRetired, none, 7 * time.Hour},
			"a warning":                   {credential.NoticeWarning, none, 7 * time.Hour},
			"the last warning":            {credential.NoticeFinal, none, 0},
			"that it has expired":         {credential.NoticeExpired, func(n *credential.Notice) { n.Facts.Expires = time.Now() }, 0},
			"a hold":                      {credential.NoticeHeld, func(n *credential.Notice) { n.Facts.Hold = &credential.Hold{Code: "slots-full"} }, 7 * time.Hour},
			"a hold that pages":           {credential.NoticeHeld, func(n *credential.Notice) { n.Facts.Hold = &credential.Hold{Code: "secret-lost", Paging: true} }, 0},
			"what nobody has proved":      {credential.NoticeFailed, func(n *credential.Notice) { n.Milestone = "unverified" }, 0},
			"what would come too late":    {credential.NoticeRotated, func(n *credential.Notice) { n.Facts.OldDies = time.Now().Add(6 * time.Hour) }, 0},
			"what comes just in time":     {credential.NoticeRotated, func(n *credential.Notice) { n.Facts.OldDies = time.Now().Add(8 * time.Hour) }, 7 * time.Hour},
			"the word to the admins":      {credential.NoticeAdmin, func(n *credential.Notice) { n.Admins = true }, 0},
		} {
			began, notice := time.Now(), edited(tt.kind, tt.edit)
			w := newWorld(t, notice)
			w.sleeps(nil)
			w.records.record.Current.Expires, w.records.record.Hold = notice.Facts.Expires, notice.Facts.Hold
			w.run(t)
			pass(day)
			sends := w.channel.sends()
			if len(sends) != 1 || sends[0].at.Sub(began) != tt.after {
				t.Errorf("%s: it should be told after %v: %d mails", name, tt.after, len(sends))
			}
			w.stop()
		}
	})
}

// What an evening refused for now is not repeated at night, and a digest at night goes out in the morning, once.
func TestRepetitionsAndDigestsKeepQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass(19*time.Hour + 58*time.Minute)
		w := newWorld(t, retired(1, "billing"))
		w.sleeps(nil)
		w.channel.answer = func(n int, _ notify.Message) error {
			if n <= 2 {
				return failure(notify.ClassRetry)
			}
			return nil
		}
		w.run(t)
		pass(day)
		if sends := w.channel.sends(); len(sends) != 3 || sends[2].at.Hour() != 7 {
			t.Errorf("%d mails", len(sends))
		}
		w.stop()
		early := newWorld(t, many(5)...)
		early.sleeps(func(c *notify.Contact) { c.Digest = everyNight{} })
		early.run(t)
		pass(2 * day)
		if sends := early.channel.sends(); len(sends) != 1 || sends[0].at.Hour() != 7 || sends[0].message.Kind != notify.KindDigest {
			t.Errorf("%d mails", len(sends))
		}
	})
}

// everyNight is a digest at three o'clock.
type everyNight struct{}

func (everyNight) Next(t time.Time) time.Time {
	return everyMorning{}.Next(t.Add(6 * time.Hour)).Add(-6 * time.Hour)
}
