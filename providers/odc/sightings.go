package odc

import (
	"maps"
	"sync"
	"time"
)

// sighting is what is known of the endpoint that rotates the secret of one client.
type sighting int

// The sightings. unsure is the zero value: nobody has asked, or the answer proved nothing.
const (
	unsure sighting = iota
	present
	absent
)

// keepSighting is how long an answer counts. One that is missing today is not asked for again before tomorrow.
const keepSighting = 24 * time.Hour

// sightings remember answers in memory, by client id. A restart forgets them: then OPTIONS is sent once more.
type sightings struct {
	elapsed func() time.Duration

	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	what  sighting
	until time.Duration // on elapsed
}

func newSightings(elapsed func() time.Duration) *sightings {
	return &sightings{elapsed: elapsed, kept: map[string]kept{}}
}

// of returns what is known of a client's endpoint.
func (s *sightings) of(id string) sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.kept[id]; s.elapsed() < k.until {
		return k.what
	}
	return unsure
}

// keep remembers an answer. One that proved nothing is not remembered.
func (s *sightings) keep(id string, what sighting) {
	if what == unsure {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.elapsed()
	maps.DeleteFunc(s.kept, func(_ string, k kept) bool { return now >= k.until })
	s.kept[id] = kept{what, now + keepSighting}
}
