package kills

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/test/world"
)

// Settings are the size of a run.
type Settings struct {
	Kills  int    // in all worlds together
	Seed   uint64 // of what is left to chance: which points are armed, and when a random moment comes
	Worlds int    // side by side
}

// Run kills as often as asked, in worlds side by side, one after the other, and reports.
func Run(t *testing.T, shared *world.Run, s Settings) {
	t.Helper()
	began, before := time.Now(), own()
	c := &campaign{
		seed: s.Seed, kills: s.Kills, tally: newTally(),
		daemonProgram:   build(t, shared.Root, "./cmd/rotad", "-tags", "failpoints"),
		providerProgram: build(t, shared.Module, "./kills/provider"),
	}
	if s.Worlds > 1 {
		shared.Keycloak(t) // before any world, or those without it would do all the work meanwhile
	}
	var worlds atomic.Int64
	var slots sync.WaitGroup
	for slot := range s.Worlds {
		slots.Go(func() {
			for c.wanted() && !t.Failed() {
				number := int(worlds.Add(1))
				t.Run(fmt.Sprintf("world-%d", number), func(t *testing.T) {
					share := max(8, (s.Kills+s.Worlds-1)/s.Worlds)
					c.play(world.NewInMemory(t, shared, fmt.Sprintf("kills-%d", number)), number, min(perWorld, share), withKeycloak(slot))
				})
			}
		})
	}
	slots.Wait()
	c.spent(costDriver, own()-before)
	if s.Worlds > 1 {
		c.spent(costKeycloak, shared.Keycloak(t).CPU())
	}
	c.report(t, time.Since(began))
}

// withKeycloak: one world in four lives beside Keycloak, which costs much more than the sandbox.
func withKeycloak(slot int) bool { return slot%4 == 1 }

// wanted says whether kills are left to be given out.
func (c *campaign) wanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.enough()
}

// build builds a program once for all worlds.
func build(t *testing.T, dir, pkg string, flags ...string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), filepath.Base(pkg))
	args := append(append([]string{"build"}, flags...), "-o", target, pkg)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return target
}
