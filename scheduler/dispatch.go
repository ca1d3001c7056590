package scheduler

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// dispatch gives due records to free workers, provider by provider.
func (s *Scheduler) dispatch(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	for _, name := range s.Store.Providers() {
		s.fill(ctx, name)
		s.start(ctx, name)
	}
}

// fill claims due records for a provider whose queue is empty.
func (s *Scheduler) fill(ctx context.Context, name string) {
	now := s.Now()
	if due, ok := s.nextDue(ctx, name); !ok || due.After(now) || s.full(name) {
		return
	}
	s.claiming.Add(1)
	defer s.claiming.Add(-1)
	claimed, err := s.Store.Claim(ctx, now, name, claimAtOnce, s.Boot, lease)
	if err != nil {
		s.Log.Error("records that cannot be read are left alone", "provider", name, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(name)
	for _, rec := range claimed {
		if w := s.running[rec.Client.ID]; w != nil && !w.over {
			continue // it outlives its lease; its last commit gives this claim free
		}
		s.running[rec.Client.ID] = &work{}
		l.queue = append(l.queue, rec)
		s.late(name, now.Sub(rec.Due))
	}
	slices.SortStableFunc(l.queue, byUrgency)
}

func (s *Scheduler) late(provider string, lag time.Duration) {
	if s.Watch != nil {
		s.Watch.Late(provider, lag)
	}
}

// lane returns a provider's lane; the lock is held.
func (s *Scheduler) lane(name string) *lane {
	l := s.lanes[name]
	if l == nil {
		l = &lane{}
		s.lanes[name] = l
	}
	return l
}

// byUrgency puts rotations under way first, then what expires soonest.
func byUrgency(a, b credential.Record) int {
	if (a.Rotation != nil) != (b.Rotation != nil) {
		if a.Rotation != nil {
			return -1
		}
		return 1
	}
	ea, eb := rotation.Ends(a), rotation.Ends(b)
	switch {
	case ea.IsZero() && eb.IsZero():
		return 0
	case ea.IsZero():
		return 1
	case eb.IsZero():
		return -1
	}
	return ea.Compare(eb)
}

// start lets free workers of a provider take from its queue.
func (s *Scheduler) start(ctx context.Context, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(name)
	for l.busy < s.workersPerProvider() && len(l.queue) > 0 {
		rec := l.queue[0]
		l.queue = l.queue[1:]
		l.busy++
		s.workers.Go(func() { s.work(ctx, name, rec) })
	}
}

// work takes one record as far as it goes now, then makes room.
func (s *Scheduler) work(ctx context.Context, name string, rec credential.Record) {
	defer s.Wake()
	mine := s.workOn(rec.Client.ID)
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lane(name).busy--
		if s.running[rec.Client.ID] == mine {
			delete(s.running, rec.Client.ID)
		}
	}()
	if ctx.Err() != nil {
		return
	}
	err := s.process(ctx, rec)
	switch {
	case errors.Is(err, ErrNothing):
		s.Log.Warn("the record was left alone", "client", rec.Client.ID, "error", err)
	case err != nil:
		s.fail(err)
	}
}

func (s *Scheduler) workOn(id string) *work {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[id]
}

// last says whether the commit that follows is the last one of the work on a record.
func (s *Scheduler) last(id string, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.running[id]; w != nil {
		w.over = last
	}
}
