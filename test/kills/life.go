package kills

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rotad/rotad/test/kills/wire"
	"github.com/rotad/rotad/test/servers"
)

// death is how a life ended.
type death struct {
	pair          // empty point = at a random moment
	client string // whose work it was; empty = nobody's in particular
	at     time.Time
	lived  time.Duration
}

func (d death) String() string {
	if d.point == "" {
		return fmt.Sprintf("a random moment, %s after its start", d.lived.Round(time.Millisecond))
	}
	return strings.TrimSpace(d.point + " " + d.client)
}

// live starts the daemon, waits until it dies, or kills it, and says how it died.
func (w *killed) live(ctx context.Context, p plan) death {
	w.T.Helper()
	log := w.Path("rotad.log")
	before := size(log)
	began := time.Now()
	process := w.start(p.spec())
	if p.trap != nil {
		w.Must(post(ctx, w.provider+wire.PathArm, p.request(process.Pid()), nil))
	}
	timer := time.NewTimer(p.limit)
	defer timer.Stop()
	driver := false
	select {
	case <-process.Done():
	case <-timer.C:
		driver = true
		process.Kill()
	}
	d := death{at: time.Now(), lived: time.Since(began)}
	w.spent(costDaemon, process.CPU())
	if code := process.ExitCode(); code != -1 {
		w.T.Fatalf("%s: the daemon ended by itself with code %d\n%s", w.place(d), code, servers.Tail(log, 15))
	}
	d.pair, d.client = w.cause(log, before)
	if d.point == "" && p.trap != nil {
		w.trapped(ctx, &d, p)
	}
	if d.point == "" && !driver {
		w.T.Fatalf("%s: somebody killed the daemon, and it was not said who\n%s", w.place(d), servers.Tail(log, 15))
	}
	return d
}

// start starts the daemon with points armed.
func (w *killed) start(armed string) *servers.Process {
	w.T.Helper()
	process, err := servers.Launch(servers.Spec{
		Name: "rotad", Path: w.daemonProgram, Args: []string{"run", "--config", w.Path("config.yaml")},
		Env: append(servers.BareEnv(), "ROTAD_FAILPOINTS="+armed, lazyGC), Dir: w.Dir, Log: w.Path("rotad.log"),
	})
	w.Must(err)
	return process
}

// lazyGC lets a daemon that lives for a second not clean up after itself: a tenth of its time went there.
const lazyGC = "GOGC=400"

// mark begins what a process says that dies at a point.
const mark = "\nfailpoint: "

// cause reads in the log at which point the daemon died; empty = at none.
func (w *killed) cause(log string, from int64) (pair, string) {
	raw, err := tail(log, from)
	w.Must(err)
	at := bytes.LastIndex(raw, []byte(mark))
	if at < 0 {
		return pair{}, ""
	}
	line, _, _ := strings.Cut(string(raw[at+len(mark):]), "\n")
	point, client, _ := strings.Cut(line, " ")
	k, ok := w.kindOf(client)
	if !ok { // a path in Vault, or nothing
		return pair{point: point}, ""
	}
	return pair{point: point, kind: k.name}, client
}

// trapped asks the provider whether it was the one who killed.
func (w *killed) trapped(ctx context.Context, d *death, p plan) {
	var path string
	w.Must(post(ctx, w.provider+wire.PathShut, struct{}{}, &path))
	w.Must(post(ctx, w.provider+wire.PathArm, wire.Trap{}, nil))
	if path == "" {
		return
	}
	d.pair = *p.trap
	if strings.HasSuffix(d.point, wire.WhenLate) {
		servers.Pause(ctx, 2*lateness) // what was sent lands now
	}
}

// lateness is longer than the provider holds up a request that lands late.
const lateness = 300 * time.Millisecond

// tail reads what stands in a file from a place on: a log is long before its world is old.
func tail(path string, from int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// place says where a failure happened, so that it can be found again.
func (w *killed) place(d death) string {
	return fmt.Sprintf("seed %d, world %d (%s), kill %d at %s", w.seed, w.number, filepath.Base(w.Dir), w.kill, d)
}
