package httpapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// transportError is a failed connection in words of our own. The messages of net/http repeat the URL and pieces of
// malformed replies; those must not reach a log. The cause stays reachable for errors.Is.
type transportError struct {
	text  string
	cause error
}

func (e *transportError) Error() string { return e.text }
func (e *transportError) Unwrap() error { return e.cause }

// connectionFailed are the words for an error that nobody knows. It may quote a piece of the reply, which may be a secret
// ("failed to parse Location header ..."), so it is not kept as a cause either: some log prints the whole chain.
const connectionFailed = "the connection failed"

// describe puts a transport error into a closed set of words, with the address where it was not reached.
func describe(err error) error {
	text := words(err)
	if text == connectionFailed {
		err = nil
	}
	return &transportError{text: text, cause: err}
}

func words(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	dialled := errors.As(err, &op) && op.Op == "dial"
	switch {
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "no answer within the deadline"
	case errors.Is(err, context.Canceled):
		return "the call was cancelled"
	case errors.As(err, &dns):
		return fmt.Sprintf("the host name %q cannot be resolved", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection" + whereTo(op) + " was refused"
	case isTLS(err):
		return "the TLS connection was not made: " + tlsWords(err)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before the whole reply came"
	case dialled:
		return "no connection" + whereTo(op) + " could be made"
	default:
		return connectionFailed
	}
}

// whereTo names the address that was dialled: of a whole URL it is the part that holds no secret, and at a wrong address it
// is what has to be known.
func whereTo(op *net.OpError) string {
	if op == nil || op.Addr == nil {
		return ""
	}
	return " to " + op.Addr.String()
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &verification) || errors.As(err, &header) || errors.As(err, &alert) ||
		errors.Is(err, http.ErrSchemeMismatch)
}

func tlsWords(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return "the certificate is signed by an unknown authority"
	case errors.As(err, &host):
		return "the certificate is for another host name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet"
	case errors.As(err, &header), errors.Is(err, http.ErrSchemeMismatch):
		return "the server does not speak TLS"
	default:
		return "the handshake failed"
	}
}

// beforeSending says whether an error can only have happened before a byte of the request left.
func beforeSending(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dns) || errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &certificate) ||
		(errors.As(err, &op) && op.Op == "dial")
}
