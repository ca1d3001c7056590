package model

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/providers"
)

// Crash is what a fault panics with where the process dies.
type Crash struct{ Call string }

// FaultKind is what goes wrong at a call.
type FaultKind string

// The faults.
const (
	CrashBefore FaultKind = "crash-before" // the process dies before the call takes effect
	CrashAfter  FaultKind = "crash-after"  // it takes effect, and the process dies before it sees the reply
	LostReply   FaultKind = "lost-reply"   // it takes effect, and the reply is lost
	Timeout     FaultKind = "timeout"      // it does not take effect, and nobody can know that
	Refused     FaultKind = "refused"      // it does not take effect: a definite temporary refusal
	Malformed   FaultKind = "malformed"    // create: it takes effect, and the reply cannot be read
)

// Kinds returns the faults that a call can have.
func Kinds(call string) []FaultKind {
	switch call {
	case "create":
		return []FaultKind{CrashBefore, CrashAfter, LostReply, Timeout, Refused, Malformed}
	case "inspect", "recover", "verify", "vault.read", "vault.time":
		return []FaultKind{CrashBefore, Timeout, Refused}
	case "commit":
		return []FaultKind{CrashBefore, CrashAfter}
	}
	return []FaultKind{CrashBefore, CrashAfter, LostReply, Timeout, Refused}
}

// World holds the clock, the calls made so far, and the faults to come.
type World struct {
	Wall   time.Time     // the true time
	Skew   time.Duration // how far the wall clock of the process is ahead of it
	Uptime time.Duration // of the present process
	Trace  []string      // names of the calls made, in order
	Faults map[int]FaultKind
	Hit    int      // faults that have happened
	Broken []string // invariants that were violated
}

// NewWorld begins at a moment.
func NewWorld(at time.Time) *World {
	return &World{Wall: at, Faults: map[int]FaultKind{}}
}

// Now returns the wall clock.
func (w *World) Now() time.Time { return w.Wall.Add(w.Skew) }

// Elapsed returns the monotonic clock of the present process.
func (w *World) Elapsed() time.Duration { return w.Uptime }

// Advance lets time pass.
func (w *World) Advance(d time.Duration) {
	w.Wall = w.Wall.Add(d)
	w.Uptime += d
}

// After lets time pass at once: the world is single-threaded.
func (w *World) After(d time.Duration) <-chan time.Time {
	w.Advance(d)
	ch := make(chan time.Time, 1)
	ch <- w.Wall
	return ch
}

// Violate notes a broken invariant.
func (w *World) Violate(format string, args ...any) {
	w.Broken = append(w.Broken, fmt.Sprintf(format, args...))
}

// call makes one call: do takes effect unless a fault prevents it. The returned kind tells the caller what to answer;
// empty means that all went well.
func (w *World) call(name string, do func()) FaultKind {
	index := len(w.Trace)
	w.Trace = append(w.Trace, name)
	kind, ok := w.Faults[index]
	if ok {
		w.Hit++
	}
	switch kind {
	case CrashBefore:
		panic(Crash{name})
	case Timeout, Refused:
		return kind
	case CrashAfter, LostReply, Malformed:
	}
	do()
	if kind == CrashAfter {
		panic(Crash{name})
	}
	return kind
}

// Commit passes a commit of the state through the faults. A commit has no reply that could be lost: it either takes
// effect or the process dies, because any error of a commit is fatal.
func (w *World) Commit(do func()) {
	switch w.Faults[len(w.Trace)] {
	case LostReply, Malformed:
		w.Faults[len(w.Trace)] = CrashAfter
	case Timeout, Refused:
		w.Faults[len(w.Trace)] = CrashBefore
	case CrashBefore, CrashAfter, "":
	}
	w.call("commit", do)
}

// fault turns a kind into the error that the caller of a provider sees.
func (w *World) fault(kind FaultKind, operation string) error {
	switch kind {
	case LostReply, Timeout:
		return &providers.Error{Class: providers.ClassIndeterminate, Provider: "model", Operation: operation, Err: context.DeadlineExceeded}
	case Refused:
		return &providers.Error{Class: providers.ClassUnavailable, Provider: "model", Operation: operation}
	case Malformed:
		return &providers.Error{Class: providers.ClassNotUnderstood, Provider: "model", Operation: operation}
	default:
		return nil
	}
}
