package bolt

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func (s *Store) loadCounts(t *txn) error {
	return t.bucket(bktCount).ForEach(func(k, v []byte) error {
		payload, err := state.Open(k, v)
		if err == nil && len(payload) != timeLength {
			err = state.ErrCorrupt
		}
		if err != nil {
			return fmt.Errorf("counter %q: %w", k, err)
		}
		s.counts[string(k)] = int64(binary.BigEndian.Uint64(payload)) //nolint:gosec // a count
		return nil
	})
}

// flushCounts writes the counters that have changed.
func (t *txn) flushCounts() {
	changed := make(map[string]int64)
	for name, by := range t.counts {
		if by == 0 {
			continue
		}
		n := t.store.counts[name] + by
		changed[name] = n
		if n == 0 {
			t.drop(bktCount, name)
		} else {
			t.put(bktCount, name, number(uint64(n))) //nolint:gosec // a count
		}
	}
	t.onCommit(func() {
		for name, n := range changed {
			if n == 0 {
				delete(t.store.counts, name)
			} else {
				t.store.counts[name] = n
			}
		}
	})
}

// Aggregates returns the counters. It reads no file.
func (s *Store) Aggregates() state.Aggregates {
	a := state.Aggregates{
		Clients: make(map[state.Watch]int), Holds: make(map[credential.HoldCode]int),
		Phases: make(map[credential.Phase]int), Outbox: make(map[credential.NoticeState]int),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, count := range s.counts {
		n := int(count)
		kind, rest, _ := strings.Cut(name, "\x00")
		switch kind {
		case countClient:
			provider, mode, _ := strings.Cut(rest, "\x00")
			a.Clients[state.Watch{Provider: provider, Mode: credential.Mode(mode)}] = n
		case countHold:
			a.Holds[credential.HoldCode(rest)] = n
		case countPhase:
			a.Phases[credential.Phase(rest)] = n
		case countOutbox:
			a.Outbox[credential.NoticeState(rest)] = n
		case countNoExpiry:
			a.WithoutExpiry = n
		}
	}
	return a
}

// OutboxCounts returns how many notices there are by state. It reads no file.
func (s *Store) OutboxCounts() map[credential.NoticeState]int { return s.Aggregates().Outbox }

// Expiring counts the clients whose current secret has expired at now, and for each duration those whose secret expires
// after now and within it. Whole hours come from counters; only the hours in which now and the ends lie are read.
func (s *Store) Expiring(ctx context.Context, now time.Time, within ...time.Duration) (expired int, soon []int, err error) {
	hours := s.hours() // before the transaction: whoever holds mu may wait for one
	err = s.view(ctx, func(t *txn) error {
		expired = t.expiredBy(hours, now)
		for _, d := range within {
			soon = append(soon, t.expiredBy(hours, now.Add(d))-expired)
		}
		return nil
	})
	if err != nil {
		return 0, nil, fmt.Errorf("counting what expires: %w", err)
	}
	return expired, soon, nil
}

// hours returns the number of clients that expire in each hour.
func (s *Store) hours() map[int64]int {
	hours := make(map[int64]int)
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, n := range s.counts {
		if rest, ok := strings.CutPrefix(name, countHour+"\x00"); ok && len(rest) == timeLength {
			hours[parseTimeKey(rest).UnixMicro()] = int(n)
		}
	}
	return hours
}

// expiredBy counts the clients with an expiry up to and including a moment.
func (t *txn) expiredBy(hours map[int64]int, moment time.Time) int {
	this, total := hourOf(moment), 0
	for hour, n := range hours {
		if hour < this {
			total += n
		}
	}
	end := timeKey(moment)
	c := t.bucket(bktExpiry).Cursor()
	for k, _ := c.Seek([]byte(timeKey(time.Unix(this*3600, 0)))); len(k) > timeLength; k, _ = c.Next() {
		if string(k[:timeLength]) > end {
			break
		}
		total++
	}
	return total
}

// MostUrgent yields the n records whose current secret expires first, the earliest first, and then, if there is room,
// those without an expiry in the order of their ids. It reads page by page, and holds no transaction while the caller has
// the turn. An error is the last that it yields.
func (s *Store) MostUrgent(ctx context.Context, n int) iter.Seq2[credential.Record, error] {
	return func(yield func(credential.Record, error) bool) {
		left, seen := n, make(map[string]struct{})
		for after, more := "", true; more && left > 0; {
			batch, next, err := s.expiringAfter(ctx, after, page(left))
			if err != nil {
				yield(credential.Record{}, fmt.Errorf("listing what expires first: %w", err))
				return
			}
			for _, r := range batch {
				if _, twice := seen[r.Client.ID]; twice { // its expiry has moved between two pages
					continue
				}
				seen[r.Client.ID] = struct{}{}
				if left--; !yield(r, nil) {
					return
				}
			}
			after, more = next, next != ""
		}
		s.withoutExpiry(ctx, left, yield)
	}
}

// expiringAfter returns up to n records that follow a key of the index of expiries, and the key of the last of them; next
// is empty where the index ends.
func (s *Store) expiringAfter(ctx context.Context, after string, n int) (batch []credential.Record, next string, err error) {
	batch, err = s.follow(ctx, func(t *txn, take func(id string) bool) {
		c := t.bucket(bktExpiry).Cursor()
		for k, _ := c.Seek([]byte(after + "\x00")); len(k) > timeLength; k, _ = c.Next() {
			if !take(string(k[timeLength:])) {
				next = after
				return
			}
			after = string(k)
		}
	}, n)
	return batch, next, err
}

// withoutExpiry yields up to left records without an expiry. It is called once all others have been yielded, so that it
// reads past no more than those.
func (s *Store) withoutExpiry(ctx context.Context, left int, yield func(credential.Record, error) bool) {
	for after, more := "", true; more && left > 0; {
		batch, err := s.List(ctx, after, 0)
		if err != nil {
			yield(credential.Record{}, err)
			return
		}
		for _, r := range batch {
			if after = r.Client.ID; left == 0 || !state.Expiry(&r).IsZero() {
				continue
			}
			if left--; !yield(r, nil) {
				return
			}
		}
		more = len(batch) == state.PageSize
	}
}
