package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// addNotices appends the notices of a change to the outbox, except those whose key it knows already.
func (t *txn) addNotices(p *prepared) {
	for _, n := range p.notices {
		t.addNotice(n.Notice, n.row)
	}
}

func (t *txn) addNotice(n credential.Notice, row []byte) {
	if t.raw(bktOutkey, n.Key) != nil {
		return
	}
	t.last.outbox++
	seq := t.last.outbox
	t.put(bktOutbox, seqKey(seq), row)
	t.put(bktOutkey, n.Key, number(seq))
	t.move(bktOutdue, "", outdueKey(n.Due, seq))
	t.count(counter(countOutbox, string(n.State)), 1)
}

func outdueKey(due time.Time, seq uint64) string {
	if due.IsZero() {
		return ""
	}
	return timeKey(due) + seqKey(seq)
}

func parseNotice(seq uint64, payload []byte) (credential.Notice, error) {
	n, err := state.Decode[credential.Notice](payload)
	if err != nil {
		return credential.Notice{}, fmt.Errorf("notice %d: %w", seq, err)
	}
	n.Seq = seq
	return n, nil
}

func (t *txn) notice(seq uint64) (n credential.Notice, found bool, err error) {
	payload, found, err := t.get(bktOutbox, seqKey(seq))
	if err != nil || !found {
		return credential.Notice{}, false, err
	}
	n, err = parseNotice(seq, payload)
	return n, err == nil, err
}

// standing returns how far a notice is.
func (t *txn) standing(seq uint64) (s state.Standing, found bool, err error) {
	payload, found, err := t.get(bktOutbox, seqKey(seq))
	if err != nil || !found {
		return state.Standing{}, false, err
	}
	if s, err = state.DecodeStanding(payload); err != nil {
		return state.Standing{}, false, fmt.Errorf("notice %d: %w", seq, err)
	}
	return s, true, nil
}

// ClaimNotices takes notices that are due at now and that nobody has claimed, the earliest first, at most n; only those that
// wait for a digest at the same moment are never parted. A claim ends with Settle, or after state.NoticeLease. Notices that cannot be read are treated as by Claim.
func (s *Store) ClaimNotices(ctx context.Context, now time.Time, n int) ([]credential.Notice, error) {
	var notices []credential.Notice
	var broken error
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outdue.IsZero() || s.outdue.After(now) || n <= 0 {
		return nil, ctx.Err()
	}
	err := s.view(ctx, func(t *txn) error {
		for e := range t.outdueEntries() {
			if e.at.After(now) || len(notices) >= n && !together(notices, e.at) {
				break
			}
			if s.notices[e.seq].held(now) {
				continue
			}
			s.notices[e.seq] = claim{until: now.Add(state.NoticeLease), due: e.at}
			row, err := t.dueNotice(e.seq)
			if err != nil {
				broken = errors.Join(broken, err)
				continue
			}
			notices = append(notices, row)
		}
		return nil
	})
	if err = errors.Join(err, broken); err != nil {
		return notices, fmt.Errorf("claiming notices: %w", err)
	}
	return notices, nil
}

// dueNotice reads a notice that stands in the due index.
func (t *txn) dueNotice(seq uint64) (credential.Notice, error) {
	row, found, err := t.notice(seq)
	if err == nil && !found {
		err = fmt.Errorf("notice %d is due, but does not exist: %w", seq, state.ErrCorrupt)
	}
	return row, err
}

// together says whether what is due at a moment may belong to the digest that was claimed last.
func together(notices []credential.Notice, at time.Time) bool {
	last := notices[len(notices)-1]
	return last.Digest && last.Due.Equal(at)
}

type outdueEntry struct {
	at  time.Time
	seq uint64
}

func (t *txn) outdueEntries() func(yield func(outdueEntry) bool) {
	return func(yield func(outdueEntry) bool) {
		c := t.bucket(bktOutdue).Cursor()
		for k, _ := c.First(); len(k) == 2*timeLength; k, _ = c.Next() {
			if !yield(outdueEntry{parseTimeKey(string(k[:timeLength])), parseSeq(k[timeLength:])}) {
				return
			}
		}
	}
}

// Settle writes notices down after an attempt: their deliveries, their state, and in Due when to try again (zero = settled).
// It ends their claims. All are written, or none. One without a Seq is new: it is added, unless its key is known already.
// A notice that is no longer there ends with state.ErrGone.
func (s *Store) Settle(ctx context.Context, notices ...credential.Notice) error {
	rows := make([][]byte, len(notices))
	for i, n := range notices {
		var err error
		if n.Seq == 0 {
			n = state.NewNotice(n)
		}
		n.Seq = 0
		if rows[i], err = state.Encode(&n); err != nil {
			return fmt.Errorf("settling notice %d: %w", notices[i].Seq, err)
		}
	}
	return s.write(ctx, func(t *txn) error { return t.settle(notices, rows) })
}

// settle looks at all before it writes the first: what has been put is committed, whatever comes behind it.
func (t *txn) settle(notices []credential.Notice, rows [][]byte) error {
	olds := make([]state.Standing, len(notices))
	for i, n := range notices {
		if n.Seq == 0 {
			continue
		}
		old, found, err := t.standing(n.Seq)
		switch {
		case err == nil && !found:
			err = state.ErrGone
		case err == nil && n.Key != old.Key:
			err = fmt.Errorf("%w: the key of a notice never changes", state.ErrInvalid)
		}
		if err != nil {
			return fmt.Errorf("settling notice %d: %w", n.Seq, err)
		}
		olds[i] = old
	}
	for i, n := range notices {
		if n.Seq == 0 {
			t.addNotice(state.NewNotice(n), rows[i])
			continue
		}
		t.replace(olds[i], n, rows[i])
	}
	return nil
}

func (t *txn) replace(old state.Standing, n credential.Notice, row []byte) {
	t.put(bktOutbox, seqKey(n.Seq), row)
	t.move(bktOutdue, outdueKey(old.Due, n.Seq), outdueKey(n.Due, n.Seq))
	t.count(counter(countOutbox, string(old.State)), -1)
	t.count(counter(countOutbox, string(n.State)), 1)
	t.onCommit(func() { delete(t.store.notices, n.Seq) })
}

// NextNotice returns when ClaimNotices can next take a notice. ok is false if none waits.
func (s *Store) NextNotice(ctx context.Context) (at time.Time, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outdue.IsZero() || len(s.notices) == 0 {
		return s.outdue, !s.outdue.IsZero(), ctx.Err()
	}
	err = s.view(ctx, func(t *txn) error {
		for e := range t.outdueEntries() {
			if _, claimed := s.notices[e.seq]; !claimed {
				at, ok = e.at, true
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("asking for the next notice: %w", err)
	}
	for _, c := range s.notices {
		if wake, due := c.wake(); due && (!ok || wake.Before(at)) {
			at, ok = wake, true
		}
	}
	return at, ok, nil
}

// Prune forgets notices that were settled more than state.NoticeKeep ago, with their keys, and returns how many.
func (s *Store) Prune(ctx context.Context, now time.Time) (int, error) {
	before := now.Add(-state.NoticeKeep)
	pruned := 0
	for after, more := uint64(0), true; more; {
		var old []credential.Notice
		err := s.view(ctx, func(t *txn) error {
			var err error
			old, after, more, err = t.settledBefore(before, after)
			return err
		})
		if err == nil && len(old) > 0 {
			err = s.write(ctx, func(t *txn) error { return t.forget(old) })
		}
		if err != nil {
			return pruned, fmt.Errorf("pruning notices: %w", err)
		}
		pruned += len(old)
	}
	return pruned, nil
}

// settledBefore reads one page of the outbox. Notices stand in the order in which they were decided, so that the walk
// ends at the first young one.
func (t *txn) settledBefore(before time.Time, after uint64) (old []credential.Notice, last uint64, more bool, err error) {
	c := t.bucket(bktOutbox).Cursor()
	read := 0
	for k, v := c.Seek([]byte(seqKey(after + 1))); k != nil; k, v = c.Next() {
		if read++; read > state.PageSize {
			return old, after, true, nil
		}
		payload, err := state.Open(k, v)
		if err != nil {
			return nil, 0, false, fmt.Errorf("notice %d: %w", parseSeq(k), err)
		}
		n, err := parseNotice(parseSeq(k), payload)
		switch {
		case err != nil:
			return nil, 0, false, err
		case !n.At.Before(before):
			return old, n.Seq, false, nil
		case n.Due.IsZero() && state.SettledAt(n).Before(before):
			old = append(old, n)
		}
		after = n.Seq
	}
	return old, after, false, nil
}

func (t *txn) forget(notices []credential.Notice) error {
	for _, n := range notices {
		t.drop(bktOutbox, seqKey(n.Seq))
		t.drop(bktOutkey, n.Key)
		t.count(counter(countOutbox, string(n.State)), -1)
	}
	return nil
}
