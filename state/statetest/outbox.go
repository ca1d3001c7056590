package statetest

import (
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func outboxRules() []rule {
	return []rule{
		{"a notice is committed with its record, pending and due at once", outboxAdd},
		{"the same thing is told once", outboxOnce},
		{"notices come the earliest first, and each once until its lease ends", outboxClaim},
		{"settling ends the claim and says when to try again", outboxSettle},
		{"settling what is not there, or is another notice, is refused", outboxGone},
		{"notices are settled together, all or none, and new ones are told once", outboxTogether},
		{"a digest is claimed whole", outboxDigest},
		{"settled notices are kept for thirty days", outboxPrune},
	}
}

func notice(key string, when time.Time) credential.Notice {
	return credential.Notice{
		Key: key, Kind: credential.NoticeWarning, At: when, Client: "a", Owner: "team",
		Facts: credential.Facts{Provider: "p", Labels: map[string]string{"x": "y"}},
	}
}

// tell commits notices with a record that does not change otherwise.
func (w world) tell(notices ...credential.Notice) {
	w.Helper()
	r, ok, err := w.Get(w.Context(), "a")
	if err != nil {
		w.Fatal(err)
	}
	if !ok {
		r = w.add("a", "p", time.Time{})
	}
	w.commit(credential.Change{Record: r, Notices: notices})
}

// notices claims notices and returns their keys.
func (w world) notices(now time.Time, n int) (keys []string, all []credential.Notice) {
	w.Helper()
	all, err := w.ClaimNotices(w.Context(), now, n)
	if err != nil {
		w.Fatal(err)
	}
	for _, one := range all {
		keys = append(keys, one.Key)
	}
	return keys, all
}

func (w world) nextNotice(want time.Time) {
	w.Helper()
	got, ok, err := w.NextNotice(w.Context())
	if err != nil || ok == want.IsZero() || !got.Equal(want) {
		w.Errorf("next notice: got %v, %v, %v; want %v", got, ok, err, want)
	}
}

func outboxAdd(w world) {
	w.nextNotice(time.Time{})
	want := notice("k", start())
	w.tell(want)
	w.nextNotice(start())
	keys, _ := w.notices(at(-time.Microsecond), 1)
	w.same("before it is due", keys, []string(nil))
	_, got := w.notices(start(), 1)
	want.Seq, want.State, want.Due = 1, credential.NoticePending, start()
	w.same("claimed", got, []credential.Notice{want})
	w.same("counts", w.OutboxCounts(), map[credential.NoticeState]int{credential.NoticePending: 1})
	w.sound()
}

func outboxOnce(w world) {
	w.tell(notice("k", start()), notice("k", start()), notice("l", start()))
	w.tell(notice("k", at(time.Hour)))
	keys, all := w.notices(at(2*time.Hour), 10)
	w.same("claimed", keys, []string{"k", "l"})
	w.same("the first was kept", all[0].At, start())
	w.sound()
}

func outboxClaim(w world) {
	later := notice("later", start())
	later.Due = at(time.Minute)
	w.tell(later, notice("third", at(-time.Second)), notice("first", at(-time.Hour)), notice("second", at(-time.Minute)))
	keys, _ := w.notices(start(), 2)
	w.same("two", keys, []string{"first", "second"})
	keys, _ = w.notices(start(), 2)
	w.same("what is left", keys, []string{"third"})
	w.nextNotice(at(time.Minute))
	keys, _ = w.notices(at(time.Minute), 2)
	w.same("later", keys, []string{"later"})
	w.nextNotice(at(state.NoticeLease))
	keys, _ = w.notices(at(state.NoticeLease), 10)
	w.same("after the lease", keys, []string{"first", "second", "third"})
}

func outboxSettle(w world) {
	w.tell(notice("k", start()))
	_, all := w.notices(start(), 1)
	n := all[0]
	n.Due = at(time.Hour)
	n.Deliveries = []credential.Delivery{
		{Channel: "smtp", To: "a@example.com", State: credential.NoticePending, Attempts: 1},
		{Channel: "ops", MessageID: "msg_1", State: credential.NoticeDead, Error: "gone"},
		{Channel: "smtp", To: "a@example.com", About: "ops", State: credential.NoticePending},
	}
	w.settle(n)
	w.nextNotice(at(time.Hour))
	keys, all := w.notices(at(time.Hour), 1)
	w.same("again", keys, []string{"k"})
	w.same("with what was noted", all[0], n)
	n.Due, n.State = time.Time{}, credential.NoticeSent
	w.settle(n)
	keys, _ = w.notices(at(1000*time.Hour), 1)
	w.same("settled", keys, []string(nil))
	w.nextNotice(time.Time{})
	w.same("counts", w.OutboxCounts(), map[credential.NoticeState]int{credential.NoticeSent: 1})
	w.sound()
}

func (w world) settle(n credential.Notice) {
	w.Helper()
	if err := w.Settle(w.Context(), n); err != nil {
		w.Fatal(err)
	}
}

func outboxGone(w world) {
	w.tell(notice("k", start()))
	if err := w.Settle(w.Context(), credential.Notice{Seq: 7, Key: "k"}); !errors.Is(err, state.ErrGone) {
		w.Errorf("got %v, want ErrGone", err)
	}
	if err := w.Settle(w.Context(), credential.Notice{Seq: 1, Key: "other"}); !errors.Is(err, state.ErrInvalid) {
		w.Errorf("got %v, want ErrInvalid", err)
	}
	keys, _ := w.notices(start(), 1)
	w.same("untouched", keys, []string{"k"})
}

func outboxTogether(w world) {
	w.tell(notice("k", start()), notice("l", start()))
	_, all := w.notices(start(), 2)
	for i := range all {
		all[i].State, all[i].Due = credential.NoticeSent, time.Time{}
	}
	next := notice("k|next", start())
	next.Due = at(time.Hour)
	gone := credential.Notice{Seq: 7, Key: "m"}
	if err := w.Settle(w.Context(), all[0], next, gone); !errors.Is(err, state.ErrGone) {
		w.Errorf("got %v, want ErrGone", err)
	}
	w.same("none of them", w.OutboxCounts(), map[credential.NoticeState]int{credential.NoticePending: 2})
	for range 2 {
		if err := w.Settle(w.Context(), append(all, next)...); err != nil {
			w.Fatal(err)
		}
	}
	w.same("all of them", w.OutboxCounts(), map[credential.NoticeState]int{credential.NoticeSent: 2, credential.NoticePending: 1})
	keys, _ := w.notices(at(time.Hour), 9)
	w.same("the new one, once", keys, []string{"k|next"})
	w.sound()
}

func outboxDigest(w world) {
	row := func(key string, due time.Time, digest bool) credential.Notice {
		n := notice(key, start())
		n.Due = due
		n.Digest = digest
		return n
	}
	w.tell(row("a", at(time.Second), true), row("b", at(2*time.Second), false), row("c", at(time.Second), true), row("d", at(time.Second), true), row("e", at(2*time.Second), false))
	keys, _ := w.notices(at(time.Hour), 1)
	w.same("of one moment", keys, []string{"a", "c", "d"})
	keys, _ = w.notices(at(time.Hour), 1)
	w.same("each on its own", keys, []string{"b"})
}

func outboxPrune(w world) {
	w.tell(notice("pending", start()), notice("old", start()), notice("delivered late", start()), notice("new", at(24*time.Hour)))
	_, all := w.notices(at(24*time.Hour), 10)
	for _, n := range all {
		if n.Key == "pending" {
			continue
		}
		n.State, n.Due = credential.NoticeSent, time.Time{}
		if n.Key == "delivered late" {
			n.Deliveries = []credential.Delivery{{SentAt: at(time.Hour)}}
		}
		w.settle(n)
	}
	for _, step := range []struct {
		now  time.Time
		want int
	}{
		{at(state.NoticeKeep), 0},
		{at(state.NoticeKeep + time.Second), 1},
		{at(state.NoticeKeep + 2*time.Hour), 1},
		{at(state.NoticeKeep + 25*time.Hour), 1},
	} {
		if got, err := w.Prune(w.Context(), step.now); got != step.want || err != nil {
			w.Errorf("pruned at %v: %d, %v; want %d", step.now, got, err, step.want)
		}
	}
	w.same("counts", w.OutboxCounts(), map[credential.NoticeState]int{credential.NoticePending: 1})
	w.tell(notice("old", at(time.Hour))) // long forgotten: it may be told again
	w.same("counts", w.OutboxCounts(), map[credential.NoticeState]int{credential.NoticePending: 2})
	w.sound()
}
