package kills

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// campaign is a whole run: what is wanted, and what all worlds have done.
type campaign struct {
	seed            uint64
	kills           int // wanted
	daemonProgram   string
	providerProgram string

	mu    sync.Mutex
	begun int // kills that were given out
	tally tally
}

// At full size every failpoint is hit so often, and so many kills fall on each mode and on each real server.
const (
	perPoint  = 20
	perMode   = 1000
	perServer = 500
	fullSize  = 10000
)

func (c *campaign) wantMode() int   { return max(1, perMode*c.kills/fullSize) }
func (c *campaign) wantServer() int { return max(1, perServer*c.kills/fullSize) }

// tally counts.
type tally struct {
	kills   int
	random  int
	pairs   map[pair]int
	tried   map[pair]int
	modes   map[credential.Mode]int // kills in a step of a client of this mode
	servers map[string]int          // the same, of a real server
	flight  map[credential.Mode]int // kills with a rotation of this mode under way
	flights []int                   // rotations under way, per kill
	ends    map[credential.Mode][]time.Duration
	quiet   []time.Duration // from a world's last kill until all was quiet
	looks   []time.Duration // of a look at what was left
	lives   []time.Duration // of the daemon
	resumed int             // holds that a person resolved
	logins  int
	worlds  int
	clients int // asked at the ends of worlds
	cost    costs
}

func newTally() tally {
	return tally{
		pairs: map[pair]int{}, tried: map[pair]int{}, modes: map[credential.Mode]int{}, servers: map[string]int{},
		flight: map[credential.Mode]int{}, ends: map[credential.Mode][]time.Duration{}, cost: costs{},
	}
}

// point sums up a point over all kinds.
func (t *tally) point(name string) (n int) {
	for p, hits := range t.pairs {
		if p.point == name {
			n += hits
		}
	}
	return n
}

// take gives out one kill; false = there are enough.
func (c *campaign) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.enough() {
		return false
	}
	c.begun++
	return true
}

// enough says whether no more kills are given out. Where chance has left a mode or a point short of its share, a run at
// full size goes on, by a tenth at most: after that the steering is what is wrong.
func (c *campaign) enough() bool {
	if c.begun < c.kills {
		return false
	}
	return c.kills < fullSize || c.begun >= c.kills+c.kills/10 || c.complete()
}

// complete says whether every mode, server and point has had its share.
func (c *campaign) complete() bool {
	for _, m := range modes() {
		if c.tally.modes[m] < c.wantMode() {
			return false
		}
	}
	for _, s := range realServers() {
		if c.tally.servers[s] < c.wantServer() {
			return false
		}
	}
	least, _ := c.least(points(slices.Concat(kinds(), keycloakKinds())))
	return least >= perPoint
}

// realServers are the servers that have a share of their own.
func realServers() []string { return []string{"keycloak", "approle"} }

// count notes a kill.
func (c *campaign) count(w *killed, p plan, d death, flight []credential.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.tally
	t.kills++
	for _, a := range p.armed {
		t.tried[a]++
	}
	if p.trap != nil {
		t.tried[*p.trap]++
	}
	if d.point == "" {
		t.random++
	} else {
		t.pairs[d.pair]++
	}
	if k, ok := w.kindNamed(d.kind); ok {
		t.modes[k.mode]++
		t.servers[k.server]++
	}
	modes := map[credential.Mode]bool{}
	for _, rec := range flight {
		modes[rec.Rotation.Caps.Mode] = true
	}
	for m := range modes {
		t.flight[m]++
	}
	t.flights = append(t.flights, len(flight))
	t.lives = append(t.lives, d.lived)
}

// settled notes how long after a kill a rotation that it interrupted came to its end.
func (c *campaign) settled(m credential.Mode, after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.ends[m] = append(c.tally.ends[m], after)
}

// looked notes how long a look at what was left has taken.
func (c *campaign) looked(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.looks = append(c.tally.looks, took)
}

// resumed counts a hold that a person was asked to resolve.
func (c *campaign) resumed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.resumed++
}

// rested notes a world at rest.
func (c *campaign) rested(after time.Duration, clients int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.quiet = append(c.tally.quiet, after)
	c.tally.clients += clients
}

// random returns the dice of a world.
func (c *campaign) random(number int) *rand.Rand {
	return rand.New(rand.NewPCG(c.seed, uint64(number)))
}

// median returns the middle and the largest of a list.
func median[T int | time.Duration](list []T) (middle, largest T) {
	if len(list) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2], sorted[len(sorted)-1]
}

// points are the names of all points of all kinds.
func points(list []kind) []string {
	names := map[string]bool{}
	for _, p := range append(nobodys(), pairsOf(list)...) {
		names[p.point] = true
	}
	return slices.Sorted(maps.Keys(names))
}
