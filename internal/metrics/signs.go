package metrics

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// signs are the moments that no store keeps. Zero times are not known yet, and are not shown.
type signs struct {
	mu       sync.Mutex
	turned   time.Time     // the loop's last turn, on the wall clock
	beat     time.Duration // the same, on the monotonic clock; at first, when this process began
	loaded   bool          // a configuration has been loaded, or refused
	good     bool          // the last one was taken
	loadedAt time.Time     // when one was last taken

	providers []string             // configured ones
	looks     map[string]time.Time // by provider: the last successful look at one of its clients
}

// begin counts the silence of the loop from now on.
func (s *signs) begin(elapsed time.Duration) { s.beat = elapsed }

// shown is what a scrape sees of the signs.
type shown struct {
	turned, loadedAt time.Time
	loaded, good     bool
	looks            map[string]time.Time
}

func (s *signs) show() shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	return shown{turned: s.turned, loadedAt: s.loadedAt, loaded: s.loaded, good: s.good, looks: maps.Clone(s.looks)}
}

// looked notes a look at a client of a provider. Commits of several clients may come in any order.
func (s *signs) looked(provider string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !at.After(s.looks[provider]) {
		return
	}
	if s.looks == nil {
		s.looks = make(map[string]time.Time)
	}
	s.looks[provider] = at
}

// configured takes the list of configured providers and returns those that are no longer on it.
func (s *signs) configured(names []string) (gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range s.providers {
		if !slices.Contains(names, name) {
			gone = append(gone, name)
			delete(s.looks, name)
		}
	}
	s.providers = slices.Clone(names)
	return gone
}

// Heartbeat says that the loop has turned.
func (m *Metrics) Heartbeat() {
	now, elapsed := m.options.Now(), m.options.Elapsed()
	m.signs.mu.Lock()
	defer m.signs.mu.Unlock()
	m.signs.turned, m.signs.beat = now, elapsed
}

// Silence returns how long ago the loop last turned, on the monotonic clock, so that a changed wall clock neither feigns
// nor hides it. Before the first turn it counts from New.
func (m *Metrics) Silence() time.Duration {
	elapsed := m.options.Elapsed()
	m.signs.mu.Lock()
	defer m.signs.mu.Unlock()
	return max(0, elapsed-m.signs.beat)
}

// Reloaded says whether a configuration was taken, also the first one. A refused one leaves the time of the one in use.
func (m *Metrics) Reloaded(ok bool) {
	now := m.options.Now()
	m.signs.mu.Lock()
	defer m.signs.mu.Unlock()
	m.signs.loaded, m.signs.good = true, ok
	if ok {
		m.signs.loadedAt = now
	}
}
