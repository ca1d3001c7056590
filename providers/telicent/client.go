package telicent

import (
	"context"
	"net/http"
	"net/url"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api is the protocol: which call is made for what.
type api struct {
	client *httpapi.Client
	paths  paths
	header http.Header
}

// status reads what the server knows of a client's secrets. A client that has none may be answered with 404; the
// client itself is then asked for, to tell that from a client that does not exist.
func (a api) status(ctx context.Context, operation, id string) (status, error) {
	resp, err := a.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: secretPath(id), Header: a.header.Clone(),
	})
	if providers.ClassOf(err) == providers.ClassNotFound && a.exists(ctx, operation, id) {
		return status{}, nil
	}
	if err != nil {
		return status{}, err
	}
	var body any
	if err = resp.Decode(&body); err != nil {
		return status{}, err
	}
	seen, err := a.paths.status(body)
	if err != nil {
		return status{}, resp.Failed(providers.ClassUnavailable, err)
	}
	seen.time = resp.Time
	return seen, nil
}

// exists says whether the server certainly knows the client. Any doubt is a no: then the first answer stands.
func (a api) exists(ctx context.Context, operation, id string) bool {
	_, err := a.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: httpapi.Path("clients", id), Header: a.header.Clone(),
	})
	return err == nil
}

// change makes a secret: the first one, or the next one. It is sent once.
func (a api) change(ctx context.Context, id string, rotate bool) (*httpapi.Response, error) {
	path := secretPath(id)
	if rotate {
		path += "/rotate"
	}
	return a.client.Do(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: path, Header: a.header.Clone(), Mutates: true,
	})
}

// endPrevious ends the previous secret. One that is gone already is success.
func (a api) endPrevious(ctx context.Context, id string) error {
	_, err := a.client.Do(ctx, httpapi.Request{
		Operation: "revoke", Method: http.MethodDelete, Path: secretPath(id),
		Query: url.Values{"target": {providers.SlotPrevious}}, Header: a.header.Clone(), Mutates: true,
	})
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	return err
}

func secretPath(id string) string { return httpapi.Path("clients", id, "secret") }

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}
