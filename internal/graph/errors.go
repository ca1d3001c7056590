package graph

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Classify names the errors of Graph whose code says more than their status.
func Classify(r *httpapi.Response) (class providers.Class, ok bool) {
	switch r.Code() {
	case "Directory_ConcurrencyViolation": // Graph says itself that nothing was done
		return providers.ClassBusy, true
	case "TooManyAppPasswords", "Directory_QuotaExceeded":
		return providers.ClassQuota, true
	case "CredentialTypeNotAllowedAsPerAppPolicy":
		return providers.ClassUnsupported, true
	}
	return "", false
}

// concurrencyWait is how long Graph wants to be left alone after a conflict, where it does not say: its message asks
// for a brief wait.
const concurrencyWait = 5 * time.Second

// Waiting adds that wait to an error that lacks it.
func Waiting(err error) error {
	var e *providers.Error
	if errors.As(err, &e) && e.Class == providers.ClassBusy && e.After == 0 {
		e.After = concurrencyWait
	}
	return err
}

// noApplication is the number of the error about an application that is not there
// (learn.microsoft.com/entra/identity-platform/reference-error-codes).
const noApplication = 700016

var errNumber = errors.New("the token service answers")

// Numbered adds the number of Entra's error, which is what its documentation is sorted by. The class is about the application that was
// asked with, never about rotad's own.
func Numbered(err error, number int) error {
	cause := fmt.Errorf("%w AADSTS%d", errNumber, number)
	var e *providers.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	named := *e
	named.Err = cause
	switch {
	case number == noApplication:
		named.Class = providers.ClassNotFound
	case e.Class == providers.ClassAuth: // that class is about rotad's own account, which took no part
		named.Class = providers.ClassRejected
	}
	return &named
}

var errorNumberForm = regexp.MustCompile(`^AADSTS(\d{1,9}):`)

// ErrorNumber reads "AADSTS7000215: ..." of an error_description; 0 = there is none.
func ErrorNumber(description string) int {
	m := errorNumberForm.FindStringSubmatch(description)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}
