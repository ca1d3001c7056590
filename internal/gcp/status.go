package gcp

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Status is what an error of a Google API says (google.aip.dev/193). Its texts are compared, never printed.
type Status struct {
	Code    string // status: NOT_FOUND, ...; one of the closed set, else empty
	Message string
	Reason  string        // of an ErrorInfo
	Policy  bool          // a constraint of the organization forbids it
	Wait    time.Duration // of a RetryInfo; 0 = none is given
}

// codes are the names of google.rpc.Code that are of use in an error.
var codes = []string{
	"CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// StatusOf reads the error in a reply; the zero value where there is none.
func StatusOf(resp *httpapi.Response) Status {
	var body struct {
		Error struct {
			Status  string            `json:"status"`
			Message string            `json:"message"`
			Details []json.RawMessage `json:"details"`
		} `json:"error"`
	}
	if resp == nil || resp.Status/100 == 2 || httpapi.Unmarshal(resp.Raw(), &body) != nil {
		return Status{}
	}
	s := Status{Message: body.Error.Message}
	if slices.Contains(codes, body.Error.Status) {
		s.Code = body.Error.Status
	}
	for _, raw := range body.Error.Details {
		s.read(raw)
	}
	return s
}

// read adds one of the details. They are of many types, and one that is not understood is passed over.
func (s *Status) read(raw json.RawMessage) {
	var detail struct {
		Type       string `json:"@type"`
		Reason     string `json:"reason"`
		Delay      string `json:"retryDelay"`
		Violations []struct {
			Type string `json:"type"`
		} `json:"violations"`
	}
	if json.Unmarshal(raw, &detail) != nil {
		return
	}
	switch detail.Type {
	case "type.googleapis.com/google.rpc.ErrorInfo":
		s.Reason = detail.Reason
	case "type.googleapis.com/google.rpc.RetryInfo":
		if wait, err := time.ParseDuration(detail.Delay); err == nil && wait > 0 {
			s.Wait = wait
		}
	case "type.googleapis.com/google.rpc.PreconditionFailure":
		for _, v := range detail.Violations {
			s.Policy = s.Policy || strings.HasPrefix(v.Type, "constraints/")
		}
	}
}

var (
	errPolicy   = errors.New("a constraint of the organization forbids it (gcloud org-policies list; for keys iam.disableServiceAccountKeyCreation, and iam.managed.disableServiceAccountKeyCreation)")
	errNotThere = errors.New("the API is not enabled in the project: gcloud services enable iam.googleapis.com")
)

// full is how Google says that there is no place for one more key. Newer answers say FAILED_PRECONDITION and nothing else.
const full = "Maximum number of keys"

// classify names what a status of HTTP does not say.
func classify(resp *httpapi.Response) (class providers.Class, ok bool) {
	switch s := StatusOf(resp); {
	case s.Policy:
		return providers.ClassUnsupported, true
	case s.Code == "RESOURCE_EXHAUSTED" && strings.HasPrefix(s.Message, full):
		return providers.ClassQuota, true
	}
	return "", false
}

// named adds Google's status to an error, and how long to wait where no header says so.
func named(resp *httpapi.Response, err error) error {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || resp == nil {
		return err
	}
	s := StatusOf(resp)
	if e.Code == "" {
		e.Code = s.Code
	}
	switch {
	case s.Policy:
		e.Err = errPolicy
	case s.Reason == "SERVICE_DISABLED":
		e.Err = errNotThere
	}
	if e.After == 0 && (e.Class == providers.ClassThrottled || e.Class == providers.ClassUnavailable) {
		e.After = s.Wait
	}
	return e
}
