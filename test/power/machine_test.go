package power_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/servers"
)

// machine is what has one plug: the daemon and the disk with its state.
type machine struct {
	*fleet
	disk    *power.Disk
	server  *power.Mounted
	process *servers.Process
	scratch string
	pressed bool // by what the last cut has left
}

func newMachine(f *fleet) *machine {
	f.T.Helper()
	m := &machine{fleet: f, scratch: scratch(f.T)}
	f.WriteConfig()
	m.insert(power.NewVolume())
	f.durable = func() *power.Volume { return m.disk.Durable() }
	f.T.Cleanup(func() {
		if m.process != nil {
			m.process.Kill()
		}
		m.eject()
	})
	return m
}

// insert puts in a disk with a volume on it.
func (m *machine) insert(v *power.Volume) {
	m.T.Helper()
	m.disk = power.NewDisk(v)
	server, err := power.Mount(m.disk, m.Path("state"))
	m.Must(err)
	m.server = server
}

func (m *machine) eject() {
	if m.server != nil {
		if err := m.server.Unmount(); err != nil {
			m.T.Errorf("ejecting the disk: %v", err)
		}
		m.server = nil
	}
}

// copyOut takes the disk out and leaves what it holds where it was mounted.
func (m *machine) copyOut() {
	m.T.Helper()
	kept := m.disk.Now()
	m.eject()
	for _, name := range kept.Names() {
		m.Must(kept.Export(name, filepath.Join(m.Path("state"), name)))
	}
}

// start starts the daemon.
func (m *machine) start() {
	m.T.Helper()
	var err error
	m.process, err = servers.Launch(servers.Spec{
		Name: "rotad", Path: m.Binary(m.T), Args: []string{"run", "--config", m.Path("config.yaml")}, Dir: m.Dir, Log: m.Path("rotad.log"),
	})
	m.Must(err)
}

// pull cuts the power in the middle of the so-many-th write, sync or rename from now; or after a while, whatever is
// written then. It returns when the daemon is dead.
func (m *machine) pull(operations int, latest time.Duration) {
	pid := m.process.Pid()
	m.disk.CutAt(operations, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	timer := time.NewTimer(latest)
	defer timer.Stop()
	select {
	case <-m.process.Done():
	case <-timer.C:
	}
	m.process.Kill()
}

// pressed says whether a secret that its provider will soon keep no longer is still the one that Vault hands out.
func pressed(rec credential.Record) bool {
	r := rec.Rotation
	return r != nil && r.Caps.Mode == credential.ModeGraceWindow && r.Promoted == 0 && r.Fence != 0 && time.Since(r.Started) > grace*3/10
}

// publish lets the daemon run until nothing is pressed any more. A power that fails again and again for longer than a grace
// is what no protocol can help against.
func (m *machine) publish(ctx context.Context) error {
	return servers.Until(ctx, restLimit, 50*time.Millisecond, func(ctx context.Context) error {
		records, err := m.socket().List(ctx, "", 0)
		if err == nil && slices.ContainsFunc(records, pressed) {
			err = errors.New("a secret that a grace counts down has not been replaced in Vault")
		}
		return err
	})
}

// rest lets the daemon run until nothing moves, and stops it in good order.
func (m *machine) rest(limit time.Duration) error {
	m.calm()
	m.WriteConfig()
	m.start()
	err := servers.Until(m.T.Context(), limit, 200*time.Millisecond, func(ctx context.Context) error {
		if !m.process.Running() {
			return &servers.EndedError{Name: "rotad", Code: m.process.ExitCode(), Log: m.process.LogTail(20)}
		}
		records, err := m.socket().List(ctx, "", 0)
		if err != nil {
			return err
		}
		var errs []error
		for _, r := range records {
			errs = append(errs, moving(r))
		}
		if len(records) != len(m.clients) {
			errs = append(errs, fmt.Errorf("%d of %d clients are registered", len(records), len(m.clients)))
		}
		return errors.Join(errs...)
	})
	err = errors.Join(err, m.process.Stop(time.Minute))
	m.busy()
	m.WriteConfig()
	return err
}

func (m *machine) socket() *admin.Client { return admin.NewClient("unix:" + m.Path("admin.sock")) }

// logSize is how long the daemon's log is, logged what it said since.
func (m *machine) logSize() int64 {
	info, err := os.Stat(m.Path("rotad.log"))
	if err != nil {
		return 0
	}
	return info.Size()
}

func (m *machine) logged(since int64) string {
	raw, err := os.ReadFile(m.Path("rotad.log"))
	m.Must(err)
	return string(raw[min(since, int64(len(raw))):])
}
