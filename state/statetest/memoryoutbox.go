package statetest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func (m *Memory) notice(seq uint64) credential.Notice {
	n := must(state.Decode[credential.Notice](m.outbox[seq]))
	n.Seq = seq
	return n
}

// waiting returns the notices that are not settled, the earliest first.
func (m *Memory) waiting() []credential.Notice {
	var notices []credential.Notice
	for _, seq := range slices.Sorted(maps.Keys(m.outbox)) {
		if n := m.notice(seq); !n.Due.IsZero() {
			notices = append(notices, n)
		}
	}
	slices.SortStableFunc(notices, func(a, b credential.Notice) int { return a.Due.Compare(b.Due) })
	return notices
}

// ClaimNotices takes notices that are due; see bolt.Store.
func (m *Memory) ClaimNotices(ctx context.Context, now time.Time, n int) ([]credential.Notice, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	var notices []credential.Notice
	for _, notice := range m.waiting() {
		if (len(notices) < n || sameDigest(notices, notice)) && !notice.Due.After(now) && !now.Before(m.notices[notice.Seq].until) {
			m.notices[notice.Seq] = lease{until: now.Add(state.NoticeLease)}
			notices = append(notices, notice)
		}
	}
	return notices, nil
}

func sameDigest(notices []credential.Notice, next credential.Notice) bool {
	if len(notices) == 0 {
		return false
	}
	last := notices[len(notices)-1]
	return last.Digest && last.Due.Equal(next.Due)
}

// Settle writes notices down after an attempt, all or none; see bolt.Store.
func (m *Memory) Settle(ctx context.Context, notices ...credential.Notice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil {
		return err
	}
	for _, n := range notices {
		if n.Seq == 0 {
			continue
		}
		if _, ok := m.outbox[n.Seq]; !ok {
			return state.ErrGone
		}
		if m.notice(n.Seq).Key != n.Key {
			return state.ErrInvalid
		}
	}
	for _, n := range notices {
		if n.Seq == 0 {
			m.add(n.Key, must(state.Encode(new(state.NewNotice(n)))))
			continue
		}
		m.outbox[n.Seq] = must(state.Encode(&n))
		delete(m.notices, n.Seq)
	}
	return nil
}

// NextNotice returns when ClaimNotices can next take one; see bolt.Store.
func (m *Memory) NextNotice(ctx context.Context) (at time.Time, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.waiting() {
		wake := n.Due
		if until := m.notices[n.Seq].until; until.After(wake) {
			wake = until
		}
		if !ok || wake.Before(at) {
			at, ok = wake, true
		}
	}
	return at, ok, m.enter(ctx)
}

// Prune forgets old settled notices; see bolt.Store.
func (m *Memory) Prune(ctx context.Context, now time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, pruned := now.Add(-state.NoticeKeep), 0
	for seq := range m.outbox {
		if n := m.notice(seq); n.Due.IsZero() && state.SettledAt(n).Before(before) {
			delete(m.outbox, seq)
			delete(m.keys, n.Key)
			pruned++
		}
	}
	return pruned, m.enter(ctx)
}

// OutboxCounts counts notices by state; see bolt.Store.
func (m *Memory) OutboxCounts() map[credential.NoticeState]int { return m.Aggregates().Outbox }
