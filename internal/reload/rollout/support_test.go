package rollout_test

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/reload/rollout"
	"github.com/rotad/rotad/internal/sandbox"
)

const (
	token     = "token-of-rotad-in-this-test"
	canary    = "what-no-error-of-this-test-may-repeat"
	namespace = "shop"
	name      = "billing"
	mark      = "restarted.rotad.dev/billing-api"
)

// world is a stand-in of a cluster with one workload, and a kubeconfig that leads to it. The test plays the controller.
type world struct {
	t        *testing.T
	cluster  *sandbox.Cluster
	faults   *sandbox.Faults
	patches  int
	kind     string // of the object
	workload credential.RolloutReload
	occasion credential.Occasion
}

func newWorld(t *testing.T, kind string) *world {
	t.Helper()
	w := &world{
		t: t, cluster: sandbox.NewCluster(namespace), faults: sandbox.NewFaults(nil), kind: kind,
		occasion: credential.Occasion{Client: "billing-api", Version: 42, Rotation: "0190"},
	}
	serve := w.faults.Wrap(w.cluster)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			w.patches++
		}
		rw.Header().Set("X-Request-Id", canary) // a server that names each request after what it knows
		serve.ServeHTTP(rw, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	w.cluster.Allow(token, "get", "patch")
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(kubeconfig, fmt.Appendf(nil, "current-context: main\ncontexts: [{name: main, context: {cluster: here, user: rotad}}]\n"+
		"clusters: [{name: here, cluster: {server: %q, certificate-authority-data: %s}}]\nusers: [{name: rotad, user: {token: %s}}]\n",
		server.URL, base64.StdEncoding.EncodeToString(ca), token), 0o600); err != nil {
		t.Fatal(err)
	}
	w.workload = credential.RolloutReload{Namespace: namespace, Workload: strings.ToLower(kind) + "/" + name, Kubeconfig: kubeconfig}
	w.put(nil)
	return w
}

// put keeps the workload as somebody has deployed it, with a change.
func (w *world) put(change func(spec map[string]any)) {
	spec := map[string]any{
		"replicas": 3,
		"template": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"app": name}, "annotations": map[string]any{"theirs": "ä <&> \u2028"}},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "main", "image": "billing:1", "env": canary}}},
		},
	}
	if change != nil {
		change(spec)
	}
	w.cluster.Put(map[string]any{
		"apiVersion": "apps/v1", "kind": w.kind, "spec": spec,
		"metadata": map[string]any{"namespace": namespace, "name": name, "generation": 1},
	})
}

func (w *world) object() map[string]any { return w.cluster.Workload(w.kind, namespace, name) }

func (w *world) generation() float64 {
	n, _ := w.object()["metadata"].(map[string]any)["generation"].(float64)
	return n
}

func (w *world) annotations() map[string]any {
	template, _ := w.object()["spec"].(map[string]any)["template"].(map[string]any)
	annotations, _ := template["metadata"].(map[string]any)["annotations"].(map[string]any)
	return annotations
}

// control lets the controller say something of the generation that is there now.
func (w *world) control(status map[string]any) {
	o := w.object()
	status["observedGeneration"] = w.generation()
	o["status"] = status
	w.cluster.Put(o)
}

func (w *world) restart() error { return rollout.Restart(w.t.Context(), w.workload, w.occasion) }

func (w *world) settled() error { return rollout.Settled(w.t.Context(), w.workload, w.occasion) }

// says fails the test if an error is not the one that is expected; empty = none.
func (w *world) says(err error, want string) {
	w.t.Helper()
	if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
		w.t.Errorf("got %v, want %q", err, want)
	}
	if err != nil && (strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), token)) {
		w.t.Errorf("the error repeats what the server has sent: %v", err)
	}
}
