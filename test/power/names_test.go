package power_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/world"
)

// settled is a machine whose daemon has rotated and rests, stopped in good order.
func settled(t *testing.T, name string) *machine {
	t.Helper()
	m := newMachine(newFleet(world.New(t, shared, name), 1))
	m.start()
	m.listen(2 * time.Second)
	m.process.Kill()
	if err := m.rest(restLimit); err != nil {
		t.Fatal(err)
	}
	return m
}

// recorded records what a command writes on the disk.
func (m *machine) recorded(args ...string) (from *power.Volume, log []power.Op) {
	m.T.Helper()
	m.disk.Record()
	if got := m.CLI("", args...); got.Code != 0 {
		m.T.Fatalf("rotad %s: code %d: %s", strings.Join(args, " "), got.Code, got.Stderr)
	}
	return m.disk.Recorded()
}

// TestABackupIsWholeOrNotThere cuts the power everywhere in a backup to the disk that the daemon works on: first where
// there is none, then over an older one.
func TestABackupIsWholeOrNotThere(t *testing.T) {
	m := settled(t, "backup")
	m.calm()
	m.WriteConfig()
	m.start()
	m.Await(30*time.Second, "the daemon answers", func() error { _, err := m.socket().World(t.Context()); return err })
	for _, older := range []bool{false, true} {
		if older {
			m.change("entra-00")
		}
		from, log := m.recorded("backup", m.Path("state/backup.db"))
		e := enumeration(t, nil)
		e.Name, e.Every, e.Lies = "backup.db", 1, false
		counts, _, err := e.Run(t.Context(), from, log)
		figures.images(counts, power.Counts{}, 0)
		t.Logf("over an older one %t: %+v", older, counts)
		if err != nil || counts.Images == 0 || (counts.Absent == 0) != older {
			t.Errorf("over an older one %t: %+v: %v", older, counts, err)
		}
	}
	m.process.Kill()
}

// change lets a client's record be another one.
func (m *machine) change(id string) {
	m.T.Helper()
	if got := m.CLI("", "hold", id, "--reason", "so that the next backup is another one"); got.Code != 0 {
		m.T.Fatalf("rotad hold: code %d: %s", got.Code, got.Stderr)
	}
}

// TestARestoreIsWholeOrNotDone cuts the power everywhere in a restore. The state file is there throughout, the old one or
// the restored one, and the old one is never lost.
func TestARestoreIsWholeOrNotDone(t *testing.T) {
	m := settled(t, "restore")
	backup := m.Path("state/backup.db")
	m.recorded("backup", backup)
	m.start()
	m.listen(time.Second)
	m.process.Kill()
	if err := m.acts(); err != nil {
		t.Error(err)
	}
	for range 2 { // the second time over what the first one has replaced
		old := m.sum(t.Context(), m.disk.Now(), stateName, m.scratch)
		from, log := m.recorded("restore", backup)
		e := enumeration(t, nil)
		e.Every, e.Lies = 1, false
		e.Image = func(v *power.Volume, dir string) error {
			if s := stateName; m.sum(t.Context(), v, s, dir) != old && m.sum(t.Context(), v, s+".replaced", dir) != old {
				return errors.New("the state that was there before is lost")
			}
			return nil
		}
		counts, _, err := e.Run(t.Context(), from, log)
		figures.images(counts, power.Counts{}, 0)
		t.Logf("%+v", counts)
		if err != nil || counts.Images == 0 || counts.Absent > 0 {
			t.Errorf("%+v: %v", counts, err)
		}
	}
	m.start()
	m.Await(30*time.Second, "the daemon answers", func() error { _, err := m.socket().World(t.Context()); return err })
}

// sum is what a file of a volume holds; the zero value stands for none.
func (m *machine) sum(ctx context.Context, v *power.Volume, name, dir string) power.Sum {
	verdict, err := power.Judge(ctx, v, name, dir)
	if err := errors.Join(err, verdict.Refused); err != nil {
		m.note(fmt.Errorf("%s: %w", name, err))
	}
	return verdict.Sum
}
