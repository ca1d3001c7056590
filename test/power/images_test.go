package power_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// enumeration is one that is as large as the run wants it.
func enumeration(t *testing.T, acks []power.Ack) *power.Enumeration {
	t.Helper()
	e := &power.Enumeration{
		Name: stateName, Random: 3, Every: 10, Most: 20, Lies: true, Seed: seed(t), Dir: func() string { return scratch(t) }, Workers: runtime.NumCPU(), Acks: acks,
	}
	if full(t) {
		e.Random, e.Every, e.Most = 100, 1, 500
	}
	return e
}

// full says whether the run is one at full size.
func full(t testing.TB) bool { return number(t, "ROTAD_POWER_CUTS", 0) >= fullCuts }

func TestImagesOfAWriter(t *testing.T) {
	began := time.Now()
	commits := 60
	if full(t) {
		commits = 400
	}
	from, log, acks := recordWriter(t, commits, seed(t))
	if len(acks) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	legal, beyond, err := enumeration(t, acks).Run(t.Context(), from, log)
	figures.images(legal, beyond, len(acks))
	t.Logf("%d operations, %d acknowledgements: %+v; by a disk that lies: %+v, %s", len(log), len(acks), legal, beyond, time.Since(began))
	if err != nil {
		t.Error(err)
	}
}

// TestImagesOfTheDaemon records what the daemon writes while it rotates, from the moment in which it makes its file, and
// what it says meanwhile to whoever asks.
func TestImagesOfTheDaemon(t *testing.T) {
	began := time.Now()
	m := newMachine(newFleet(world.New(t, shared, "images"), 2))
	m.disk.Record()
	m.disk.SyncTakes(3 * time.Millisecond)
	m.start()
	during := 3 * time.Second
	if full(t) {
		during = 10 * time.Second
	}
	acks := m.listen(during)
	m.process.Kill()
	if err := m.acts(); err != nil {
		t.Error(err)
	}
	from, log := m.disk.Recorded()
	legal, beyond, err := enumeration(t, acks).Run(t.Context(), from, log)
	figures.images(legal, beyond, len(acks))
	t.Logf("%d operations, %d acknowledgements: %+v; by a disk that lies: %+v, %s", len(log), len(acks), legal, beyond, time.Since(began))
	if err != nil || len(acks) == 0 {
		t.Error("after", len(acks), "acknowledgements:", err)
	}
}

// listen asks the daemon for its records all the time. What it has shown is acknowledged.
func (m *machine) listen(during time.Duration) (acks []power.Ack) {
	m.T.Helper()
	shown := map[string]uint64{}
	for end := time.Now().Add(during); time.Now().Before(end); servers.Pause(m.T.Context(), 10*time.Millisecond) {
		records, err := m.socket().List(m.T.Context(), "", 0)
		if err != nil {
			continue // it starts
		}
		at := m.disk.Position()
		for _, r := range records {
			if id := r.Client.ID; r.Rev > shown[id] {
				shown[id] = r.Rev
				acks = append(acks, power.Ack{At: at, ID: id, Rev: r.Rev})
			}
		}
	}
	return acks
}

// TestADiskThatForgetsIsFound takes the barriers out of what was recorded, as if rotad did not wait for the disk: then
// acknowledged commits are lost, and the enumeration has to say so.
func TestADiskThatForgetsIsFound(t *testing.T) {
	from, log, acks := recordWriter(t, 40, seed(t))
	made := slices.IndexFunc(log, func(op power.Op) bool { return op.Kind == power.SyncDir })
	for i := range log[made:] {
		forget(&log[made+i])
	}
	_, _, err := enumeration(t, acks).Run(t.Context(), from, log)
	if err == nil || !strings.Contains(err.Error(), "was shown before") {
		t.Errorf("nothing is missed without barriers: %v", err)
	}
}

// TestAHalfCommitIsFound moves the first barrier of every commit behind its second half, as if the first page were
// written together with the data: then a cut between them leaves a page that points to nothing.
func TestAHalfCommitIsFound(t *testing.T) {
	from, log, acks := recordWriter(t, 40, seed(t))
	syncs := 0
	for i := range log {
		if log[i].Kind != power.Sync {
			continue
		}
		if syncs++; syncs > 8 && syncs%2 == 0 {
			forget(&log[i])
		}
	}
	_, _, err := enumeration(t, acks).Run(t.Context(), from, log)
	if err == nil {
		t.Error("images of half a commit are taken for legal ones")
	}
}

// forget makes a barrier of a file one of no file.
func forget(op *power.Op) {
	if op.Kind == power.Sync {
		op.File = 0
	}
}
