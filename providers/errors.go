package providers

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says what may be concluded from a failed call.
type Class string

// The classes of errors. Only ClassIndeterminate and ClassNotUnderstood leave open whether a change took place.
const (
	ClassThrottled     Class = "throttled"      // nothing happened; try again after Error.After
	ClassBusy          Class = "busy"           // nothing happened; the provider is already at it
	ClassConflict      Class = "conflict"       // nothing happened; look again first
	ClassQuota         Class = "quota"          // nothing happened; no free slot
	ClassAuth          Class = "auth"           // nothing happened; rotad's own credential is refused or lacks a right
	ClassNotFound      Class = "not-found"      // nothing happened; no such client or secret
	ClassRejected      Class = "rejected"       // nothing happened; the provider refuses this request as it stands
	ClassUnsupported   Class = "unsupported"    // nothing happened; the provider cannot do this
	ClassUnavailable   Class = "unavailable"    // nothing was sent, or a read failed; try again
	ClassIndeterminate Class = "indeterminate"  // it may have happened
	ClassNotUnderstood Class = "not-understood" // it has happened, and the reply could not be read
)

// Error is a failed call to a provider. It names the provider, the operation and the provider's request id, and never
// carries a body.
type Error struct {
	Class     Class
	Provider  string
	Operation string        // "inspect", "create", "verify", ...
	Status    int           // HTTP status; 0 = none
	Code      string        // the provider's own error code, cleaned and cut
	RequestID string        // the provider's request id
	After     time.Duration // throttled, busy: wait at least this long; 0 = not said
	Err       error         // cause; its text must be free of bodies and secrets
}

// Error says what failed, where, and what is known.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s", orUnnamed(e.Provider), orUnnamed(e.Operation), e.Class)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " %s", e.Code)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", e.RequestID)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func orUnnamed(s string) string {
	if s == "" {
		return "provider"
	}
	return s
}

// ClassOf returns the class of an error; ClassIndeterminate for one that has none, because nothing may be concluded
// from it. It returns "" for nil.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ClassIndeterminate
}

// RetryAfter returns how long the provider asked to wait; 0 if it did not.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.After
	}
	return 0
}

// Definite says whether an error proves that nothing was changed.
func Definite(err error) bool {
	switch ClassOf(err) {
	case ClassIndeterminate, ClassNotUnderstood:
		return false
	default:
		return err != nil
	}
}
