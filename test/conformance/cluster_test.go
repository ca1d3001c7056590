package conformance_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
)

// object is one of Kubernetes, or a Status.
type object map[string]any

// at returns what lies below keys.
func (o object) at(keys ...string) any {
	var v any = map[string]any(o)
	for _, key := range keys {
		below, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = below[key]
	}
	return v
}

// cluster is a real API server, with the account that rotad has in it.
type cluster struct {
	*servers.Kubernetes
	client *http.Client
	ca     string // PEM
	token  string // of rotad's account
}

// account is rotad's account, as the API names it.
const account = "system:serviceaccount:rotad:rotad"

func startKubernetes(t *testing.T) *servers.Kubernetes {
	t.Helper()
	cache, err := servers.OpenCache()
	must(t, err)
	dir, err := servers.TempDir()
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	k, err := servers.StartKubernetes(t.Context(), cache, "..", dir)
	must(t, err)
	t.Cleanup(k.Stop)
	return k
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{Kubernetes: startKubernetes(t)}
	text, err := os.ReadFile(c.CAFile)
	must(t, err)
	c.ca = string(text)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	c.namespace(t, "rotad")
	must(t, c.Ask(t.Context(), http.MethodPost, "/api/v1/namespaces/rotad/serviceaccounts", object{"metadata": object{"name": "rotad"}}, nil))
	var issued object
	must(t, c.Ask(t.Context(), http.MethodPost, "/api/v1/namespaces/rotad/serviceaccounts/rotad/token", object{"spec": object{"expirationSeconds": 3600}}, &issued))
	c.token = fmt.Sprint(issued.at("status", "token"))
	return c
}

func (c *cluster) namespace(t *testing.T, name string) {
	t.Helper()
	must(t, c.Ask(t.Context(), http.MethodPost, "/api/v1/namespaces", object{"metadata": object{"name": name}}, nil))
}

// secretWorld is a namespace with the Role that is shipped, and a kubeconfig that leads there.
type secretWorld struct {
	*cluster
	t     *testing.T
	place credential.KubernetesPlace
}

func newSecretWorld(t *testing.T, c *cluster) *secretWorld {
	t.Helper()
	w := &secretWorld{cluster: c, t: t, place: credential.KubernetesPlace{
		Namespace: "billing-" + strings.ToLower(rand.Text()[:8]), Secret: "billing-oidc",
		Previous: map[string]string{"client_secret": "client_secret_previous"},
	}}
	c.namespace(t, w.place.Namespace)
	w.applyShipped()
	w.leadTo(c.URL, c.ca, c.token)
	return w
}

// applyShipped makes the Role and its binding, as an administrator would, in the namespace of this test.
func (w *secretWorld) applyShipped() {
	w.t.Helper()
	text, err := os.ReadFile("../../deploy/kubernetes/destination.yaml")
	must(w.t, err)
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		var o map[string]any
		must(w.t, yaml.Load([]byte(part), &o))
		meta, ok := o["metadata"].(map[string]any)
		if !ok || meta["namespace"] != "billing" {
			w.t.Fatalf("a part of the file is for another namespace: %v", meta)
		}
		meta["namespace"] = w.place.Namespace
		plural := map[any]string{"Role": "roles", "RoleBinding": "rolebindings"}[o["kind"]]
		must(w.t, w.Ask(w.t.Context(), http.MethodPost, w.rbac(plural)+"?fieldValidation=Strict", o, nil))
	}
	w.awaitRights(map[string]bool{"get": true, "patch": true, "create": true, "delete": false, "list": false, "update": false})
}

func (w *secretWorld) rbac(plural string) string {
	return "/apis/rbac.authorization.k8s.io/v1/namespaces/" + w.place.Namespace + "/" + plural
}

// allow replaces the Role by one with these verbs.
func (w *secretWorld) allow(verbs ...string) {
	w.t.Helper()
	rules := []object{{"apiGroups": []string{""}, "resources": []string{"secrets"}, "verbs": verbs}}
	must(w.t, w.Ask(w.t.Context(), http.MethodPatch, w.rbac("roles")+"/rotad-billing-oidc", object{"rules": rules}, nil))
	rights := map[string]bool{"get": false, "patch": false, "create": false}
	for _, verb := range verbs {
		rights[verb] = true
	}
	w.awaitRights(rights)
}

// awaitRights waits until the API server judges by the Role as it now is: it hears of it a moment later.
func (w *secretWorld) awaitRights(rights map[string]bool) {
	w.t.Helper()
	must(w.t, servers.Until(w.t.Context(), time.Minute, 50*time.Millisecond, func(ctx context.Context) error {
		for verb, want := range rights {
			on := object{"namespace": w.place.Namespace, "verb": verb, "resource": "secrets", "name": w.place.Secret}
			if verb == "create" {
				delete(on, "name")
			}
			var review object
			if err := w.Ask(ctx, http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", object{
				"spec": object{"user": account, "resourceAttributes": on},
			}, &review); err != nil {
				return err
			}
			if got := review.at("status", "allowed"); got != want {
				return fmt.Errorf("%s: %v, want %t", verb, got, want)
			}
		}
		return nil
	}))
}

// leadTo writes the kubeconfig.
func (w *secretWorld) leadTo(server, ca, token string) {
	w.t.Helper()
	dir := w.t.TempDir()
	w.place.Kubeconfig = filepath.Join(dir, "kubeconfig")
	for file, text := range map[string]string{
		"ca.crt": ca, "token": token,
		"kubeconfig": "current-context: here\ncontexts: [{name: here, context: {cluster: c, user: rotad}}]\n" +
			"clusters: [{name: c, cluster: {server: \"" + server + "\", certificate-authority: ca.crt}}]\nusers: [{name: rotad, user: {tokenFile: token}}]\n",
	} {
		must(w.t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
}

// through leads rotad over a server that lets somebody else act once, right before a request of that method arrives.
func (w *secretWorld) through(method string, act func()) {
	w.t.Helper()
	target, err := url.Parse(w.URL)
	must(w.t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = w.client.Transport
	acted := false
	s := quiet(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == method && !acted {
			acted = true
			act()
		}
		proxy.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(func() {
		s.Close()
		if !acted {
			w.t.Errorf("no %s came by: the test shows nothing", method)
		}
	})
	w.leadTo(s.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})), w.token)
}

// quiet is a server with TLS that logs nothing of callers who do not trust it.
func quiet(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

func (w *secretWorld) path() string {
	return "/api/v1/namespaces/" + w.place.Namespace + "/secrets/" + w.place.Secret
}

// secret returns the Secret as it is; nil if there is none. It may be asked from any goroutine.
func (w *secretWorld) secret() object {
	status, o := w.send(http.MethodGet, w.path(), "", nil)
	if status == http.StatusNotFound {
		return nil
	}
	if status != http.StatusOK {
		w.t.Errorf("reading the Secret: %d %v", status, o)
	}
	return o
}

// send asks as somebody who may do everything.
func (w *secretWorld) send(method, path, contentType string, body any) (int, object) {
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, bytes.NewReader(text))
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	r.Header.Set("Authorization", "Bearer "+servers.KubernetesToken)
	r.Header.Set("Content-Type", contentType)
	resp, err := w.client.Do(r)
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	var o object
	answer, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(answer, &o)
	}
	if err != nil {
		w.t.Error(err)
	}
	return resp.StatusCode, o
}

// data returns what a consumer reads.
func (w *secretWorld) data() map[string]string {
	held := map[string]string{}
	keys, _ := w.secret().at("data").(map[string]any)
	for key, value := range keys {
		plain, err := base64.StdEncoding.DecodeString(fmt.Sprint(value))
		if err != nil {
			w.t.Error(err)
		}
		held[key] = string(plain)
	}
	return held
}

// put makes the Secret as somebody else, with a key, a label and an annotation of theirs.
func (w *secretWorld) put(more object) {
	w.t.Helper()
	o := object{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": object{"name": w.place.Secret, "labels": object{"app": "billing"}, "annotations": object{"note": "ä <&> \u2028"}},
		"data":     object{"theirs": []byte("their value\x00\xff")},
	}
	maps.Copy(o, more)
	must(w.t, w.Ask(w.t.Context(), http.MethodPost, "/api/v1/namespaces/"+w.place.Namespace+"/secrets?fieldManager=theirs", o, nil))
}

// change lets somebody else change a key.
func (w *secretWorld) change(key, value string) {
	if status, o := w.send(http.MethodPatch, w.path()+"?fieldManager=theirs", "application/merge-patch+json", object{"data": object{key: []byte(value)}}); status != http.StatusOK {
		w.t.Errorf("changing %s: %d %v", key, status, o)
	}
}

// Destination, Held, Stamp, Tamper and Break make this a World of the conformance suite.

func (w *secretWorld) Destination() credential.Destination {
	return credential.Destination{Name: "app", Kubernetes: &w.place}
}

func (w *secretWorld) Held(*testing.T) map[string]string {
	held := w.data()
	delete(held, "theirs")
	return held
}

func (w *secretWorld) Stamp(*testing.T) string {
	return fmt.Sprint(w.secret().at("metadata", "resourceVersion"))
}

func (w *secretWorld) Tamper(*testing.T) { w.change("client_secret", "something else") }

func (w *secretWorld) Break(t *testing.T) func() {
	t.Helper()
	w.allow("get", "create")
	return func() { w.allow("get", "create", "patch") }
}
