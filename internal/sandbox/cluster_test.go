package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
)

const (
	secretsPath = "/api/v1/namespaces/billing/secrets"
	secretPath  = secretsPath + "/oidc"
)

// secretAnswer is an answer of a Cluster.
type secretAnswer struct {
	Kind, Reason string
	Details      struct{ Kind, Name string }
	Metadata     struct {
		ResourceVersion string
		Labels          map[string]string
	}
	Data map[string]string
}

func askCluster(t *testing.T, c *sandbox.Cluster, token, method, path, body string) (int, secretAnswer) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", map[string]string{"POST": "application/json", "PATCH": "application/merge-patch+json"}[method])
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	var a secretAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return w.Code, a
}

// TestClusterRefuses follows one Secret: what the API refuses, and how it words it. The conformance suite asks a real API
// server the same questions.
func TestClusterRefuses(t *testing.T) {
	c := sandbox.NewCluster("billing")
	c.Allow("reader", "get")
	c.Allow("writer", "get", "create", "patch")
	for i, step := range []struct {
		token, method, path, body string
		status                    int
		reason                    string
	}{
		{"nobody", "GET", secretPath, "", 401, "Unauthorized"},
		{"writer", "GET", secretPath, "", 404, "NotFound"},
		{"writer", "GET", "/api/v1/nodes", "", 404, "NotFound"},
		{"reader", "POST", secretsPath, `{"metadata":{"name":"oidc"}}`, 403, "Forbidden"},
		{"writer", "POST", "/api/v1/namespaces/nowhere/secrets", `{"metadata":{"name":"oidc"}}`, 404, "NotFound"},
		{"writer", "POST", secretsPath, `{"metadata":{"name":"oidc","namespace":"other"}}`, 400, "BadRequest"},
		{"writer", "POST", secretsPath, `{`, 400, "BadRequest"},
		{"writer", "POST", secretsPath, `{"metadata":{"name":"O"}}`, 422, "Invalid"},
		{"writer", "POST", secretsPath, `{"metadata":{"name":"oidc"},"data":{"a":"%"}}`, 422, "Invalid"},
		{"writer", "PATCH", secretPath, `{"data":{"a":"YQ=="}}`, 404, "NotFound"},
		{"writer", "POST", secretsPath, `{"metadata":{"name":"oidc","labels":{"x":"y"}},"data":{"a":"YQ==","b":"Yg=="}}`, 201, ""},
		{"writer", "POST", secretsPath, `{"metadata":{"name":"oidc"}}`, 409, "AlreadyExists"},
		{"reader", "PATCH", secretPath, `{"data":{"a":"Yg=="}}`, 403, "Forbidden"},
		{"writer", "PATCH", secretPath, `{"metadata":{"resourceVersion":"7"},"data":{"a":"Yg=="}}`, 409, "Conflict"},
		{"writer", "PATCH", secretPath, `{"data":{"a/b":"Yg=="}}`, 422, "Invalid"},
		{"writer", "PATCH", secretPath, `{"type":"other"}`, 422, "Invalid"},
		{"writer", "PATCH", secretPath, `{"metadata":{"resourceVersion":"1"},"data":{"a":"Yg==","b":null}}`, 200, ""},
		{"writer", "PATCH", secretPath, `{"immutable":true}`, 200, ""},
		{"writer", "PATCH", secretPath, `{"data":{"a":"YQ=="}}`, 422, "Invalid"},
	} {
		status, a := askCluster(t, c, step.token, step.method, step.path, step.body)
		if status != step.status || a.Reason != step.reason {
			t.Errorf("%d: %s %s: HTTP %d %s, want %d %s", i, step.method, step.path, status, a.Reason, step.status, step.reason)
		}
	}
	status, a := askCluster(t, c, "reader", "GET", secretPath, "")
	if got := fmt.Sprintf("%d %v %v %s", status, a.Data, a.Metadata.Labels, a.Metadata.ResourceVersion); got != "200 map[a:Yg==] map[x:y] 3" {
		t.Errorf("at the end: %s", got)
	}
	if _, a = askCluster(t, c, "reader", "GET", secretsPath+"/other", ""); a.Details.Kind != "secrets" || a.Details.Name != "other" || a.Kind != "Status" {
		t.Errorf("what is missing is not named: %+v", a)
	}
}

// Who watches a Secret is not woken by a patch that changes nothing.
func TestClusterKeepsTheVersionWhereNothingChanges(t *testing.T) {
	c := sandbox.NewCluster("billing")
	c.Allow("writer", "get", "create", "patch")
	askCluster(t, c, "writer", http.MethodPost, secretsPath, `{"metadata":{"name":"oidc"},"data":{"a":"YQ=="}}`)
	if _, a := askCluster(t, c, "writer", http.MethodPatch, secretPath, `{"data":{"a":"YQ==","b":null}}`); a.Metadata.ResourceVersion != "1" {
		t.Errorf("the version is %s", a.Metadata.ResourceVersion)
	}
}

func TestClusterLetsSomebodyElseBeFaster(t *testing.T) {
	c := sandbox.NewCluster("billing")
	c.Allow("writer", "get", "create", "patch")
	askCluster(t, c, "writer", http.MethodPost, secretsPath, `{"metadata":{"name":"oidc"},"data":{"a":"YQ=="}}`)
	c.BeforeChange(func() { c.Put(c.Object("billing", "oidc")) })
	patch := `{"metadata":{"resourceVersion":"1"},"data":{"a":"Yg=="}}`
	if status, _ := askCluster(t, c, "writer", http.MethodPatch, secretPath, patch); status != http.StatusConflict {
		t.Errorf("HTTP %d after somebody else was faster", status)
	}
	if status, _ := askCluster(t, c, "writer", http.MethodPatch, secretPath, strings.Replace(patch, `"1"`, `"2"`, 1)); status != http.StatusOK {
		t.Errorf("HTTP %d the second time", status)
	}
}

// FuzzCluster asks that no request makes it panic, and that none changes a Secret but one that may.
func FuzzCluster(f *testing.F) {
	f.Add("PATCH", secretPath, `{"metadata":null,"data":{"a":{}}}`, true)
	f.Add("PATCH", secretPath, `{"metadata":{"resourceVersion":"1"},"data":{"a":null},"immutable":1}`, false)
	f.Add("POST", secretsPath, `{"metadata":[],"data":"x"}`, true)
	f.Add("GET", secretPath, `{`, false)
	f.Fuzz(func(t *testing.T, method, path, body string, trusted bool) {
		c := sandbox.NewCluster("billing")
		c.Allow(admin, "get", "create", "patch")
		c.Put(map[string]any{"metadata": map[string]any{"namespace": "billing", "name": "oidc"}, "data": map[string]any{"a": "YQ=="}})
		kept := c.Object("billing", "oidc")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", strings.NewReader(body))
		r.Method, r.URL.Path = method, path
		r.Header.Set("Content-Type", map[string]string{"POST": "application/json", "PATCH": "application/merge-patch+json"}[method])
		if trusted {
			r.Header.Set("Authorization", "Bearer "+admin)
		}
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if (!trusted || w.Code/100 != 2) && !reflect.DeepEqual(c.Object("billing", "oidc"), kept) {
			t.Errorf("%s %s changed a Secret and answered %d", method, path, w.Code)
		}
	})
}

// A workload is there already; whoever changes what its pods are like makes it another generation, and nobody but its controller
// says how far it is.
func TestClusterKeepsWorkloads(t *testing.T) {
	const path = "/apis/apps/v1/namespaces/shop/deployments/billing"
	c := sandbox.NewCluster("shop")
	c.Allow("writer", "get", "create", "patch")
	c.Put(map[string]any{
		"kind": "Deployment", "metadata": map[string]any{"namespace": "shop", "name": "billing", "generation": 1},
		"spec": map[string]any{"replicas": 2}, "status": map[string]any{"replicas": 2},
	})
	for i, step := range []struct {
		method, path, body string
		status             int
		generation         string
	}{
		{"GET", path, "", 200, "1"},
		{"GET", "/apis/apps/v1/namespaces/shop/daemonsets/billing", "", 404, "1"},
		{"GET", "/api/v1/namespaces/shop/deployments/billing", "", 404, "1"},
		{"GET", "/apis/apps/v1/namespaces/shop/secrets/billing", "", 404, "1"},
		{"POST", "/apis/apps/v1/namespaces/shop/deployments", "{}", 404, "1"},
		{"PATCH", path, `{"metadata":{"labels":{"a":"b"}},"status":{"replicas":9}}`, 200, "1"},
		{"PATCH", path, `{"spec":{"template":{"metadata":{"annotations":{"a":"b"}}}}}`, 200, "2"},
		{"PATCH", path, `{"spec":{"template":{"metadata":{"annotations":{"a":"b"}}}}}`, 200, "2"},
		{"PATCH", path, `{"metadata":{"generation":9}}`, 200, "2"},
	} {
		status, _ := askCluster(t, c, "writer", step.method, step.path, step.body)
		o := c.Workload("Deployment", "shop", "billing")
		if got := fmt.Sprint(o["metadata"].(map[string]any)["generation"]); status != step.status || got != step.generation {
			t.Errorf("%d: %s %s: HTTP %d, generation %s; want %d, %s", i, step.method, step.path, status, got, step.status, step.generation)
		}
		if got := fmt.Sprint(o["status"]); got != "map[replicas:2]" {
			t.Errorf("%d: somebody else than the controller has said %s", i, got)
		}
	}
}
