package power_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/world"
)

// fulls are the figures of full disks.
type fulls struct {
	mu      sync.Mutex
	left    int
	runs    int
	ended   int // the daemon ended by itself, and said why
	refused int // starts on a full disk that were refused
	tmpfs   int // runs on a real small file system
	wentOn  int // of those, the daemon found room in its file and went on
	flying  int // runs in which creates were under way
	slowest time.Duration
}

// TestFullDisks fills the disk under daemons that rotate all the time: at every sort of write, in its middle if need be.
// The daemon says what is wrong and ends, is refused while the disk is full, and goes on without loss when it is not.
func TestFullDisks(t *testing.T) {
	began := time.Now()
	c := &fulls{left: number(t, "ROTAD_POWER_FULL", 8)}
	figures.fulls = c
	var all sync.WaitGroup
	for i := range min(4, 1+c.left/8) {
		all.Go(func() {
			t.Run(fmt.Sprintf("machine-%d", i+1), func(t *testing.T) {
				m := patientMachine(t, fmt.Sprintf("full-%d", i+1))
				c.fill(m, rand.New(rand.NewPCG(seed(t), uint64(100+i))))
			})
		})
	}
	all.Wait()
	t.Logf("%d runs (%d on a small tmpfs): %d ended by themselves, %d starts refused, %d went on, slowest end %s, in %s",
		c.runs, c.tmpfs, c.ended, c.refused, c.wentOn, c.slowest.Round(time.Millisecond), time.Since(began).Round(time.Second))
}

// patientMachine waits long for its providers: here nothing may be lost, because nothing is ever killed.
func patientMachine(t *testing.T, name string) *machine {
	t.Helper()
	f := newFleet(world.New(t, shared, name), 2)
	for _, p := range f.Config.Providers {
		p["deadline"] = "9s"
	}
	return newMachine(f)
}

func (c *fulls) fill(m *machine, random *rand.Rand) {
	take := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.left--
		return c.left >= 0
	}
	for n := 1; take() && !m.T.Failed(); n++ {
		run := c.onDisk
		if n%5 == 0 {
			run = c.onTmpfs
		}
		err := run(m, random)
		if err == nil {
			err = c.recover(m, n%perRest == 0)
		}
		if err != nil {
			m.T.Errorf("seed %d, %s, run %d: kept as %s: %v\n%s", seed(m.T), m.Name, n, keepImage(m.disk.Now()), err, m.process.LogTail(5))
			return
		}
		c.mu.Lock()
		c.runs++
		c.mu.Unlock()
	}
	if !m.T.Failed() {
		if err := c.recover(m, true); err != nil {
			m.T.Errorf("seed %d, %s, at the end: %v", seed(m.T), m.Name, err)
		}
	}
}

// endLimit is how long a daemon may take from the commit that failed to its end: it gives creates ten seconds.
const endLimit = 30 * time.Second

// onDisk lets the disk be full at some write.
func (c *fulls) onDisk(m *machine, random *rand.Rand) error {
	if random.IntN(2) == 0 { // creates are under way for a while
		c.slowCreates(m)
	}
	since := m.logSize()
	m.disk.FullAfter(random.IntN(150), random.IntN(2*power.Page))
	m.start()
	if err := m.ends(endLimit); err != nil {
		return err
	}
	if err := c.said(m, since); err != nil {
		return err
	}
	m.faults.Clear()
	if _, err := m.legal(m.T.Context(), m.disk.Durable(), m.disk.Now(), m.disk.Now()); err != nil {
		return err
	}
	since = m.logSize()
	m.start()
	if err := m.ends(endLimit); err != nil {
		return fmt.Errorf("started on a full disk: %w", err)
	}
	said := m.logged(since)
	if m.process.ExitCode() != 1 || !strings.Contains(said, "no space left on device") || !strings.Contains(said, "hint: make room on the disk") {
		return fmt.Errorf("started on a full disk, it ended with code %d and said:\n%s", m.process.ExitCode(), said)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused++
	return nil
}

// slowCreates lets every create be answered late.
func (c *fulls) slowCreates(m *machine) {
	for _, path := range []string{"/addPassword", "/secret/rotate", "/client-secret"} {
		m.faults.DelayReply(sandbox.When{Method: "POST", Path: path, Count: -1}, 700*time.Millisecond)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying++
}

// ends waits until the daemon has ended by itself.
func (m *machine) ends(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-m.process.Done():
		return nil
	case <-m.T.Context().Done():
		return m.T.Context().Err()
	case <-timer.C:
		return fmt.Errorf("the daemon has not ended within %s", limit)
	}
}

// said says whether the daemon has said what is wrong, where, and what to do; and how long it took from there to its end.
func (c *fulls) said(m *machine, since int64) error {
	text := m.logged(since)
	for _, part := range []string{"no space left on device", "\nerror: ", "\nhint: ", "disk"} {
		if !strings.Contains(text, part) {
			return fmt.Errorf("it did not say %q but ended with code %d:\n%s", part, m.process.ExitCode(), text)
		}
	}
	if m.process.ExitCode() != 1 {
		return fmt.Errorf("it ended with code %d:\n%s", m.process.ExitCode(), text)
	}
	took := time.Duration(0)
	if line, ok := lineWith(text, "the state cannot be written; stopping"); ok {
		took = time.Since(timeOf(line))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
	c.slowest = max(c.slowest, took)
	return nil
}

func lineWith(text, part string) (string, bool) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line, true
		}
	}
	return "", false
}

// timeOf reads the time of a line of the log.
func timeOf(line string) time.Time {
	_, rest, _ := strings.Cut(line, `"time":"`)
	stamp, _, _ := strings.Cut(rest, `"`)
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return time.Now()
	}
	return at
}

// recover makes room and looks at what the daemon makes of it. Nothing was killed, so that no created secret may be
// missing in Vault, at any time.
func (c *fulls) recover(m *machine, rest bool) error {
	ctx := m.T.Context()
	m.disk.MakeRoom()
	question := oracle.Moment
	if rest {
		if err := m.rest(restLimit); err != nil {
			return err
		}
		question = whole
	}
	known, err := power.Read(ctx, m.disk.Now(), stateName, m.scratch)
	if err != nil {
		return err
	}
	return errors.Join(m.ask(ctx, known, question), m.acts(), m.kept(ctx, known))
}

// kept says whether every secret that a provider has made stands in Vault, where it was published or is staged. Two-slot
// providers have no part in it: what could not be staged there was deleted again.
func (m *machine) kept(ctx context.Context, known power.Known) error {
	var errs []error
	for _, client := range m.clients {
		made := 0
		switch client.kind {
		case "telicent":
			made = m.idp.Made(client.id) - 1
		case realmGrace:
			made = m.keeps.Replaced(client.id)
		case realmCut:
			made = m.cuts.Replaced(client.id)
		default:
			continue
		}
		meta, err := m.Vault.Metadata(ctx, world.AppPath(client.id))
		if err != nil {
			return err
		}
		v, _, err := m.view(ctx, client, known)
		if err != nil {
			return err
		}
		kept := meta.Current - 1
		if v.Staged != "" && v.Staged != v.Hands {
			kept++
		}
		if made != kept {
			errs = append(errs, fmt.Errorf("%s: the provider has made %d secrets, and %d came to Vault", client.id, made, kept))
		}
	}
	return errors.Join(errs...)
}
