package kubernetes

import (
	"context"
	"net/http"
	"net/url"

	"github.com/rotad/rotad/internal/apiserver"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// api asks the API server about one Secret.
type api struct {
	*apiserver.Server
	namespace, name string
}

// resource is what Secrets are called in paths, and by the API server when one is missing.
const resource = "secrets"

func open(p credential.KubernetesPlace) (api, error) {
	s, err := apiserver.Open(apiserver.Place{Kubeconfig: p.Kubeconfig, Context: p.Context})
	return api{s, p.Namespace, p.Secret}, err
}

func (a api) collection() string {
	return httpapi.Path("api", "v1", "namespaces", a.namespace, resource)
}

func (a api) path() string { return a.collection() + httpapi.Path(a.name) }

// read returns the Secret as the API server has it now; nil if there is none.
func (a api) read(ctx context.Context) (*secret, error) {
	var s secret
	resp, err := a.Do(ctx, httpapi.Request{Operation: apiserver.VerbGet, Method: http.MethodGet, Path: a.path()})
	if err != nil {
		if apiserver.Missing(resp, resource, a.name) {
			return nil, nil //nolint:nilnil // no Secret is an answer
		}
		return nil, a.explained(apiserver.VerbGet, resp, err)
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
	return a.change(ctx, apiserver.VerbCreate, httpapi.Request{
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
	return a.change(ctx, apiserver.VerbPatch, httpapi.Request{
		Method: http.MethodPatch, Path: a.path(), Header: http.Header{"Content-Type": {apiserver.MergePatch}},
		JSON: map[string]any{"metadata": map[string]string{"resourceVersion": version}, "data": w.changed()},
	})
}

func (a api) change(ctx context.Context, verb string, r httpapi.Request) error {
	r.Operation, r.Mutates = verb, true
	r.Query = url.Values{"fieldManager": {"rotad"}}
	resp, err := a.Do(ctx, r)
	if err != nil {
		return a.explained(verb, resp, err)
	}
	return nil
}
