package admin

import (
	"errors"
	"net/http"
)

// Class says what kind of failure an Error is.
type Class string

// The classes of errors. The zero value counts as ClassFailed.
const (
	ClassRefused  Class = "refused"   // a hold, a conflict: the world is not as it would have to be
	ClassNotFound Class = "not-found" // there is no such client
	ClassWrong    Class = "wrong"     // the request itself is wrong
	ClassFailed   Class = "failed"    // it went wrong
)

// Error is an answer other than yes: nothing has changed.
type Error struct {
	Class Class
	Why   string
	Hint  string // what to do; may be empty
}

// Error says why.
func (e *Error) Error() string { return e.Why }

// Errors of a Client that could not ask.
var (
	// ErrNoDaemon: nobody listens on the socket.
	ErrNoDaemon = errors.New("no daemon listens on the admin socket")
	// ErrNoRight: the socket may not be opened by this user.
	ErrNoRight = errors.New("this user has no right to the admin socket")
)

func (c Class) status() int {
	switch c {
	case ClassRefused:
		return http.StatusConflict
	case ClassNotFound:
		return http.StatusNotFound
	case ClassWrong:
		return http.StatusBadRequest
	case ClassFailed:
	}
	return http.StatusInternalServerError
}

func classOf(status int) Class {
	switch status {
	case http.StatusConflict:
		return ClassRefused
	case http.StatusNotFound:
		return ClassNotFound
	case http.StatusBadRequest:
		return ClassWrong
	default:
		return ClassFailed
	}
}

// asError returns an error as it is answered.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Class: ClassFailed, Why: err.Error(), Hint: "the log of the daemon says more"}
}

func wrong(why, hint string) error { return &Error{Class: ClassWrong, Why: why, Hint: hint} }
