package kubernetes_test

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

const (
	token     = "token-of-rotad-in-this-test"
	namespace = "billing"
	name      = "billing-oidc"
)

// world is a stand-in of a cluster, and a kubeconfig that leads to it.
type world struct {
	t       *testing.T
	cluster *sandbox.Cluster
	faults  *sandbox.Faults
	server  *httptest.Server
	dir     string
	place   credential.KubernetesPlace
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, cluster: sandbox.NewCluster(namespace), faults: sandbox.NewFaults(nil), dir: t.TempDir()}
	serve := w.faults.Wrap(w.cluster)
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Request-Id", canary) // a server that names each request after what it knows
		serve.ServeHTTP(rw, r)
	}))
	w.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.server.StartTLS()
	t.Cleanup(w.server.Close)
	w.allow("get", "create", "patch")
	w.place = credential.KubernetesPlace{
		Namespace: namespace, Secret: name, Previous: map[string]string{"client_secret": "client_secret_previous"},
		Kubeconfig: w.write("kubeconfig", w.kubeconfig()),
	}
	w.write("token", token+"\n")
	return w
}

func (w *world) allow(verbs ...string) { w.cluster.Allow(token, verbs...) }

func (w *world) write(file, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, file)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *world) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
}

func (w *world) kubeconfig() string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: main
contexts: [{name: main, context: {cluster: here, user: rotad, namespace: elsewhere}}]
clusters: [{name: here, cluster: {server: "%s", certificate-authority-data: %s}}]
users: [{name: rotad, user: {tokenFile: token}}]
`, w.server.URL, base64.StdEncoding.EncodeToString(w.ca()))
}

// Destination, Held, Stamp, Tamper and Break make this a World of the conformance suite.

func (w *world) Destination() credential.Destination {
	return credential.Destination{Name: "app", Kubernetes: &w.place}
}

func (w *world) data() map[string]string {
	data, _ := w.cluster.Object(namespace, name)["data"].(map[string]any)
	held := map[string]string{}
	for key, value := range data {
		text, _ := value.(string)
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			w.t.Errorf("%s is no base64", key)
		}
		held[key] = string(plain)
	}
	return held
}

func (w *world) Held(*testing.T) map[string]string {
	held := w.data()
	delete(held, "theirs")
	return held
}

func (w *world) version() string {
	return fmt.Sprint(w.cluster.Object(namespace, name)["metadata"].(map[string]any)["resourceVersion"])
}

func (w *world) Stamp(*testing.T) string { return w.version() }

func (w *world) Tamper(*testing.T) { w.change("client_secret", "something else") }

func (w *world) Break(*testing.T) func() {
	w.allow("get", "create")
	return func() { w.allow("get", "create", "patch") }
}

// change lets somebody else change a key.
func (w *world) change(key, value string) {
	o := w.cluster.Object(namespace, name)
	o["data"].(map[string]any)[key] = base64.StdEncoding.EncodeToString([]byte(value))
	w.cluster.Put(o)
}

// put keeps a Secret that somebody else has made, with a key of theirs.
func (w *world) put(more map[string]any) {
	o := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": map[string]any{
			"namespace": namespace, "name": name, "labels": map[string]any{"app": "billing"},
			"annotations": map[string]any{"note": "ä <&> \u2028"}, "finalizers": []any{"example.com/x"},
		},
		"data": map[string]any{"theirs": base64.StdEncoding.EncodeToString([]byte("their value\x00\xff"))},
	}
	maps.Copy(o, more)
	w.cluster.Put(o)
}

func copyOf(secret string) credential.Copy {
	return credential.Copy{Client: "billing", Version: 1, Bundle: bundleOf(secret)}
}

func bundleOf(secret string) credential.Bundle {
	return credential.Bundle{
		"client_id": credential.NewSensitive("billing"), "client_secret": credential.NewSensitive(secret),
	}
}
