package power_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/world"
)

// cuts are the figures of live cuts.
type cuts struct {
	mu       sync.Mutex
	left     int // to be made
	cuts     int
	within   int // while something was not fsynced
	pieces   int // that were not fsynced
	lost     int // of those
	halves   int // cuts after which the commit under way was lost, not kept
	underway int // rotations under way, all cuts together
	flying   int // cuts with at least one
	rests    int
}

// perRest is how many cuts a machine lives through before it is let come to rest.
const perRest = 5

// TestLiveCuts cuts the power of machines whose daemons rotate all the time, and starts them again on what their disks
// have kept, beside a Vault and providers that have gone on.
func TestLiveCuts(t *testing.T) {
	began := time.Now()
	c := &cuts{left: number(t, "ROTAD_POWER_CUTS", 20)}
	figures.cuts = c
	machines := min(4, 1+c.left/20)
	var all sync.WaitGroup
	for i := range machines {
		all.Go(func() {
			t.Run(fmt.Sprintf("machine-%d", i+1), func(t *testing.T) {
				m := newMachine(newFleet(world.New(t, shared, fmt.Sprintf("power-%d", i+1)), 3))
				c.live(m, rand.New(rand.NewPCG(seed(t), uint64(i))))
			})
		})
	}
	all.Wait()
	t.Logf("%d cuts (%d with something not fsynced: %d of %d pieces lost, %d times the commit under way), %d with rotations under way (%.1f each), %d rests, in %s",
		c.cuts, c.within, c.lost, c.pieces, c.halves, c.flying, float64(c.underway)/float64(max(1, c.cuts)), c.rests, time.Since(began).Round(time.Second))
}

// take gives out a cut; false = there are enough.
func (c *cuts) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	return c.left >= 0
}

// live cuts until there are enough. Whatever the machine has left behind is searched for every secret that was seen.
func (c *cuts) live(m *machine, random *rand.Rand) {
	for n := 1; c.take() && !m.T.Failed(); n++ {
		if err := c.cut(m, random); err != nil {
			m.T.Errorf("seed %d, %s, cut %d: kept as %s: %v\n%s", seed(m.T), m.Name, n, keepImage(m.disk.Now()), err, m.process.LogTail(5))
			return
		}
		if n%perRest == 0 {
			c.rest(m, n)
		}
	}
	if !m.T.Failed() {
		c.rest(m, -1)
		m.copyOut()
		m.CheckLeaks()
	}
}

// cut lets the machine run a while and pulls the plug.
func (c *cuts) cut(m *machine, random *rand.Rand) error {
	ctx := m.T.Context()
	m.start()
	if m.pressed {
		if err := m.publish(ctx); err != nil {
			return err
		}
	}
	m.pull(1+random.IntN(400), time.Duration(300+random.IntN(2500))*time.Millisecond)
	if code := m.process.ExitCode(); code != -1 {
		return fmt.Errorf("the daemon ended by itself with code %d", code)
	}
	floor, ceiling := m.disk.Durable(), m.disk.Now()
	survived, lost, of := m.disk.Cut(random)
	m.eject()
	m.insert(survived)
	kept, err := m.legal(ctx, floor, survived, ceiling)
	if err != nil {
		return err
	}
	known, err := power.Read(ctx, survived, stateName, m.scratch)
	if err != nil {
		return err
	}
	m.pressed = slices.ContainsFunc(slices.Collect(maps.Values(known.Records)), pressed)
	flying := underway(known)
	c.mu.Lock()
	c.cuts++
	c.pieces += of
	c.lost += lost
	c.underway += flying
	if of > 0 {
		c.within++
	}
	if !kept {
		c.halves++
	}
	if flying > 0 {
		c.flying++
	}
	c.mu.Unlock()
	return errors.Join(m.ask(ctx, known, oracle.Moment), m.acts())
}

// legal says whether what survived is sound and holds either what was durable or that and the commit under way, and
// which of them.
func (m *machine) legal(ctx context.Context, floor, survived, ceiling *power.Volume) (kept bool, err error) {
	var sums [3]power.Sum
	for i, v := range []*power.Volume{floor, survived, ceiling} {
		verdict, err := power.Judge(ctx, v, stateName, m.scratch)
		if err := errors.Join(err, verdict.Refused); err != nil {
			return false, fmt.Errorf("image %d of the durable, the survived and the whole disk: %w", i+1, err)
		}
		sums[i] = verdict.Sum
	}
	if sums[1] != sums[0] && sums[1] != sums[2] {
		return false, errors.New("it holds neither what was acknowledged nor that and the commit under way")
	}
	return sums[1] == sums[2], nil
}

// restLimit is how long a machine may take to come to rest.
const restLimit = 80 * time.Second

// rest lets the machine run until nothing moves, and asks what must be true then.
func (c *cuts) rest(m *machine, n int) {
	ctx := m.T.Context()
	err := m.rest(restLimit)
	if err == nil {
		var known power.Known
		if known, err = power.Read(ctx, m.disk.Durable(), stateName, m.scratch); err == nil {
			err = m.ask(ctx, known, whole)
		}
	}
	if err = errors.Join(err, m.acts()); err != nil {
		m.T.Errorf("seed %d, %s, at rest after cut %d: kept as %s: %v", seed(m.T), m.Name, n, keepImage(m.disk.Now()), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rests++
}
