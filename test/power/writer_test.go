package power_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state/bolt"
	"github.com/rotad/rotad/test/power"
)

const (
	writerFile    = "ROTAD_POWER_WRITER_FILE"
	writerCommits = "ROTAD_POWER_WRITER_COMMITS"
)

// stateName is the name of the state file on every disk.
const stateName = "rotad.db"

// writes is the other process: it commits changes of every sort as fast as the disk takes them, and tells the disk after each.
func writes(ctx context.Context, path string, commits int, seed uint64) error {
	s, err := bolt.Open(path, bolt.Options{AllowFilesystem: true})
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make(chan error, writerLanes)
	for lane := range writerLanes {
		all.Go(func() {
			l := writerLane{store: s, lane: lane, random: rand.New(rand.NewPCG(seed, uint64(lane))), known: map[string]credential.Record{}}
			for range commits / writerLanes {
				id, rev, err := l.commit(ctx)
				if err != nil {
					errs <- err
					return
				}
				_, _ = os.Stat(filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%s %d", power.TellPrefix, id, rev)))
			}
		})
	}
	all.Wait()
	close(errs)
	if err := <-errs; err != nil {
		return err
	}
	return s.Close()
}

const writerLanes = 4

// writerLane owns the clients of one number, so that its commits never conflict.
type writerLane struct {
	store  *bolt.Store
	lane   int
	made   int
	random *rand.Rand
	known  map[string]credential.Record
}

func writerTime() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// commit registers a client, changes one, or archives one.
func (l *writerLane) commit(ctx context.Context) (id string, rev uint64, err error) {
	c := l.change()
	id = c.Record.Client.ID
	c.Audit = []credential.Audit{{At: writerTime(), Client: id, Event: credential.EventFailed, Detail: strings.Repeat("a", l.random.IntN(300))}}
	c.Watermark = writerTime().Add(time.Duration(l.random.IntN(1000)) * time.Second)
	r, conflict, err := l.store.Commit(ctx, c)
	if err != nil || conflict {
		return id, 0, fmt.Errorf("committing %s: conflict %t: %w", id, conflict, err)
	}
	if c.Archive {
		delete(l.known, id)
		return "-" + id, 0, nil
	}
	l.known[id] = r
	return id, r.Rev, nil
}

func (l *writerLane) change() credential.Change {
	if len(l.known) < 5 || len(l.known) < 15 && l.random.IntN(3) == 0 {
		l.made++
		return credential.Change{Create: true, Record: l.fresh(fmt.Sprintf("client-%d-%04d", l.lane, l.made))}
	}
	for _, r := range l.known { // any
		r.Missing++
		r.Due = writerTime().Add(time.Duration(l.random.IntN(1e6)) * time.Second)
		r.Client.Labels = map[string]string{"text": strings.Repeat("x", l.random.IntN(1500))}
		notice := credential.Notice{Key: fmt.Sprint(r.Client.ID, r.Missing), Client: r.Client.ID, At: r.Due}
		return credential.Change{Record: r, Archive: l.random.IntN(12) == 0, Notices: []credential.Notice{notice}}
	}
	return credential.Change{}
}

func (l *writerLane) fresh(id string) credential.Record {
	return credential.Record{
		Client: credential.Client{
			ID: id, Provider: "corp", Ref: credential.Ref{"client_id": id}, Owner: "payments", Policy: "default",
			Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id + "/oidc"},
		},
		Since: writerTime(), Sight: credential.SightAdopted, Due: writerTime(), DueFor: "look",
		Current: credential.Secret{ID: "key-" + id, Start: writerTime(), Expires: writerTime().Add(time.Hour)},
	}
}

// recordWriter lets a writer work on a fresh disk and returns what happened, with everything that it said.
func recordWriter(t *testing.T, commits int, seed uint64) (*power.Volume, []power.Op, []power.Ack) {
	t.Helper()
	disk := power.NewDisk(power.NewVolume())
	dir := mount(t, disk)
	disk.Record()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), writerFile+"="+filepath.Join(dir, stateName), fmt.Sprintf("%s=%d %d", writerCommits, commits, seed))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	from, log := disk.Recorded()
	return from, log, acksOf(t, disk.Told())
}

func acksOf(t *testing.T, told []power.Told) (acks []power.Ack) {
	t.Helper()
	for _, say := range told {
		var id string
		var rev uint64
		if _, err := fmt.Sscan(say.Text, &id, &rev); err != nil {
			t.Fatalf("%q: %v", say.Text, err)
		}
		acks = append(acks, power.Ack{At: say.At, ID: strings.TrimPrefix(id, "-"), Rev: rev, Gone: id[0] == '-'})
	}
	return acks
}
