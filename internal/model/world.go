package model

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/oracle"
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
	Malformed   FaultKind = "malformed"    // it takes effect, and the reply cannot be read
	Reset       FaultKind = "reset"        // it does not take effect, and nobody can know that: the connection broke at once
	ServerError FaultKind = "server-error" // it takes effect, and the reply is a 5xx
	Throttled   FaultKind = "throttled"    // it does not take effect: a 429 that names a time
	Denied      FaultKind = "denied"       // it does not take effect: a 401 or 403
	Missing     FaultKind = "missing"      // it does not take effect: a 404
	Conflict    FaultKind = "conflict"     // it does not take effect: a 409
	Rejected    FaultKind = "rejected"     // it does not take effect: a 400
	Quota       FaultKind = "quota"        // create: it does not take effect, because no slot is free
	Stale       FaultKind = "stale"        // a read that shows the world as it was before the propagation bound
)

// Outcomes returns every fault that a call can have.
func Outcomes(call string) []FaultKind {
	definite := []FaultKind{Refused, Throttled, Denied, Rejected}
	switch call {
	case "create":
		return append(definite, CrashBefore, CrashAfter, LostReply, Timeout, Reset, ServerError, Malformed, Missing, Conflict, Quota)
	case "revoke", "activate":
		return append(definite, CrashBefore, CrashAfter, LostReply, Timeout, Reset, ServerError, Malformed, Missing, Conflict)
	case "inspect", "recover":
		return append(definite, CrashBefore, Timeout, Reset, Malformed, Missing, Stale)
	case "verify":
		return append(definite, CrashBefore, Timeout, Reset, Malformed, Stale)
	case "vault.read":
		return []FaultKind{CrashBefore, Timeout, Reset, Refused, Denied, Stale}
	case "vault.time":
		return []FaultKind{CrashBefore, Timeout, Refused, Denied}
	case "commit":
		return []FaultKind{CrashBefore, CrashAfter}
	}
	return []FaultKind{CrashBefore, CrashAfter, LostReply, Timeout, Reset, ServerError, Refused, Denied}
}

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

	// Acting is told of every mutation right before it takes effect; nil = nobody is.
	Acting func(oracle.Act)
	// Calling is told of every call before anything else happens: a place for what others do meanwhile; nil = nobody does.
	Calling func(index int, call string)

	behind bool // the present call is answered with the world as it was
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
	if w.Calling != nil {
		w.Calling(index, name)
	}
	kind, ok := w.Faults[index]
	if ok {
		w.Hit++
	}
	switch kind {
	case CrashBefore:
		panic(Crash{name})
	case Timeout:
		w.Advance(Deadline)
		return kind
	case Refused, Reset, Throttled, Denied, Missing, Conflict, Rejected, Quota:
		return kind
	case CrashAfter, LostReply, Malformed, ServerError, Stale:
	}
	w.behind = kind == Stale
	do()
	w.behind = false
	switch kind {
	case CrashAfter:
		panic(Crash{name})
	case LostReply:
		w.Advance(Deadline)
	default:
	}
	return kind
}

func (w *World) act(a oracle.Act) {
	if w.Acting != nil {
		w.Acting(a)
	}
}

// stale says whether the call that is being made is to see the world as it was.
func (w *World) stale() bool { return w.behind }

// Commit passes a commit of the state through the faults. A commit has no reply that could be lost: it either takes
// effect or the process dies, because any error of a commit is fatal.
func (w *World) Commit(do func()) {
	switch w.Faults[len(w.Trace)] {
	case CrashBefore, CrashAfter, "":
	case LostReply, Malformed, ServerError:
		w.Faults[len(w.Trace)] = CrashAfter
	default:
		w.Faults[len(w.Trace)] = CrashBefore
	}
	w.call("commit", do)
}

// fault turns a kind into the error that the caller of a provider sees.
func (w *World) fault(kind FaultKind, operation string) error {
	fail := func(class providers.Class, after time.Duration, err error) error {
		return &providers.Error{Class: class, Provider: "model", Operation: operation, After: after, Err: err}
	}
	switch kind {
	case LostReply, Timeout:
		return fail(providers.ClassIndeterminate, 0, context.DeadlineExceeded)
	case Reset, ServerError:
		return fail(providers.ClassIndeterminate, 0, errReset)
	case Refused:
		return fail(providers.ClassUnavailable, 0, nil)
	case Throttled:
		return fail(providers.ClassThrottled, 30*time.Second, nil)
	case Denied:
		return fail(providers.ClassAuth, 0, nil)
	case Missing:
		return fail(providers.ClassNotFound, 0, nil)
	case Conflict:
		return fail(providers.ClassConflict, 0, nil)
	case Rejected:
		return fail(providers.ClassRejected, 0, nil)
	case Quota:
		return fail(providers.ClassQuota, 0, nil)
	case Malformed:
		return fail(providers.ClassNotUnderstood, 0, nil)
	default:
		return nil
	}
}

var errReset = errors.New("the connection broke")

// Time limits of the model.
const (
	Deadline    = 10 * time.Second
	Propagation = 20 * time.Second
)
