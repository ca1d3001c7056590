package odc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api is the protocol of the endpoint that was asked for (idea "Programmatic Secret Renewal via Management API").
type api struct{ client *httpapi.Client }

// rotation is the body of the request; without an overlap none is sent.
type rotation struct {
	OverlapHours int `json:"overlap_hours"`
}

func rotatePath(id string) string {
	return httpapi.Path("api", "v1", "clients", id, "secrets", "rotate")
}

// rotate makes a new secret. It is sent once.
func (a api) rotate(ctx context.Context, id string, hours int) (*httpapi.Response, error) {
	r := httpapi.Request{Operation: "create", Method: http.MethodPost, Path: rotatePath(id), Mutates: true}
	if hours > 0 {
		r.JSON = rotation{hours}
	}
	var body any
	resp, err := a.client.Into(ctx, r, &body)
	return resp, err
}

// look asks what may be done at the address of the endpoint. Only a success that names POST in Allow (RFC 9110 section
// 10.2.1) is a yes: gateways answer OPTIONS by themselves, for addresses of which nobody knows, and login pages answer
// everything. A refusal that is about rotad, or that may have another reason, says nothing.
func (a api) look(ctx context.Context, operation, id string) sighting {
	resp, err := a.client.Do(ctx, httpapi.Request{Operation: operation, Method: http.MethodOptions, Path: rotatePath(id)})
	switch {
	case err == nil && allows(resp.Header, http.MethodPost):
		return present
	case err == nil, resp != nil && slices.Contains(absentStatus, resp.Status):
		return absent
	}
	return unsure
}

// allows says whether the header Allow names a method.
func allows(h http.Header, method string) bool {
	for _, line := range h.Values("Allow") {
		for word := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(word) == method {
				return true
			}
		}
	}
	return false
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}

// because gives an error of a reply its class and its cause.
func because(err error, class providers.Class, cause error) error {
	if e, ok := errors.AsType[*providers.Error](err); ok {
		said := *e
		said.Class, said.Err = class, cause
		return &said
	}
	return err
}
