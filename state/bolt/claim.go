package bolt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// claim says who works on a record or notice, and until when nobody else may. Claims live in memory only: the lock of
// the file keeps every other process out, and a start ends them all.
type claim struct {
	owner    string
	until    time.Time
	provider string
	due      time.Time // of the record or notice as it stands; zero = never
}

func (c claim) held(now time.Time) bool { return now.Before(c.until) }

// wake returns when a claimed entry can be claimed again; ok is false if it is not due at all.
func (c claim) wake() (at time.Time, ok bool) {
	if c.until.After(c.due) {
		return c.until, !c.due.IsZero()
	}
	return c.due, !c.due.IsZero()
}

// Claim takes records of one provider that are due at now and that nobody has claimed, the earliest first, at most n. A
// claim ends with the Commit of its record, with Release, or with its lease. Where nothing is due it reads no file.
//
// Records that cannot be read stay claimed until their lease ends, so that they hide no other; the error names them and
// comes together with the records that could be read.
func (s *Store) Claim(
	ctx context.Context, now time.Time, provider string, n int, owner string, lease time.Duration,
) ([]credential.Record, error) {
	var records []credential.Record
	var broken error
	s.mu.Lock()
	defer s.mu.Unlock()
	head, any := s.heads[provider]
	if !any || head.at.After(now) || n <= 0 {
		return nil, ctx.Err()
	}
	// The transaction begins under the lock: it sees every commit whose claim has been given free.
	err := s.view(ctx, func(t *txn) error {
		for e := range t.dueEntries(provider) {
			if e.at.After(now) || len(records) == n {
				break
			}
			if s.claims[e.id].held(now) {
				continue
			}
			s.claims[e.id] = claim{owner: owner, until: now.Add(lease), provider: provider, due: e.at}
			r, err := t.claimed(e.id)
			if err != nil {
				broken = errors.Join(broken, err)
				continue
			}
			records = append(records, r)
		}
		return nil
	})
	if err = errors.Join(err, broken); err != nil {
		return records, fmt.Errorf("claiming clients of %s: %w", provider, err)
	}
	return records, nil
}

func (t *txn) claimed(id string) (credential.Record, error) {
	r, err := t.record(bktRecord, id)
	switch {
	case err != nil:
		return credential.Record{}, err
	case r == nil:
		return credential.Record{}, fmt.Errorf("client %s is due, but does not exist: %w", id, state.ErrCorrupt)
	default:
		return r.Record, nil
	}
}

// dueEntries walks the due index of a provider, the earliest first.
func (t *txn) dueEntries(provider string) func(yield func(dueEntry) bool) {
	return func(yield func(dueEntry) bool) {
		c := t.bucket(bktDue).Cursor()
		for k, _ := c.Seek([]byte(provider + "\x00")); k != nil; k, _ = c.Next() {
			e, ok := parseDue(k, provider)
			if !ok || !yield(e) {
				return
			}
		}
	}
}

// ClaimOne takes the record of one client, due or not, for work that a person asked for. ok is false if it does not
// exist or is claimed already.
func (s *Store) ClaimOne(
	ctx context.Context, now time.Time, id, owner string, lease time.Duration,
) (r credential.Record, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[id].held(now) {
		return credential.Record{}, false, ctx.Err()
	}
	if r, ok, err = s.Get(ctx, id); err != nil || !ok {
		return credential.Record{}, false, err
	}
	s.claims[id] = claim{owner: owner, until: now.Add(lease), provider: r.Client.Provider, due: r.Due}
	return r, true, nil
}

// Release gives a claim free without a commit. It does nothing if owner does not hold it.
func (s *Store) Release(id, owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[id].owner == owner {
		delete(s.claims, id)
	}
}

// settleClaim follows a commit: the claim ends, or goes on for the record as it stands now. It runs under mu.
func (s *Store) settleClaim(p *prepared) {
	held, ok := s.claims[p.from()]
	if !ok {
		return
	}
	delete(s.claims, p.from())
	if p.keep && !p.archive {
		held.provider, held.due = p.provider, p.due
		s.claims[p.id] = held
	}
}

// NextDue returns when Claim can next take a record of a provider: the due time of its earliest free record, or the end
// of a claim if that is earlier. ok is false if nothing of it will ever be due.
func (s *Store) NextDue(ctx context.Context, provider string) (at time.Time, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	head, ok := s.heads[provider]
	if !ok {
		return time.Time{}, false, ctx.Err()
	}
	if _, claimed := s.claims[head.id]; !claimed {
		return head.at, true, ctx.Err()
	}
	err = s.view(ctx, func(t *txn) error {
		for e := range t.dueEntries(provider) {
			if _, claimed := s.claims[e.id]; !claimed {
				at, ok = e.at, true
				return nil
			}
		}
		at, ok = time.Time{}, false
		return nil
	})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("asking what is due at %s: %w", provider, err)
	}
	for _, c := range s.claims {
		if wake, due := c.wake(); c.provider == provider && due && (!ok || wake.Before(at)) {
			at, ok = wake, true
		}
	}
	return at, ok, nil
}

// Providers returns the providers with at least one record that will be due, in the order of their names.
func (s *Store) Providers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.heads))
}

// loadHeads finds the earliest due entry of each provider: one seek per provider.
func (s *Store) loadHeads(t *txn) {
	c := t.bucket(bktDue).Cursor()
	for k, _ := c.First(); k != nil; {
		provider := providerOf(k)
		if e, ok := parseDue(k, provider); ok {
			s.heads[provider] = e
		}
		k, _ = c.Seek([]byte(provider + "\x01"))
	}
	s.outdue = firstOutdue(t)
}

// touch notes that the due entries of a provider change.
func (t *txn) touch(provider string) {
	if provider == "" {
		return
	}
	if t.touched == nil {
		t.touched = make(map[string]struct{})
	}
	t.touched[provider] = struct{}{}
}

// findHeads looks up what the next due entries are once this transaction is durable.
func (t *txn) findHeads() {
	heads := make(map[string]*dueEntry, len(t.touched))
	for provider := range t.touched {
		heads[provider] = nil
		for e := range t.dueEntries(provider) {
			heads[provider] = &e
			break
		}
	}
	outdue := firstOutdue(t)
	t.onCommit(func() {
		t.store.outdue = outdue
		for provider, head := range heads {
			if head == nil {
				delete(t.store.heads, provider)
			} else {
				t.store.heads[provider] = *head
			}
		}
	})
}

func firstOutdue(t *txn) time.Time {
	if k, _ := t.bucket(bktOutdue).Cursor().First(); len(k) > timeLength {
		return parseTimeKey(string(k[:timeLength]))
	}
	return time.Time{}
}

// providerOf returns the first part of a due key.
func providerOf(k []byte) string {
	for i, b := range k {
		if b == 0 {
			return string(k[:i])
		}
	}
	return string(k)
}
