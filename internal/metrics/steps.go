package metrics

import (
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// mostSteps bounds the rotations that are followed at once. Those beyond are not measured.
const mostSteps = 100_000

// steps remembers in which phase each rotation under way is and since when, because a commit says only where it has come
// to. Nothing is remembered about a steady client.
type steps struct {
	mu   sync.Mutex
	open map[string]openStep // by client id
}

type openStep struct {
	rotation string
	phase    credential.Phase
	since    time.Time
}

// doneStep is a phase that a rotation has left.
type doneStep struct {
	phase credential.Phase
	took  time.Duration
}

// seen remembers the phase of a record, unless it is known.
func (s *steps) seen(rec credential.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.open[rec.Client.ID]; !known {
		s.remember(rec)
	}
}

// remember notes the phase of a record; the lock is held.
func (s *steps) remember(rec credential.Record) {
	if rec.Rotation == nil {
		delete(s.open, rec.Client.ID)
		return
	}
	if s.open == nil {
		s.open = make(map[string]openStep)
	}
	if _, known := s.open[rec.Client.ID]; known || len(s.open) < mostSteps {
		r := rec.Rotation
		s.open[rec.Client.ID] = openStep{rotation: r.ID, phase: r.Phase, since: r.Since}
	}
}

// follow returns the step that a change has ended, if it has ended one that is known.
func (s *steps) follow(change credential.Change) (done doneStep, ok bool) {
	rec := change.Record
	s.mu.Lock()
	defer s.mu.Unlock()
	if change.Rename != "" {
		s.rename(change.Rename, rec.Client.ID)
	}
	was, known := s.open[rec.Client.ID]
	if known && was.rotation == rotationOf(rec) && was.phase == rec.Phase() {
		return doneStep{}, false
	}
	s.remember(rec)
	if change.Archive {
		delete(s.open, rec.Client.ID)
	}
	if !known {
		return doneStep{}, false
	}
	end := rec.Last.At // of the rotation that the change has ended
	if r := rec.Rotation; r != nil && r.ID == was.rotation {
		end = r.Since
	} else if rec.Last.Rotation != was.rotation {
		return doneStep{}, false // it ended where nobody saw it
	}
	return doneStep{phase: was.phase, took: max(0, end.Sub(was.since))}, true
}

func (s *steps) rename(from, to string) {
	if was, known := s.open[from]; known {
		delete(s.open, from)
		s.open[to] = was
	}
}

func rotationOf(rec credential.Record) string {
	if rec.Rotation == nil {
		return ""
	}
	return rec.Rotation.ID
}
