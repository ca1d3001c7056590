package chart_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// collections are where the API keeps objects of a kind, in a namespace.
var collections = map[string]string{
	"ConfigMap": "api/v1/%sconfigmaps", "Secret": "api/v1/%ssecrets", "Service": "api/v1/%sservices", "Pod": "api/v1/%spods",
	"ServiceAccount": "api/v1/%sserviceaccounts", "PersistentVolumeClaim": "api/v1/%spersistentvolumeclaims",
	"Namespace": "api/v1/%snamespaces", "Deployment": "apis/apps/v1/%sdeployments", "Job": "apis/batch/v1/%sjobs",
	"NetworkPolicy":            "apis/networking.k8s.io/v1/%snetworkpolicies",
	"Ingress":                  "apis/networking.k8s.io/v1/%singresses",
	"ServiceMonitor":           "apis/monitoring.coreos.com/v1/%sservicemonitors",
	"PrometheusRule":           "apis/monitoring.coreos.com/v1/%sprometheusrules",
	"CustomResourceDefinition": "apis/apiextensions.k8s.io/v1/%scustomresourcedefinitions",
}

// api is the API server that all tests share. Whoever asks first starts it.
var api struct {
	once sync.Once
	*servers.Kubernetes
	dir string
	err error
}

func startAPI(ctx context.Context) error {
	api.once.Do(func() {
		if api.dir, api.err = servers.TempDir(); api.err == nil {
			api.Kubernetes, api.err = servers.StartKubernetes(ctx, shared.Cache, shared.Module, api.dir)
		}
	})
	return api.err
}

func stopAPI() {
	if api.Kubernetes != nil {
		api.Stop()
	}
	if api.dir != "" {
		_ = os.RemoveAll(api.dir)
	}
}

// cluster is the shared API server, and a namespace of it in which only pods without rights are let in.
type cluster struct {
	*servers.Kubernetes
	t         testing.TB
	namespace string
	printed   *string // by the last helm
}

func newCluster(t testing.TB, namespace string) cluster {
	t.Helper()
	must(t, startAPI(context.WithoutCancel(t.Context())))
	c := cluster{Kubernetes: api.Kubernetes, t: t, namespace: namespace, printed: new(string)}
	c.create(object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
		"name": namespace, "labels": map[string]any{"pod-security.kubernetes.io/enforce": "restricted"},
	}})
	// A controller would make it.
	c.create(object{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": "default"}})
	return c
}

// path is where an object of a kind is kept; name may be empty.
func (c cluster) path(kind, name string) string {
	c.t.Helper()
	collection, ok := collections[kind]
	if !ok {
		c.t.Fatalf("the test does not know where a %s is kept", kind)
	}
	in := "namespaces/" + c.namespace + "/"
	if kind == "Namespace" || kind == "CustomResourceDefinition" {
		in = ""
	}
	return "/" + fmt.Sprintf(collection, in) + "/" + name
}

func (c cluster) create(o object) {
	c.t.Helper()
	must(c.t, c.Ask(c.t.Context(), http.MethodPost, c.path(o.text("kind"), ""), o, nil))
}

// get returns an object; ok is false where there is none.
func (c cluster) get(kind, name string) (o object, ok bool) {
	c.t.Helper()
	err := c.Ask(c.t.Context(), http.MethodGet, c.path(kind, name), nil, &o)
	if status(err) == http.StatusNotFound {
		return nil, false
	}
	must(c.t, err)
	return o, true
}

func (c cluster) mustGet(kind, name string) object {
	c.t.Helper()
	o, ok := c.get(kind, name)
	if !ok {
		c.t.Fatalf("there is no %s %s", kind, name)
	}
	return o
}

// strictly asks whether an object would be taken, with unknown and doubled fields refused.
func (c cluster) strictly(o object) error {
	return c.Ask(c.t.Context(), http.MethodPost, c.path(o.text("kind"), "")+"?dryRun=All&fieldValidation=Strict", o, nil)
}

// data returns what a ConfigMap or a Secret of the cluster holds.
func (c cluster) data(kind, name string) map[string]string {
	o, _ := c.get(kind, name)
	held := texts(o)
	for key, value := range held {
		if kind == "Secret" {
			plain, err := base64.StdEncoding.DecodeString(value)
			must(c.t, err)
			held[key] = string(plain)
		}
	}
	return held
}

func (c cluster) secret(name string, values map[string]any) {
	c.t.Helper()
	c.create(object{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name}, "stringData": values})
}

// define teaches the cluster the resources of the Prometheus operator, and waits until it serves them.
func (c cluster) define() {
	c.t.Helper()
	dir, err := servers.MonitoringDefinitions(c.t.Context(), shared.Cache, shared.Module)
	must(c.t, err)
	for _, plural := range []string{"servicemonitors", "prometheusrules"} {
		raw, err := os.ReadFile(filepath.Join(dir, "monitoring.coreos.com_"+plural+".yaml"))
		must(c.t, err)
		definition := objects(c.t, string(raw))[0]
		if _, ok := c.get("CustomResourceDefinition", definition.text("metadata", "name")); !ok {
			c.create(definition)
		}
		c.eventually(func(ctx context.Context) error {
			return c.Ask(ctx, http.MethodGet, "/apis/monitoring.coreos.com/v1/namespaces/"+c.namespace+"/"+plural, nil, nil)
		})
	}
}

func (c cluster) eventually(ask func(context.Context) error) {
	c.t.Helper()
	must(c.t, servers.Until(c.t.Context(), 2*time.Minute, 100*time.Millisecond, ask))
}

// helm runs helm against the cluster, while the test plays whoever runs pods.
func (c cluster) helm(play func(), command string, args ...string) error {
	c.t.Helper()
	args = slices.Concat([]string{command, release}, args, []string{
		"--namespace", c.namespace, "--kube-apiserver", c.URL, "--kube-token", servers.KubernetesToken, "--kube-ca-file", c.CAFile,
	})
	done := make(chan error, 1)
	cmd := helmCommand(c.t.Context(), c.t, args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	go func() { done <- cmd.Run() }()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			*c.printed = out.String()
			if err != nil {
				err = fmt.Errorf("helm %s: %w\n%s", command, err, *c.printed)
			}
			return err
		case <-ticker.C:
			play()
		}
	}
}

func status(err error) int {
	refusal, ok := asStatus(err)
	if !ok {
		return 0
	}
	return refusal.Status
}
