package httpapi

import (
	"net/http"

	"github.com/rotad/rotad/providers"
)

// Classify says what a status that is no success lets one conclude (RFC 9110 section 15). For a request that changes
// something, every status that a server or a proxy may send after the change was made counts as indeterminate.
func Classify(status int, mutates bool) providers.Class {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return providers.ClassAuth
	case http.StatusNotFound, http.StatusGone:
		return providers.ClassNotFound
	case http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return providers.ClassUnsupported
	case http.StatusConflict, http.StatusPreconditionFailed:
		return providers.ClassConflict
	case http.StatusLocked, http.StatusTooEarly:
		return providers.ClassBusy
	case http.StatusTooManyRequests:
		return providers.ClassThrottled
	case http.StatusRequestTimeout, http.StatusSeeOther, 499: // 499: a proxy saw the client leave
		return unknown(mutates)
	}
	if status/100 == 3 || status/100 == 4 {
		return providers.ClassRejected
	}
	return unknown(mutates)
}

// unknown is the class of a failure that proves nothing.
func unknown(mutates bool) providers.Class {
	if mutates {
		return providers.ClassIndeterminate
	}
	return providers.ClassUnavailable
}
