package kubernetes

import (
	"context"
	"net/http"
	"net/url"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// limit is how much of an answer is read: a Secret holds up to 1 MiB, in base64, and who owns which field of it.
const limit = 4 << 20

// Verbs of the API, which are the rights of a Role as well.
const (
	verbGet    = "get"
	verbCreate = "create"
	verbPatch  = "patch"
)

// api asks the API server about one Secret.
type api struct {
	client          *httpapi.Client
	connection      connection
	namespace, name string
	who             string // whose login it is, for people
}

func open(p credential.KubernetesPlace) (api, error) {
	a, err := accessOf(p)
	if err != nil {
		return api{}, err
	}
	headers := map[string]string{"User-Agent": "rotad"}
	if !a.token.Empty() {
		headers["Authorization"] = "Bearer " + a.token.Reveal()
	}
	c := a.connect()
	client, err := httpapi.New(httpapi.Config{
		Provider: "API server " + a.server.Host, Base: a.server.String(), Headers: headers, Limit: limit, Transport: c,
	})
	return api{client, c, p.Namespace, p.Secret, a.who}, err
}

func (a api) collection() string {
	return httpapi.Path("api", "v1", "namespaces", a.namespace, "secrets")
}

func (a api) path() string { return a.collection() + httpapi.Path(a.name) }

// read returns the Secret as the API server has it now; nil if there is none.
func (a api) read(ctx context.Context) (*secret, error) {
	var s secret
	resp, err := a.client.Do(ctx, httpapi.Request{Operation: verbGet, Method: http.MethodGet, Path: a.path()})
	if err != nil {
		if missing(resp, a.name) {
			return nil, nil //nolint:nilnil // no Secret is an answer
		}
		return nil, a.explained(verbGet, resp, err)
	}
	if err = resp.Decode(&s); err != nil {
		return nil, err
	}
	if !s.is(a.namespace, a.name) {
		return nil, resp.Missing("the Secret")
	}
	return &s, nil
}

// create makes the Secret; a conflict if there is one by now.
func (a api) create(ctx context.Context, w wanted) error {
	return a.change(ctx, verbCreate, httpapi.Request{
		Method: http.MethodPost, Path: a.collection(),
		JSON: map[string]any{
			"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
			"metadata": map[string]any{
				"name": a.name, "namespace": a.namespace, "labels": map[string]string{"app.kubernetes.io/managed-by": "rotad"},
			},
			"data": w.made(),
		},
	})
}

// patch changes rotad's keys; a conflict if the Secret is not of that version any more.
func (a api) patch(ctx context.Context, version string, w wanted) error {
	return a.change(ctx, verbPatch, httpapi.Request{
		Method: http.MethodPatch, Path: a.path(), Header: http.Header{"Content-Type": {"application/merge-patch+json"}},
		JSON: map[string]any{"metadata": map[string]string{"resourceVersion": version}, "data": w.changed()},
	})
}

func (a api) change(ctx context.Context, verb string, r httpapi.Request) error {
	r.Operation, r.Mutates = verb, true
	r.Query = url.Values{"fieldManager": {"rotad"}}
	resp, err := a.client.Do(ctx, r)
	if err != nil {
		return a.explained(verb, resp, err)
	}
	return nil
}
