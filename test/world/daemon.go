package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
)

// Daemon is a running "rotad run".
type Daemon struct {
	w       *World
	process *servers.Process
}

// Start writes the configuration, starts the daemon and waits until it answers commands.
func (w *World) Start() *Daemon {
	w.T.Helper()
	d := w.Launch()
	w.Await(30*time.Second, "the daemon answers commands", func() error {
		if !d.process.Running() {
			return &servers.EndedError{Name: "rotad", Code: d.process.ExitCode(), Log: d.process.LogTail(20)}
		}
		if got := d.CLI("status", "--json"); got.Code != 0 {
			return fmt.Errorf("rotad status: code %d: %s", got.Code, got.Stderr)
		}
		return d.Healthy("/healthz")
	})
	return d
}

// Launch writes the configuration and starts the daemon, without waiting.
func (w *World) Launch() *Daemon {
	w.T.Helper()
	process, err := servers.Launch(servers.Spec{
		Name: "rotad", Path: w.Binary(w.T), Args: []string{"run", "--config", w.WriteConfig()},
		Dir: w.Dir, Log: w.Path("rotad.log"),
	})
	w.Must(err)
	if w.last == nil {
		stopWatching := w.watchVault()
		w.T.Cleanup(func() { w.finish(stopWatching) })
	}
	w.last = process
	return &Daemon{w: w, process: process}
}

// finish asks the daemon that runs last for all that it can say, ends it, and looks at what it leaves behind.
func (w *World) finish(stopWatching func()) {
	w.askEverything()
	stopWatching()
	_ = w.last.Stop(10 * time.Second)
	w.CheckLeaks()
	if w.T.Failed() {
		w.T.Logf("the daemon's log ends:\n%s", w.last.LogTail(60))
		w.T.Logf("vault's log ends:\n%s", w.Vault.LogTail(5))
	}
}

// Kill ends the daemon at once (SIGKILL).
func (d *Daemon) Kill() { d.process.Kill() }

// Stop ends the daemon with SIGTERM and returns its exit code.
func (d *Daemon) Stop(limit time.Duration) int {
	d.w.T.Helper()
	d.w.Must(d.process.Stop(limit))
	return d.process.ExitCode()
}

// Terminate sends SIGTERM and does not wait.
func (d *Daemon) Terminate() { _ = d.process.Signal(syscall.SIGTERM) }

// Done is closed when the daemon has ended.
func (d *Daemon) Done() <-chan struct{} { return d.process.Done() }

// ExitCode returns the exit code of the ended daemon.
func (d *Daemon) ExitCode() int { return d.process.ExitCode() }

// Reload writes the configuration as it is now and sends SIGHUP.
func (d *Daemon) Reload() {
	d.w.T.Helper()
	d.w.WriteConfig()
	d.Hangup()
}

// Hangup sends SIGHUP.
func (d *Daemon) Hangup() {
	d.w.T.Helper()
	d.w.Must(d.process.Signal(syscall.SIGHUP))
}

// Healthy asks a health endpoint: nil for 200.
func (d *Daemon) Healthy(path string) error {
	_, err := d.get(path)
	return err
}

// MetricsAddress returns host:port of the metrics endpoint.
func (d *Daemon) MetricsAddress() string { return d.w.Config.Listen["metrics"].(string) }

func (d *Daemon) get(path string) (string, error) {
	ctx, cancel := context.WithTimeout(d.w.T.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.MetricsAddress()+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	d.w.outputs.add(body)
	return string(body), err
}

// Result is what a command printed and how it ended.
type Result struct {
	Stdout string
	Stderr string
	Code   int
}

// CLI runs a command of rotad against this daemon.
func (d *Daemon) CLI(args ...string) Result { return d.w.CLI("", args...) }

// CLI runs a command of rotad with something on its standard input.
func (w *World) CLI(stdin string, args ...string) Result {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), 2*time.Minute)
	defer cancel()
	cmd := command(ctx, w.Binary(w.T), args...)
	cmd.Env = append(cmd.Env, "ROTAD_CONFIG="+w.Path("config.yaml"), "ROTAD_SOCKET="+w.Path("admin.sock"))
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	w.outputs.add(stdout.Bytes())
	w.outputs.add(stderr.Bytes())
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.T.Fatalf("running rotad %s: %v", strings.Join(args, " "), err)
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// Do runs a command that has to succeed.
func (d *Daemon) Do(args ...string) Result {
	d.w.T.Helper()
	got := d.CLI(args...)
	if got.Code != 0 {
		d.w.T.Fatalf("rotad %s: code %d\n%s%s", strings.Join(args, " "), got.Code, got.Stdout, got.Stderr)
	}
	return got
}

// Show returns the record of a client.
func (d *Daemon) Show(id string) (credential.Record, error) {
	var r credential.Record
	got := d.CLI("show", id, "--json")
	if got.Code != 0 {
		return r, fmt.Errorf("rotad show %s: code %d: %s", id, got.Code, got.Stderr)
	}
	if err := json.Unmarshal([]byte(got.Stdout), &r); err != nil {
		return r, fmt.Errorf("reading the output of rotad show: %w", err)
	}
	return r, nil
}

// Await waits until the record of a client is as wanted, and returns it.
func (d *Daemon) Await(id string, limit time.Duration, what string, wanted func(credential.Record) bool) credential.Record {
	d.w.T.Helper()
	var last credential.Record
	d.w.Await(limit, id+" "+what, func() error {
		r, err := d.Show(id)
		if err != nil {
			return err
		}
		if last = r; !wanted(r) {
			return errors.New(describe(r))
		}
		return nil
	})
	return last
}

// describe says in one line where a record stands.
func describe(r credential.Record) string {
	text := fmt.Sprintf("it is in phase %s, sight %q, version %d", r.Phase(), r.Sight, r.Version)
	if r.Hold != nil {
		text += fmt.Sprintf(", held: %s (%s)", r.Hold.Code, r.Hold.Detail)
	}
	if r.Backoff.Error != "" {
		text += fmt.Sprintf(", after %d failures: %s", r.Backoff.Attempts, r.Backoff.Error)
	}
	return text
}

// History returns the audit entries of a client, oldest first.
func (d *Daemon) History(id string) []credential.Audit {
	d.w.T.Helper()
	var entries []credential.Audit
	got := d.Do("history", id, "--json")
	if err := json.Unmarshal([]byte(got.Stdout), &entries); err != nil {
		d.w.T.Fatalf("reading the output of rotad history: %v\n%s", err, got.Stdout)
	}
	return entries
}

// Count says how often an event stands in the history of a client.
func (d *Daemon) Count(id string, event credential.Event) int {
	d.w.T.Helper()
	n := 0
	for _, entry := range d.History(id) {
		if entry.Event == event {
			n++
		}
	}
	return n
}

// LoseState deletes the state file, as a lost disk would.
func (w *World) LoseState() {
	w.T.Helper()
	w.Must(os.RemoveAll(w.Path("state")))
	w.Must(os.MkdirAll(w.Path("state"), 0o700))
}
