package kills

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/proof"
)

// modes in the order of the report.
func modes() []credential.Mode {
	return []credential.Mode{
		credential.ModeTwoSlot, credential.ModeCaller, credential.ModeGraceWindow, credential.ModeHardCutover, credential.ModeManual,
	}
}

// report prints what was done, and hands the figures of a run at full size to the proof.
func (c *campaign) report(t *testing.T, took time.Duration) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	figures := c.figures(!t.Failed())
	var text strings.Builder
	for _, f := range figures {
		fmt.Fprintf(&text, "%-55s %-40s %s\n", f.Name, f.Value, f.Goal)
	}
	t.Logf("%d kills in %d worlds, %s\n%s\nkills per point:\n%s", c.tally.kills, c.tally.worlds, took.Round(time.Second), &text, c.histogram())
	if c.kills < fullSize {
		return
	}
	for _, f := range figures {
		if !f.OK {
			t.Errorf("%s: %s, want %s", f.Name, f.Value, f.Goal)
		}
	}
	if err := proof.Write("kills", proof.Result{Seeds: fmt.Sprint(c.seed), Took: took, Figures: figures}); err != nil {
		t.Error(err)
	}
}

// figures are the measurements beside their goals.
func (c *campaign) figures(whole bool) []proof.Figure {
	t := &c.tally
	var list []proof.Figure
	add := func(ok bool, name, goal, value string, args ...any) {
		list = append(list, proof.Figure{Name: name, Value: fmt.Sprintf(value, args...), Goal: goal, OK: ok})
	}
	add(t.kills >= c.kills, "kills", fmt.Sprintf(">= %d", c.kills), "%d (%d at random moments)", t.kills, t.random)
	for _, m := range modes() {
		add(t.modes[m] >= c.wantMode(), "kills inside a step, "+string(m), fmt.Sprintf(">= %d", c.wantMode()),
			"%d (%d with one under way)", t.modes[m], t.flight[m])
	}
	for _, s := range realServers() {
		add(t.servers[s] >= c.wantServer(), "kills inside a step, real "+s, fmt.Sprintf(">= %d", c.wantServer()), "%d", t.servers[s])
	}
	names := points(slices.Concat(kinds(), keycloakKinds()))
	least, where := c.least(names)
	add(least >= perPoint || c.kills < fullSize, "kills per failpoint, least", fmt.Sprintf(">= %d", perPoint), "%d (%s), of %d points", least, where, len(names))
	middle, most := median(t.flights)
	add(middle >= 20, "rotations under way at a kill, median", ">= 20", "%d (most %d)", middle, most)
	for _, m := range modes() {
		middle, worst := median(t.ends[m])
		add(true, "from a kill to the end of the rotation, "+string(m), "", "median %s, worst %s, of %d",
			middle.Round(10*time.Millisecond), worst.Round(10*time.Millisecond), len(t.ends[m]))
	}
	quiet, worst := median(t.quiet)
	add(true, "from the last kill of a world to quiet", "", "median %s, worst %s", quiet.Round(100*time.Millisecond), worst.Round(100*time.Millisecond))
	add(whole, "invariants broken, secrets lost, orphans left", "0", "%s", map[bool]string{true: "0", false: "see the log"}[whole])
	add(true, "clients at rest in the end, logins in between", "", "%d, %d", t.clients, t.logins)
	life, longest := median(t.lives)
	add(true, "life of the daemon until it is killed", "", "median %s, worst %s", life.Round(10*time.Millisecond), longest.Round(10*time.Millisecond))
	look, longest := median(t.looks)
	add(true, "look at what a kill left, state, Vault and providers", "", "median %s, worst %s", look.Round(time.Millisecond), longest.Round(time.Millisecond))
	add(true, "time on a core per kill", "", "%s", t.cost.perKill(t.kills))
	add(true, "holds that a person had to resolve", "", "%d", t.resumed)
	return list
}

// least finds the point that was hit least.
func (c *campaign) least(names []string) (n int, where string) {
	n = -1
	for _, name := range names {
		if hits := c.tally.point(name); n < 0 || hits < n {
			n, where = hits, name
		}
	}
	return n, where
}

// histogram has a line per point, with the kinds that died there.
func (c *campaign) histogram() string {
	var text strings.Builder
	all := slices.Concat(kinds(), keycloakKinds())
	for _, name := range points(all) {
		fmt.Fprintf(&text, "%-24s %5d ", name, c.tally.point(name))
		for _, k := range all {
			if n := c.tally.pairs[pair{name, k.name}]; n > 0 {
				fmt.Fprintf(&text, " %s %d", k.name, n)
			}
		}
		fmt.Fprintln(&text)
	}
	return text.String()
}
