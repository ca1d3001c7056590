package rollout

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/rotad/rotad/internal/apiserver"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api asks the API server about one workload.
type api struct {
	*apiserver.Server
	kind            kind
	namespace, name string
}

// kind is a kind of workload.
type kind struct {
	written  string // in the configuration, and for kubectl
	object   string // in an object
	resource string // in paths, rights, and a Status
}

func kindOf(written string) kind {
	switch written {
	case "statefulset":
		return kind{written, kindStatefulSet, "statefulsets"}
	case "daemonset":
		return kind{written, kindDaemonSet, "daemonsets"}
	default:
		return kind{written, kindDeployment, "deployments"}
	}
}

func open(w credential.RolloutReload) (api, error) {
	written, name, ok := w.Named()
	if !ok {
		return api{}, fmt.Errorf("%q is no workload that can be restarted, as deployment/billing is", w.Workload)
	}
	s, err := apiserver.Open(apiserver.Place{Kubeconfig: w.Kubeconfig, Context: w.Context})
	return api{s, kindOf(written), w.Namespace, name}, err
}

func (a api) read(ctx context.Context) (*workload, error) {
	return a.ask(ctx, apiserver.VerbGet, httpapi.Request{Method: http.MethodGet})
}

// mark writes rotad's annotation into the template of the pods, and nothing else.
func (a api) mark(ctx context.Context, o credential.Occasion) (*workload, error) {
	annotations := map[string]any{"annotations": map[string]string{annotation(o.Client): mark(o)}}
	return a.ask(ctx, apiserver.VerbPatch, httpapi.Request{
		Method: http.MethodPatch, Mutates: true, Query: url.Values{"fieldManager": {"rotad"}},
		Header: http.Header{"Content-Type": {apiserver.MergePatch}},
		JSON:   map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": annotations}}},
	})
}

func (a api) ask(ctx context.Context, verb string, r httpapi.Request) (*workload, error) {
	r.Operation, r.Path = verb, httpapi.Path("apis", "apps", "v1", "namespaces", a.namespace, a.kind.resource, a.name)
	resp, err := a.Do(ctx, r)
	if err != nil {
		return nil, a.explained(verb, resp, err)
	}
	var w workload
	if err = resp.Decode(&w); err != nil {
		return nil, err
	}
	if !w.is(a.kind, a.namespace, a.name) {
		return nil, resp.Missing("the " + a.kind.object)
	}
	return &w, nil
}

// explained adds to a refusal what it means and what to do.
func (a api) explained(verb string, resp *httpapi.Response, err error) error {
	switch {
	case resp == nil:
		return err
	case resp.Status == http.StatusForbidden:
		return resp.Failed(providers.ClassOf(err), a.forbidden(verb))
	case apiserver.Missing(resp, a.kind.resource, a.name):
		return resp.Failed(providers.ClassNotFound, fmt.Errorf("there is no %s of that name in that namespace", a.kind.object))
	case resp.Status == http.StatusNotFound:
		return resp.Failed(providers.ClassUnavailable, errors.New("this is no answer of Kubernetes: is the server the right one?"))
	}
	return err
}

func (a api) forbidden(verb string) error {
	return fmt.Errorf("%s lacks the right to %s the %s %s in the namespace %s; deploy/kubernetes/rollout.yaml has a Role (if it has "+
		"the right, an admission policy refuses)", a.Who, verb, a.kind.object, a.name, a.namespace)
}
