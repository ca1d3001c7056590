package exec

import (
	"context"
	"errors"
	"io"
	"os"
	osexec "os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Bounds of what a program may write. A reply may hold a provider's own reply of a megabyte, escaped.
const (
	maxStdout = 4 << 20  // more ends the program
	maxStderr = 16 << 10 // of which the end is kept; all of it is read
)

// drainTime is how long output may still arrive after the whole group has been killed. It is in the pipes already; only a
// process that left the group could hold them open for longer.
const drainTime = time.Second

// ending is how a process ended.
type ending struct {
	stdout []byte
	stderr tail
	cut    bool           // there was more on stdout than the limit
	why    error          // rotad ended it: errDeadline, errTooMuch or the caller's reason; nil = it ended by itself
	code   int            // exit code; -1 = a signal ended it
	signal syscall.Signal // which one; 0 = none
}

var (
	errDeadline = errors.New("the program did not end in its time and was ended")
	errStopped  = errors.New("rotad no longer waits: the program was ended")
	errTooMuch  = errors.New("the program wrote more than 4 MiB and was ended")
)

// process is a program that runs.
type process struct {
	group   int
	pipes   []*os.File // rotad's ends
	state   *os.ProcessState
	done    chan struct{} // closed when it has ended, and its group with it
	over    chan struct{} // closed when stdout is too long
	readers sync.WaitGroup
	out     ending
}

// run runs the program once. An error means that it was not started, so that nothing can have happened.
func run(ctx context.Context, cmd *osexec.Cmd, stdin []byte, killAfter time.Duration) (ending, error) {
	p := &process{done: make(chan struct{}), over: make(chan struct{})}
	if err := p.start(cmd, stdin); err != nil {
		return ending{}, err
	}
	var why error
	select {
	case <-p.done:
	case <-p.over:
		why = errTooMuch
	case <-ctx.Done():
		why = errStopped
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			why = errDeadline
		}
	}
	if why != nil {
		p.end(ctx, killAfter)
	}
	p.drain(ctx)
	p.out.why, p.out.code = why, p.state.ExitCode()
	if status, ok := p.state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		p.out.signal = status.Signal()
	}
	return p.out, nil
}

// start starts the program on a thread that lives as long as it: the kernel takes the end of the thread that started it
// for the end of rotad.
func (p *process) start(cmd *osexec.Cmd, stdin []byte) error {
	theirs, err := p.connect(cmd)
	started := make(chan error, 1)
	if err == nil {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			failed := cmd.Start()
			started <- failed
			if failed == nil {
				p.wait(cmd)
			}
		}()
		err = <-started
	}
	for _, f := range theirs {
		_ = f.Close()
	}
	if err != nil {
		p.close()
		return err
	}
	p.group = cmd.Process.Pid
	feed, out, errs := p.pipes[0], p.pipes[1], p.pipes[2]
	p.readers.Go(func() {
		_, _ = feed.Write(stdin) // a program need not read all of it
		_ = feed.Close()
	})
	p.readers.Go(func() { p.readStdout(out) })
	p.readers.Go(func() { _, _ = io.Copy(&p.out.stderr, errs) })
	return nil
}

// connect makes the three pipes and returns the program's ends.
func (p *process) connect(cmd *osexec.Cmd) (theirs []*os.File, err error) {
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		switch i {
		case 0:
			cmd.Stdin = r
			theirs, p.pipes = append(theirs, r), append(p.pipes, w)
		case 1:
			cmd.Stdout = w
			theirs, p.pipes = append(theirs, w), append(p.pipes, r)
		case 2:
			cmd.Stderr = w
			theirs, p.pipes = append(theirs, w), append(p.pipes, r)
		}
	}
	return theirs, nil
}

// wait waits for the program, and then ends what it left behind in its group: such a process could go on changing things
// after the reply. The number of a group is not given away as long as it has members.
func (p *process) wait(cmd *osexec.Cmd) {
	_ = cmd.Wait() // the state says what there is to say
	tell(cmd.Process.Pid, syscall.SIGKILL)
	p.state = cmd.ProcessState
	close(p.done)
}

// end asks the group to end, and then makes it.
func (p *process) end(ctx context.Context, killAfter time.Duration) {
	tell(p.group, syscall.SIGTERM)
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), killAfter)
	defer cancel()
	select {
	case <-p.done:
	case <-patience.Done():
		tell(p.group, syscall.SIGKILL)
		<-p.done
	}
}

// drain waits for the rest of the output.
func (p *process) drain(ctx context.Context) {
	read := make(chan struct{})
	go func() {
		p.readers.Wait()
		close(read)
	}()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	select {
	case <-read:
	case <-patience.Done():
	}
	p.close() // whoever still reads is woken
	<-read
}

func (p *process) close() {
	for _, f := range p.pipes {
		_ = f.Close()
	}
}

// readStdout keeps what comes up to the limit, and reads on, so that the program is not held up on its way out.
func (p *process) readStdout(r io.Reader) {
	p.out.stdout, _ = io.ReadAll(io.LimitReader(r, maxStdout+1))
	if len(p.out.stdout) > maxStdout {
		p.out.stdout, p.out.cut = p.out.stdout[:maxStdout], true
		close(p.over)
		_, _ = io.Copy(io.Discard, r)
	}
}

// tail keeps the last bytes that are written to it.
type tail struct {
	kept []byte
	cut  bool
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - maxStderr; over > 0 {
		t.kept, t.cut = append([]byte(nil), t.kept[over:]...), true
	}
	return len(b), nil
}
