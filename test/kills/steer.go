package kills

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/kills/wire"
)

// plan is how one life of the daemon is to end.
type plan struct {
	armed []pair
	trap  *pair // at most one request
	nth   int   // the how-manieth time of an armed point
	delay time.Duration
	age   time.Duration // before this only what waits for an unknown create is armed
	limit time.Duration // after this the driver kills
}

// Lives. A short one ends at a random moment; in a long one an unknown create is settled.
const (
	shortest = 60 * time.Millisecond
	short    = 2500 * time.Millisecond
	armed    = 3500 * time.Millisecond
	settling = 7500 * time.Millisecond // deadline, propagation and the life of a fence have passed, and it was asked again
	long     = 10 * time.Second
)

// next plans a life. Patience says that somebody has to be given time: an unknown create waits to be settled, or a
// previous secret ends soon.
func (c *campaign) next(w *killed, r *rand.Rand, patience bool) plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	chased := c.chased(w)
	if len(chased) > 0 && !patience {
		patience = r.IntN(chaseOne) == 0
	}
	p := plan{nth: 1, delay: time.Duration(r.Int64N(int64(4 * time.Millisecond))), limit: armed}
	if patience {
		p.limit, p.age = long, settling
	}
	if !patience && r.IntN(4) == 0 { // a random moment
		early := r.Float64() // squared: most happens soon after a start, when all that is due begins at once
		p.limit = shortest + time.Duration(early*early*float64(short))
		return p
	}
	if !patience && r.IntN(12) == 0 { // what every client passes is passed all the time: it is armed alone
		all := nobodys()
		p.armed, p.nth = []pair{all[r.IntN(len(all))]}, 1+r.IntN(passes)
		return p
	}
	if !patience && r.IntN(5) == 0 {
		p.nth = 1 + r.IntN(3)
	}
	c.choose(&p, w, r, patience, chased)
	return p
}

// passes is how often a busy world passes a point in a life, about.
const passes = 60

// most is how many points are armed at once, so that one of them is soon reached.
const most = 5

// choose arms the points that were hit least, each of another kind. In a long life the chased ones come first, and no
// other slow one, or it would end that life before they are reached.
func (c *campaign) choose(p *plan, w *killed, r *rand.Rand, patience bool, chased []pair) {
	type scored struct {
		pair
		score float64
	}
	var list []scored
	for _, candidate := range pairsOf(w.kinds) {
		if candidate.slow() && !patience && r.IntN(6) != 0 || candidate.startOnly() != (w.kill < 2) {
			continue
		}
		score, chase := c.score(candidate, w)+r.Float64()/2, slices.Contains(chased, candidate)
		switch {
		case patience && chase:
			score -= 100
		case patience && len(chased) > 0 && candidate.slow():
			continue
		}
		list = append(list, scored{candidate, score})
	}
	slices.SortFunc(list, func(a, b scored) int {
		switch {
		case a.score < b.score:
			return -1
		case a.score > b.score:
			return 1
		}
		return 0
	})
	used := map[string]bool{}
	for _, s := range list {
		if len(p.armed) == most {
			break
		}
		if used[s.kind] {
			continue
		}
		if strings.HasPrefix(s.point, requestPoint) {
			if p.trap == nil && !patience {
				p.trap = &s.pair
				used[s.kind] = true
			}
			continue
		}
		p.armed = append(p.armed, s.pair)
		used[s.kind] = true
	}
}

// score is low for what is needed most: points, modes and servers that were killed least, as shares of what is wanted.
// A pair that was armed often and never reached falls back, but for a request: the one trap of a life is in nobody's way.
func (c *campaign) score(p pair, w *killed) float64 {
	t := &c.tally
	missed := float64(t.tried[p]-t.pairs[p]) / 20
	if strings.HasPrefix(p.point, requestPoint) {
		missed = min(1, missed)
	}
	score := 3*min(1, float64(t.point(p.point))/float64(perPoint)) + missed
	if t.point(p.point) >= perPoint { // before that it does not matter at which kind
		score += float64(t.pairs[p]) / 5
	}
	k, ok := w.kindNamed(p.kind)
	if !ok {
		return score
	}
	if k.mode == credential.ModeTwoSlot && p.orphans() && c.orphansWanted() {
		score -= 2
	}
	share := float64(t.modes[k.mode]) / float64(c.wantMode())
	if k.server != "" {
		share = min(share, float64(t.servers[k.server])/float64(c.wantServer()))
	}
	if share < 1.1*float64(t.kills)/float64(c.kills) { // it would not come to its share by the end
		score -= 2
	}
	return score + 4*share
}

func (w *killed) kindNamed(name string) (kind, bool) {
	i := slices.IndexFunc(w.kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, false
	}
	return w.kinds[i], true
}

// spec writes the plan for $ROTAD_FAILPOINTS.
func (p plan) spec() string {
	var list []string
	for _, a := range p.armed {
		point, later := strings.CutSuffix(a.point, "+")
		client := ""
		if a.kind != "" {
			client = "@" + a.kind + "-"
		}
		one := fmt.Sprintf("%s%s#%d", point, client, p.nth)
		if later {
			one += "+" + p.delay.String()
		}
		if !a.slow() {
			one += "~" + p.age.String()
		}
		list = append(list, one)
	}
	return strings.Join(list, ";")
}

// request writes the plan's trap.
func (p plan) request(pid int) wire.Trap {
	if p.trap == nil {
		return wire.Trap{}
	}
	operation, when, _ := strings.Cut(strings.TrimPrefix(p.trap.point, requestPoint), "-")
	part := "/" + p.trap.kind + "/"
	if p.trap.kind == "entra" || p.trap.kind == "telicent" || p.trap.kind == "blind" {
		part = p.trap.kind + "-"
	}
	return wire.Trap{Pid: pid, Kind: part, Operation: operation, When: when}
}
