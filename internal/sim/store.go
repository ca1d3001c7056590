package sim

import (
	"context"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
)

// store holds the one client. Commits are calls of the model, so that the process can die before and after them.
type store struct {
	world   *model.World
	rec     credential.Record
	mark    time.Time
	told    []credential.Notice // each once
	audit   []credential.Audit
	gone    bool
	backups [backupsKept]backup // what a backup of each earlier moment would hold: a ring
	saved   int                 // how many have been made

	committed func(conflict bool) // after every commit that a daemon made or tried
}

type backup struct {
	rec  credential.Record
	mark time.Time
}

// backupsKept is how many earlier states can be restored.
const backupsKept = 8

// Claim is not used: a simulation hands the record out by itself.
func (s *store) Claim(context.Context, time.Time, string, int, string, time.Duration) ([]credential.Record, error) {
	return nil, nil
}

// Providers is not used, like Claim.
func (s *store) Providers() []string { return nil }

// Hasten lets the record fall due if it is due later.
func (s *store) Hasten(_ context.Context, to time.Time) error {
	if s.rec.Due.After(to) {
		s.rec.Due, s.rec.DueFor = to, "clock"
		s.rec.Rev++
	}
	return nil
}

// NextDue returns when the record is due.
func (s *store) NextDue(context.Context, string) (time.Time, bool, error) {
	return s.rec.Due, !s.rec.Due.IsZero(), nil
}

// Commit makes a change if nobody was faster.
func (s *store) Commit(_ context.Context, c credential.Change) (credential.Record, bool, error) {
	conflict := false
	s.world.Commit(func() {
		if conflict = c.Record.Rev != s.rec.Rev || s.gone; !conflict {
			s.take(c)
		}
	})
	if s.committed != nil {
		s.committed(conflict)
	}
	return s.rec, conflict, nil
}

// take makes a change without a fault: what people commit is not a point of its own.
func (s *store) take(c credential.Change) {
	s.backups[s.saved%backupsKept] = backup{s.rec, s.mark}
	s.saved++
	s.rec = c.Record
	s.rec.Rev++
	s.gone = c.Archive
	if !c.Watermark.IsZero() {
		s.mark = c.Watermark
	}
	s.audit = append(s.audit, c.Audit...)
	for i := range c.Notices {
		if key := c.Notices[i].Key; !slices.ContainsFunc(s.told, func(n credential.Notice) bool { return n.Key == key }) {
			s.told = append(s.told, c.Notices[i])
		}
	}
}

// restore takes an earlier state, as an old backup does. Back counts commits.
func (s *store) restore(back int) {
	if s.saved == 0 {
		return
	}
	b := s.backups[(s.saved-min(back, s.saved, backupsKept))%backupsKept]
	s.rec, s.mark = b.rec, b.mark
}
