package statetest

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// all returns the records that match, in the order of their ids.
func (m *Memory) all(match func(credential.Record) bool) []credential.Record {
	var records []credential.Record
	for _, id := range slices.Sorted(maps.Keys(m.records)) {
		if k := m.records[id]; match(k.record) {
			records = append(records, k.copy())
		}
	}
	return records
}

func first[T any](all []T, n int) []T { return all[:min(n, len(all))] }

func page(n int) int {
	if n <= 0 || n > state.PageSize {
		return state.PageSize
	}
	return n
}

// due returns the records of a provider that will be due, the earliest first.
func (m *Memory) due(provider string) []credential.Record {
	records := m.all(func(r credential.Record) bool { return r.Client.Provider == provider && !r.Due.IsZero() })
	slices.SortStableFunc(records, func(a, b credential.Record) int { return a.Due.Compare(b.Due) })
	return records
}

// Claim takes records that are due; see bolt.Store.
func (m *Memory) Claim(
	ctx context.Context, now time.Time, provider string, n int, owner string, term time.Duration,
) ([]credential.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	var records []credential.Record
	for _, r := range m.due(provider) {
		if len(records) < n && !r.Due.After(now) && !now.Before(m.claims[r.Client.ID].until) {
			m.claims[r.Client.ID] = lease{owner, now.Add(term)}
			records = append(records, r)
		}
	}
	return records, nil
}

// ClaimOne takes one record; see bolt.Store.
func (m *Memory) ClaimOne(
	ctx context.Context, now time.Time, id, owner string, term time.Duration,
) (credential.Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.records[id]
	if err := m.enter(ctx); err != nil || !ok || now.Before(m.claims[id].until) {
		return credential.Record{}, false, err
	}
	m.claims[id] = lease{owner, now.Add(term)}
	return k.copy(), true, nil
}

// Release gives a claim free; see bolt.Store.
func (m *Memory) Release(id, owner string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.claims[id].owner == owner {
		delete(m.claims, id)
	}
}

// NextDue returns when Claim can next take a record; see bolt.Store.
func (m *Memory) NextDue(ctx context.Context, provider string) (at time.Time, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.due(provider) {
		wake := r.Due
		if until := m.claims[r.Client.ID].until; until.After(wake) {
			wake = until
		}
		if !ok || wake.Before(at) {
			at, ok = wake, true
		}
	}
	return at, ok, m.enter(ctx)
}

// Providers returns the providers with something due; see bolt.Store.
func (m *Memory) Providers() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make(map[string]struct{})
	for _, r := range m.all(func(r credential.Record) bool { return !r.Due.IsZero() }) {
		names[r.Client.Provider] = struct{}{}
	}
	return slices.Sorted(maps.Keys(names))
}

// Get returns a record; see bolt.Store.
func (m *Memory) Get(ctx context.Context, id string) (credential.Record, bool, error) {
	return m.get(ctx, m.records, id)
}

// Archived returns an archived record; see bolt.Store.
func (m *Memory) Archived(ctx context.Context, id string) (credential.Record, bool, error) {
	return m.get(ctx, m.archive, id)
}

func (m *Memory) get(ctx context.Context, from map[string]kept, id string) (credential.Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := from[id]
	if err := m.enter(ctx); err != nil || !ok {
		return credential.Record{}, false, err
	}
	return k.copy(), true, nil
}

// Find returns the id of a client; see bolt.Store.
func (m *Memory) Find(ctx context.Context, provider string, ref credential.Ref) (id string, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.all(func(r credential.Record) bool {
		return len(ref) > 0 && r.Client.Provider == provider && r.Client.Ref.Canonical() == ref.Canonical()
	}) {
		id, ok = r.Client.ID, true
	}
	return id, ok, m.enter(ctx)
}

// List returns records by id; see bolt.Store.
func (m *Memory) List(ctx context.Context, after string, n int) ([]credential.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return first(m.all(func(r credential.Record) bool { return r.Client.ID > after }), page(n)), m.enter(ctx)
}

// Active returns what is in a rotation or held; see bolt.Store.
func (m *Memory) Active(ctx context.Context, after string, n int) ([]credential.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	active := m.all(func(r credential.Record) bool { return r.Client.ID > after && state.Active(&r) })
	return first(active, page(n)), m.enter(ctx)
}

func (m *Memory) entry(position int) credential.Audit {
	a := must(state.Decode[credential.Audit](m.audit[position]))
	a.Seq = uint64(position) + 1 //nolint:gosec // a position
	return a
}

// History returns the audit of one client, newest first; see bolt.Store.
func (m *Memory) History(ctx context.Context, id string, n int) ([]credential.Audit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var entries []credential.Audit
	for _, position := range slices.Backward(m.owners[id]) {
		entries = append(entries, m.entry(position))
	}
	return first(entries, page(n)), m.enter(ctx)
}

// Audit returns the audit, oldest first; see bolt.Store.
func (m *Memory) Audit(ctx context.Context, after uint64, n int) ([]credential.Audit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var entries []credential.Audit
	for position := range m.audit {
		if a := m.entry(position); a.Seq > after {
			entries = append(entries, a)
		}
	}
	return first(entries, page(n)), m.enter(ctx)
}

// VerifyAudit returns the number of entries: there is no chain in memory.
func (m *Memory) VerifyAudit(ctx context.Context) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.audit)), m.enter(ctx)
}

// Aggregates counts; see bolt.Store.
func (m *Memory) Aggregates() state.Aggregates {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := state.Aggregates{
		Clients: make(map[state.Watch]int), Holds: make(map[credential.HoldCode]int),
		Phases: make(map[credential.Phase]int), Outbox: make(map[credential.NoticeState]int),
	}
	for _, r := range m.all(func(credential.Record) bool { return true }) {
		a.Clients[state.Watch{Provider: r.Client.Provider, Mode: r.Mode()}]++
		if r.Hold != nil {
			a.Holds[r.Hold.Code]++
		}
		if r.Rotation != nil && r.Phase() != credential.PhaseSteady {
			a.Phases[r.Phase()]++
		}
		if state.WithoutExpiry(&r) {
			a.WithoutExpiry++
		}
	}
	for seq := range m.outbox {
		a.Outbox[m.notice(seq).State]++
	}
	return a
}

// Expiring counts what expires; see bolt.Store.
func (m *Memory) Expiring(ctx context.Context, now time.Time, within ...time.Duration) (expired int, soon []int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	soon = make([]int, len(within))
	for _, r := range m.all(func(r credential.Record) bool { return !state.Expiry(&r).IsZero() }) {
		left := state.Expiry(&r).Sub(now)
		if left <= 0 {
			expired++
		}
		for i, d := range within {
			if left > 0 && left <= d {
				soon[i]++
			}
		}
	}
	return expired, soon, m.enter(ctx)
}

// MostUrgent returns what expires first; see bolt.Store.
func (m *Memory) MostUrgent(ctx context.Context, n int) iter.Seq2[credential.Record, error] {
	return func(yield func(credential.Record, error) bool) {
		records, err := m.mostUrgent(ctx, n)
		for _, r := range records {
			if err == nil && !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(credential.Record{}, err)
		}
	}
}

func (m *Memory) mostUrgent(ctx context.Context, n int) ([]credential.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	records := m.all(func(credential.Record) bool { return true })
	slices.SortStableFunc(records, func(a, b credential.Record) int {
		x, y := state.Expiry(&a), state.Expiry(&b)
		if x.IsZero() != y.IsZero() {
			return cmp.Compare(order(x), order(y))
		}
		return x.Compare(y)
	})
	return first(records, n), m.enter(ctx)
}

func order(expiry time.Time) int {
	if expiry.IsZero() {
		return 1
	}
	return 0
}

// Hasten lets everything that is due after a moment fall due at that moment; see state.Hasten.
func (m *Memory) Hasten(ctx context.Context, to time.Time) error { return state.Hasten(ctx, m, to) }
