package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// absence takes the directory of a destination away for a day, from the moment at which Vault hands out the new secret.
type absence struct {
	dir, away  string
	from, back time.Time
	caught     time.Time // when the copy was made
	err        error
}

func (a *absence) committed(now time.Time, change credential.Change) {
	if change.Record.Client.ID == demoBFF {
		delivered := slices.ContainsFunc(change.Audit, func(one credential.Audit) bool { return one.Event == credential.EventDelivered })
		if delivered && !a.from.IsZero() && a.caught.IsZero() {
			a.caught = now
		}
		if a.from.IsZero() && change.Record.Phase() == credential.PhaseOverlap {
			a.from = now
			a.err = os.Rename(a.dir, a.away)
		}
	}
	if !a.from.IsZero() && a.back.IsZero() && now.Sub(a.from) >= 24*time.Hour {
		a.back = now
		a.err = os.Rename(a.away, a.dir)
	}
}

// TestADestinationIsAwayForADay plays the demo while one place that gets a copy cannot be written for a day: nobody else notices,
// nobody is refused, its owner is told once, and it has the new secret as soon as it is back.
func TestADestinationIsAwayForADay(t *testing.T) {
	begin := demoBegin(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	dir := t.TempDir()
	world, err := newDemoWorld(t.Context(), newDemoClock(begin), dir)
	if err != nil {
		t.Fatal(err)
	}
	all := watchLives(t, world)
	a := &absence{dir: filepath.Join(dir, "run", "secrets"), away: filepath.Join(dir, "run", "away")}
	world.seen = func(change credential.Change) {
		all.committed(change)
		a.committed(world.clock.now(), change)
	}
	var out, errOut bytes.Buffer
	play := &app{out: &out, err: &errOut, json: true}
	if err := play.playIn(t.Context(), world, begin, 100*demoDay, demoFlags{once: true, dir: dir, limit: 5 * time.Minute, haste: 20}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if err := world.close(); err != nil {
		t.Error(err)
	}
	if a.err != nil || a.back.IsZero() {
		t.Fatalf("from %s to %s, %v", a.from, a.back, a.err)
	}
	events := map[string]string{}
	lines := readDemo(t, out.String())
	for _, line := range lines {
		events[line.Client] += " " + line.Event
	}
	if last := lines[len(lines)-1]; last.Violations == nil || *last.Violations != 0 {
		t.Errorf("the summary: %+v", last)
	}
	golden, err := os.ReadFile(filepath.Join("testdata", "demo-events.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for client, got := range events {
		if client != "" && !strings.Contains(string(golden), client+":"+got+"\n") {
			t.Errorf("%s lives otherwise than without the outage:%s", client, got)
		}
	}
	if a.caught.Before(a.back) || a.caught.Sub(a.back) > time.Hour {
		t.Errorf("back at %s, and the new secret was there at %s", a.back, a.caught)
	}
	told := slices.DeleteFunc(all.notices(demoBFF), func(n string) bool { return !strings.HasPrefix(n, "failed ") })
	if len(told) != 1 || !strings.Contains(told[0], "destination") {
		t.Errorf("told of the outage: %q", told)
	}
	life := all.known[demoBFF]
	if got := all.mounted(life); got != "new" {
		t.Errorf("in the end the file holds %s", got)
	}
}
