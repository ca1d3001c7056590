package telekom

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api is the protocol: which call is made for what.
type api struct {
	http   *httpapi.Client
	prefix string // of every id: group--team--
}

// id is what the platform calls an application. It is the application's client_id as well.
func (a api) id(application string) string { return a.prefix + application }

func (a api) path(application string, rest ...string) string {
	return httpapi.Path(append([]string{"rovers", a.id(application)}, rest...)...)
}

var (
	errNotProcessed = errors.New("the platform says that the application is not processed yet, or that its name cannot be one")
	errTooOld       = errors.New("the platform knows the application and shows no status of a rotation: it is older than graceful rotation")
)

// status reads both secrets and both deadlines.
func (a api) status(ctx context.Context, operation, application string) (status, error) {
	var w wireStatus
	resp, err := a.http.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: a.path(application, "secret", "status"),
	}, &w)
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound && a.exists(ctx, operation, application):
		return status{}, resp.Failed(providers.ClassUnsupported, errTooOld)
	case err != nil:
		return status{}, explained(resp, err)
	}
	seen, err := w.status()
	if err != nil {
		return status{}, resp.Failed(providers.ClassUnavailable, err)
	}
	seen.time = resp.Time
	return seen, nil
}

// explained says what a 400 means here: the platform answers so for an application that it has not processed yet.
func explained(resp *httpapi.Response, err error) error {
	if resp != nil && resp.Status == http.StatusBadRequest {
		return resp.Failed(providers.ClassBusy, errNotProcessed)
	}
	return err
}

// exists says whether the platform certainly knows the application. Any doubt is a no: then the first answer stands.
func (a api) exists(ctx context.Context, operation, application string) bool {
	_, err := a.info(ctx, operation, application)
	return err == nil
}

// info reads where the application logs in.
func (a api) info(ctx context.Context, operation, application string) (info, error) {
	var w wireInfo
	resp, err := a.http.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: a.path(application, "info"),
	}, &w)
	if err != nil {
		return info{}, explained(resp, err)
	}
	return w.info(), nil
}

// rotate asks for a rotation. It is the one request of this package that changes something. The reply says no more than
// that the wish was taken, but it must be one of this API: what a proxy answers is no sign of a rotation.
func (a api) rotate(ctx context.Context, application string) (*httpapi.Response, error) {
	var w wireAccepted
	resp, err := a.http.Into(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPatch, Path: a.path(application, "secret"), Mutates: true,
	}, &w)
	return resp, explained(resp, err)
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.http.Provider(), Operation: operation, Err: cause}
}

func (a api) application(t providers.Target, operation string) (string, error) {
	if name := t.Ref[refApplication]; name != "" {
		return name, nil
	}
	return "", a.fault(operation, providers.ClassRejected, fmt.Errorf("the client's ref has no %s", refApplication))
}
