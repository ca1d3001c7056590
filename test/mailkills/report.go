package mailkills

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/proof"
)

// fullSize is from how many kills on a run is part of the proof.
const fullSize = 1000

// verdict is what came of it.
type verdict struct {
	received, lost, foreign int
	doubled                 int // mails that came more than once
	again                   int // copies beside the first
	unexplained             int // of these: more than kills have exposed the mail
	mostCopies              int // of one mail
	whole                   bool
}

// judge compares what people got with what was owed to them.
func (c *campaign) judge() (v verdict) {
	c.T.Helper()
	c.count()
	v.received = c.counted
	for id := range c.owed {
		if c.copies[id] == 0 {
			v.lost++
			c.T.Errorf("the mail %s never came", id)
		}
	}
	for id, n := range c.copies {
		if !c.owed[id] {
			v.foreign++
			c.T.Errorf("nobody has planned the mail %s", id)
		}
		v.mostCopies = max(v.mostCopies, n)
		if n > 1 {
			v.doubled++
			v.again += n - 1
		}
		if extra := n - 1 - c.exposed[id]; extra > 0 {
			v.unexplained += extra
			c.T.Errorf("the mail %s came %d times, and %d kills explain that", id, n, c.exposed[id])
		}
	}
	err := c.settled(c.T.Context())
	if v.whole = err == nil; err != nil {
		c.T.Error(err)
	}
	return v
}

// report prints what was done, and returns the figures.
func (c *campaign) report(v verdict) []proof.Figure {
	t := c.T
	t.Helper()
	figures := c.figures(v)
	var text strings.Builder
	for _, f := range figures {
		fmt.Fprintf(&text, "%-60s %-30s %s\n", f.Name, f.Value, f.Goal)
		if !f.OK {
			t.Errorf("%s: %s, want %s", f.Name, f.Value, f.Goal)
		}
	}
	for _, point := range slices.Sorted(maps.Keys(c.points)) {
		fmt.Fprintf(&text, "%-20s %d kills\n", point, c.points[point])
	}
	t.Logf("\n%s", &text)
	return figures
}

// figures are the measurements beside their goals.
func (c *campaign) figures(v verdict) []proof.Figure {
	var list []proof.Figure
	add := func(ok bool, name, goal, value string, args ...any) {
		list = append(list, proof.Figure{Name: c.name + ": " + name, Value: fmt.Sprintf(value, args...), Goal: goal, OK: ok})
	}
	kills := len(c.lives)
	add(kills >= c.kills, "kills while mails were due", fmt.Sprintf(">= %d", c.kills), "%d (%d by the driver, after so many mails)", kills, c.points[atRandom])
	least, where := c.least()
	add(least > 0 || kills < fullSize, "kills per place, least", "> 0", "%d (%s), of %d places", least, where, len(places))
	add(c.notices > 0, "notices planned, mails owed for them", "> 0", "%d, %d", c.notices, len(c.owed))
	add(v.received >= len(c.owed), "mails received", fmt.Sprintf(">= %d", len(c.owed)), "%d", v.received)
	add(v.lost == 0, "lost", "0", "%d", v.lost)
	add(v.again <= kills*c.exposes, "doubled: copies beside the first", fmt.Sprintf("<= %d", kills*c.exposes), "%d (of %d mails)", v.again, v.doubled)
	add(v.unexplained == 0, "copies that no kill explains", "0", "%d", v.unexplained)
	add(v.foreign == 0, "mails that nobody planned", "0", "%d", v.foreign)
	add(c.most <= c.exposes, "mails that one kill exposed, most", fmt.Sprintf("<= %d", c.exposes), "%d", c.most)
	add(true, "copies of one mail, most", "", "%d", v.mostCopies)
	add(v.whole, "notices that the state knows as sent in the end", "all", "%s", map[bool]string{true: "all", false: "see the log"}[v.whole])
	sorted := slices.Sorted(slices.Values(c.lives))
	add(true, "life of the daemon, median", "", "%s", sorted[len(sorted)/2].Round(time.Millisecond))
	return list
}

// least is the place that was hit least.
func (c *campaign) least() (n int, where string) {
	n = -1
	for _, place := range places {
		if hits := c.points[place]; n < 0 || hits < n {
			n, where = hits, place
		}
	}
	return n, where
}
