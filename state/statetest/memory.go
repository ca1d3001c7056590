package statetest

import (
	"context"
	"crypto/rand"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// Memory is a store that forgets everything with the process. It keeps values encoded, so that nobody shares memory
// with it, and finds everything by looking at everything.
type Memory struct {
	mu      sync.Mutex
	closed  bool
	meta    state.Meta
	records map[string]kept
	archive map[string]kept
	claims  map[string]lease
	audit   [][]byte         // entry n has the number n+1
	owners  map[string][]int // positions in audit, by client
	outbox  map[uint64][]byte
	keys    map[string]struct{}
	notices map[uint64]lease
	seq     uint64 // of the last notice
	tallies map[string]credential.Tally
}

// kept is a record as it is stored, and decoded for looking at: that copy is never handed out.
type kept struct {
	bytes  []byte
	record credential.Record
	ref    string // provider and ref; empty = none
}

func keep(bytes []byte) kept {
	r := must(state.Decode[credential.Record](bytes))
	return kept{bytes, r, refOf(r.Client)}
}

func refOf(c credential.Client) string {
	if len(c.Ref) == 0 {
		return ""
	}
	return c.Provider + "\x00" + c.Ref.Canonical()
}

func (k kept) copy() credential.Record { return must(state.Decode[credential.Record](k.bytes)) }

type lease struct {
	owner string
	until time.Time
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return &Memory{
		meta:    state.Meta{Schema: state.Schema, Instance: rand.Text(), Boot: 1, Key: key},
		records: make(map[string]kept), archive: make(map[string]kept), claims: make(map[string]lease),
		owners: make(map[string][]int), outbox: make(map[uint64][]byte), keys: make(map[string]struct{}),
		notices: make(map[uint64]lease), tallies: make(map[string]credential.Tally),
	}
}

func (m *Memory) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.closed {
		return state.ErrClosed
	}
	return nil
}

// Commit makes a change; see bolt.Store.
func (m *Memory) Commit(ctx context.Context, c credential.Change) (r credential.Record, conflict bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil {
		return credential.Record{}, false, err
	}
	return m.commit(c)
}

func (m *Memory) commit(c credential.Change) (r credential.Record, conflict bool, err error) {
	none := credential.Record{}
	if err = state.Validate(&c); err != nil {
		return none, false, err
	}
	id, from := c.Record.Client.ID, c.Record.Client.ID
	if c.Rename != "" {
		from = c.Rename
	}
	old, exists := m.records[from]
	if exists {
		if c.Create || old.record.Rev != c.Record.Rev {
			return old.copy(), true, nil
		}
	} else if !c.Create {
		return none, false, state.ErrGone
	}
	if err = m.unique(c, from); err != nil {
		return none, false, err
	}
	r = c.Record
	r.Rev++
	bytes, rows, audit, err := encodeAll(r, c)
	if err != nil {
		return none, false, err
	}
	tallies, current := m.strike(c.Strokes)
	if !current {
		return old.copy(), true, nil
	}
	maps.Copy(m.tallies, tallies)
	delete(m.records, from)
	if c.Archive {
		m.archive[id] = keep(bytes)
	} else {
		m.records[id] = keep(bytes)
	}
	m.append(c, from, rows, audit)
	m.follow(c, from)
	return r, false, nil
}

// strike makes strokes on copies of their tallies. It is false where one of them cannot be made.
func (m *Memory) strike(strokes []credential.Stroke) (map[string]credential.Tally, bool) {
	after := map[string]credential.Tally{}
	for _, s := range strokes {
		tally, known := after[s.Provider]
		if !known {
			tally = m.tallies[s.Provider]
		}
		next, ok := tally.With(s)
		if !ok {
			return nil, false
		}
		after[s.Provider] = next
	}
	return after, true
}

// Tally returns what has been begun under a provider; see bolt.Store.
func (m *Memory) Tally(ctx context.Context, provider string) (credential.Tally, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tallies[provider], m.enter(ctx)
}

// unique refuses a second client with the same id, ref or Vault path.
func (m *Memory) unique(c credential.Change, from string) error {
	client, ref := c.Record.Client, refOf(c.Record.Client)
	if _, taken := m.records[client.ID]; taken && client.ID != from {
		return &state.Duplicate{Index: state.IndexID, ID: client.ID}
	}
	for id, k := range m.records {
		other := k.record.Client
		switch {
		case id == from || c.Archive:
		case ref != "" && ref == k.ref:
			return &state.Duplicate{Index: state.IndexRef, ID: id}
		case client.Vault.Path != "" && other.Vault.Key() == client.Vault.Key():
			return &state.Duplicate{Index: state.IndexVault, ID: id}
		}
	}
	return nil
}

func encodeAll(r credential.Record, c credential.Change) (record []byte, rows, audit [][]byte, err error) {
	if record, err = state.Encode(&r); err != nil {
		return nil, nil, nil, err
	}
	for _, n := range c.Notices {
		n = state.NewNotice(n)
		row, err := state.Encode(&n)
		if err != nil {
			return nil, nil, nil, err
		}
		rows = append(rows, row)
	}
	for _, a := range c.Audit {
		row, err := state.Encode(&a)
		if err != nil {
			return nil, nil, nil, err
		}
		audit = append(audit, row)
	}
	return record, rows, audit, nil
}

func (m *Memory) append(c credential.Change, from string, rows, audit [][]byte) {
	id := c.Record.Client.ID
	if from != id {
		m.owners[id] = m.owners[from]
		delete(m.owners, from)
	}
	for _, row := range audit {
		m.owners[id] = append(m.owners[id], len(m.audit))
		m.audit = append(m.audit, row)
	}
	for i, n := range c.Notices {
		m.add(n.Key, rows[i])
	}
	if !c.Watermark.IsZero() {
		m.meta.Watermark = c.Watermark.UTC()
	}
}

func (m *Memory) follow(c credential.Change, from string) {
	held, ok := m.claims[from]
	delete(m.claims, from)
	if ok && c.Keep && !c.Archive {
		m.claims[c.Record.Client.ID] = held
	}
}

// CommitMany makes many changes; see bolt.Store.
func (m *Memory) CommitMany(ctx context.Context, changes []credential.Change) ([]state.Refusal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	var refusals []state.Refusal
	for i, c := range changes {
		_, conflict, err := m.commit(c)
		if conflict {
			err = state.ErrConflict
		}
		if err != nil {
			refusals = append(refusals, state.Refusal{Index: i, Err: err})
		}
	}
	return refusals, nil
}

// Meta returns what the store knows about itself; see bolt.Store.
func (m *Memory) Meta() state.Meta {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.meta
}

// SetInstance adopts an instance id; see bolt.Store.
func (m *Memory) SetInstance(ctx context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id == "" || len(id) > state.MaxIDLength {
		return state.ErrInvalid
	}
	m.meta.Instance = id
	return m.enter(ctx)
}

// ClearRestored does nothing: this store is never restored.
func (m *Memory) ClearRestored(ctx context.Context) error { return ctx.Err() }

// Check does nothing: there is no second copy of anything to compare with.
func (m *Memory) Check(ctx context.Context) error { return ctx.Err() }

// FreeBytes says that there is no bound.
func (m *Memory) FreeBytes() (uint64, error) { return math.MaxInt64, nil }

// Close makes every later call fail with state.ErrClosed.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// must is for values that this store has encoded itself.
// add puts a notice into the outbox, except one whose key it knows already.
func (m *Memory) add(key string, row []byte) {
	if _, known := m.keys[key]; known {
		return
	}
	m.seq++
	m.keys[key] = struct{}{}
	m.outbox[m.seq] = row
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
