package vault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/rotad/rotad/internal/credential"
)

// Class says what sort of failure a call ended with.
type Class string

// The classes. The first four unwrap to the errors of package credential and mean that nothing was written, except
// that a mismatch may be caused by our own write whose reply was lost.
const (
	ClassMismatch      Class = "version-mismatch" // credential.ErrCAS
	ClassDenied        Class = "denied"           // credential.ErrDenied
	ClassSealed        Class = "sealed"           // credential.ErrSealed
	ClassNoMount       Class = "no-mount"         // credential.ErrNoMount
	ClassThrottled     Class = "throttled"        // a quota is used up (HTTP 429)
	ClassRejected      Class = "rejected"         // the request is not acceptable as it stands
	ClassUnavailable   Class = "unavailable"      // no answer, or one that a server gives when it is in trouble
	ClassTimeout       Class = "timeout"          // the deadline of the call passed
	ClassCancelled     Class = "cancelled"        // whoever asked has given up
	ClassNotUnderstood Class = "not-understood"   // the reply is not what Vault says
)

// Error is a failed call. Its text never holds anything of a reply.
type Error struct {
	Op     string // "reading", "writing", "patching", ...
	Path   string // API path below v1/, without query; empty = none was reached
	Class  Class
	Status int    // HTTP status; 0 = none
	Detail string // what is known beyond the class; written by us
	cause  error  // a sentinel, or the context's error
}

// Error says what was done, where, and what came of it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s vault", e.Op)
	if e.Path != "" {
		fmt.Fprintf(&b, " %s", e.Path)
	}
	fmt.Fprintf(&b, ": %s", e.Class)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	switch {
	case e.Detail != "":
		fmt.Fprintf(&b, ": %s", e.Detail)
	case e.cause != nil:
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	return b.String()
}

// Unwrap returns one of the errors of package credential, the context's error, or nil.
func (e *Error) Unwrap() error { return e.cause }

// ClassOf returns the class of an error of this package; "" for nil and for errors of others.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ""
}

// failure turns what the Vault library returned into an *Error. It returns nil for nil.
func failure(op, path string, err error) error {
	if err == nil {
		return nil
	}
	if _, already := errors.AsType[*Error](err); already {
		return err
	}
	if reply, ok := errors.AsType[*api.ResponseError](err); ok {
		return refusal(op, path, reply)
	}
	return transportFailure(op, path, err)
}

// refusal classifies an answer that is not a success. Vault has no machine-readable codes, so its own words decide
// where the status alone would say too little: a 503 that does not say "sealed" may come from a proxy that lost the
// answer to a write that took place.
func refusal(op, path string, reply *api.ResponseError) error {
	e := &Error{Op: op, Path: path, Status: reply.StatusCode, Class: ClassUnavailable}
	switch status := reply.StatusCode; {
	case foreign(reply):
		e.Class, e.Detail = ClassNotUnderstood, "the answer does not come from Vault (a proxy?)"
	case status == http.StatusBadRequest && says(reply, "check-and-set parameter did not match"):
		e.Class, e.cause = ClassMismatch, credential.ErrCAS
	case status == http.StatusForbidden:
		e.Class, e.cause = ClassDenied, credential.ErrDenied
	case status == http.StatusNotFound && says(reply, "no handler for route"):
		e.Class, e.cause = ClassNoMount, credential.ErrNoMount
	case notReady(reply):
		e.Class, e.cause = ClassSealed, credential.ErrSealed
	case status == http.StatusTooManyRequests:
		e.Class = ClassThrottled
	case status < http.StatusInternalServerError:
		e.Class = ClassRejected
	}
	return e
}

// foreign recognises an answer that Vault has not given: each of its refusals is JSON with a list of errors.
func foreign(reply *api.ResponseError) bool {
	final := reply.StatusCode < http.StatusInternalServerError && reply.StatusCode != http.StatusTooManyRequests
	return final && (reply.RawError || reply.Errors == nil)
}

// notReady recognises a node that has not touched the request: sealed, or a standby that knows no active node.
func notReady(reply *api.ResponseError) bool {
	if reply.RawError {
		return false
	}
	switch reply.StatusCode {
	case http.StatusServiceUnavailable:
		return says(reply, "vault is sealed") || says(reply, "node is not active") ||
			says(reply, "no active vault instance")
	case http.StatusInternalServerError:
		return says(reply, "active cluster node not found")
	}
	return false
}

func says(reply *api.ResponseError, words string) bool {
	for _, text := range reply.Errors {
		if strings.Contains(strings.ToLower(text), words) {
			return true
		}
	}
	return false
}

func transportFailure(op, path string, err error) error {
	e := &Error{Op: op, Path: path, Class: ClassUnavailable, Detail: plainCause(err)}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Class, e.Detail, e.cause = ClassTimeout, "", context.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		e.Class, e.Detail, e.cause = ClassCancelled, "", context.Canceled
	case e.Detail == "":
		e.Class, e.Detail = ClassNotUnderstood, "the answer broke off or cannot be read"
	}
	return e
}

// plainCause returns the text of the errors that are known to speak of addresses and certificates only. Others may
// quote a piece of the answer ("malformed HTTP response ...") and yield "".
func plainCause(err error) string {
	var (
		network  *net.OpError
		lookup   *net.DNSError
		verify   *tls.CertificateVerificationError
		host     x509.HostnameError
		unknown  x509.UnknownAuthorityError
		plain    tls.RecordHeaderError
		tooLarge *http.MaxBytesError
	)
	switch {
	case errors.As(err, &verify):
		return verify.Error()
	case errors.As(err, &host):
		return host.Error()
	case errors.As(err, &unknown):
		return unknown.Error()
	case errors.As(err, &lookup):
		return lookup.Error()
	case errors.As(err, &network):
		return network.Error()
	case errors.As(err, &plain):
		return "the server does not speak TLS on this port"
	case errors.As(err, &tooLarge):
		return "the answer is larger than any that Vault gives"
	}
	return ""
}
