package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Spec says how a process is started.
type Spec struct {
	Name string // for messages
	Path string
	Args []string
	Env  []string // the whole environment; nil = PATH only
	Dir  string   // working directory; empty = that of the caller
	Log  string   // file that gets stdout and stderr, appended to
	User string   // become this user; empty = the caller
}

// Process is a running program in a session of its own, so that it can be ended with everything that it started. The
// kernel kills it when the tests die, however they die.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has been waited for
}

// Launch starts a process.
func Launch(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", spec.Name, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env = spec.Env
	if cmd.Env == nil {
		cmd.Env = BareEnv()
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = spec.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if spec.User != "" {
		if cmd.SysProcAttr.Credential, err = credentialOf(spec.User); err != nil {
			return nil, err
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	p := &Process{name: spec.Name, log: spec.Log, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // the exit status is read from ProcessState
	}()
	return p, nil
}

// credentialOf finds a user. A program that changes its user by itself would lose the signal of its parent's death.
func credentialOf(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("finding a user to run as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the id of the user %s: %w", name, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the group of the user %s: %w", name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// BareEnv is an environment with nothing but a search path.
func BareEnv() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
}

// FrugalEnv is the same for a Go program of which many run side by side: it keeps to one core, where waking the others
// costs more than they do, and cleans its memory up more rarely.
func FrugalEnv() []string { return append(BareEnv(), "GOMAXPROCS=1", "GOGC=400") }

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running says whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ExitCode returns the exit code of an ended process, -1 if a signal ended it or it runs still.
func (p *Process) ExitCode() int {
	if p.Running() {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

// CPU returns how long the process has had a core so far, its own time and the kernel's for it. Of one that runs, Linux
// counts in hundredths of a second.
func (p *Process) CPU() time.Duration {
	if p == nil {
		return 0
	}
	if !p.Running() {
		return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	}
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	_, rest, _ := strings.Cut(string(raw), ") ") // the name before may hold blanks
	var user, system time.Duration
	if fields := strings.Fields(rest); len(fields) > 12 {
		user, system = hundredths(fields[11]), hundredths(fields[12])
	}
	return user + system
}

func hundredths(text string) time.Duration {
	n, _ := strconv.Atoi(text)
	return time.Duration(n) * (time.Second / 100)
}

// Signal sends a signal to the process itself.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Stop asks the process to end with SIGTERM and waits up to the limit; what is left of its session is then killed. The
// error says that it had to be.
func (p *Process) Stop(limit time.Duration) error {
	if p == nil {
		return nil
	}
	_ = p.Signal(syscall.SIGTERM)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
		p.killGroup()
		return nil
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM and was killed", p.name, limit)
	}
}

// Kill ends the process and its group at once (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	if p == nil {
		return
	}
	p.killGroup()
	<-p.done
}

func (p *Process) killGroup() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Process.Kill()
}

// LogTail returns the last lines of the log.
func (p *Process) LogTail(lines int) string { return Tail(p.log, lines) }

// ended turns the early end of a process into an error with the last lines of its log.
func (p *Process) ended() error {
	if p.Running() {
		return nil
	}
	return &EndedError{Name: p.name, Code: p.ExitCode(), Log: p.LogTail(15)}
}

// EndedError says that a process ended although it should run.
type EndedError struct {
	Name string
	Code int
	Log  string // its last lines
}

// Error names the process and shows the end of its log.
func (e *EndedError) Error() string {
	return fmt.Sprintf("%s ended with code %d; its log ends:\n%s", e.Name, e.Code, e.Log)
}

// isEnded says whether waiting on is pointless.
func isEnded(err error) bool {
	var ended *EndedError
	return errors.As(err, &ended)
}
