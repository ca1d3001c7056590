package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// keycloakRealm is a realm that is asked as by a person with curl.
type keycloakRealm struct {
	*testing.T
	*sandbox.Keycloak

	now   time.Time
	base  string
	token string
}

func newKeycloakRealm(t *testing.T, s sandbox.KeycloakSettings) *keycloakRealm {
	t.Helper()
	k := &keycloakRealm{T: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s.AdminSecret = "admin"
	k.Keycloak = sandbox.NewKeycloak(func() time.Time { return k.now }, s)
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	k.base = server.URL
	if err := k.Register(sandbox.KeycloakClient{ClientID: "c", Secret: "s0", ServiceAccount: true}); err != nil {
		t.Fatal(err)
	}
	var grant struct {
		Token string `json:"access_token"`
	}
	_, body := k.post("/realms/sandbox/protocol/openid-connect/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"rotad"}, "client_secret": {"admin"},
	})
	if err := json.Unmarshal([]byte(body), &grant); err != nil {
		t.Fatal(err)
	}
	k.token = grant.Token
	return k
}

func (k *keycloakRealm) do(method, path, contentType string, body io.Reader) (status int, reply string) {
	k.Helper()
	req, err := http.NewRequestWithContext(k.Context(), method, k.base+path, body)
	if err != nil {
		k.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+k.token)
	if contentType != "" {
		req.Header.Del("Authorization")
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		k.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		k.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(raw))
}

func (k *keycloakRealm) post(path string, form url.Values) (status int, reply string) {
	k.Helper()
	return k.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (k *keycloakRealm) admin(method, path string) (status int, reply string) {
	k.Helper()
	return k.do(method, "/admin/realms/sandbox"+path, "", http.NoBody)
}

// client returns the representation of the client c.
func (k *keycloakRealm) client() (uuid string, attributes map[string]string) {
	k.Helper()
	_, body := k.admin(http.MethodGet, "/clients?clientId=c")
	var list []struct {
		ID         string            `json:"id"`
		Attributes map[string]string `json:"attributes"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != 1 {
		k.Fatalf("%s, %v", body, err)
	}
	return list[0].ID, list[0].Attributes
}

func (k *keycloakRealm) replace() string {
	k.Helper()
	uuid, _ := k.client()
	status, body := k.admin(http.MethodPost, "/clients/"+uuid+"/client-secret")
	var reply struct{ Value string }
	if err := json.Unmarshal([]byte(body), &reply); err != nil || status != http.StatusOK {
		k.Fatalf("%d %s %v", status, body, err)
	}
	return reply.Value
}

func (k *keycloakRealm) mustAccept(want string, values ...string) {
	k.Helper()
	for i, value := range values {
		if got := k.Accepts("c", credential.NewSensitive(value)); got != (want[i] == '+') {
			k.Errorf("value %d of %d is accepted: %t, want %s", i, len(values), got, want)
		}
	}
}

// What a real server of version 26.5 was seen to do, step by step.
func TestKeycloakUnderAPolicy(t *testing.T) {
	k := newKeycloakRealm(t, sandbox.KeycloakSettings{
		Policy: &sandbox.KeycloakPolicy{Expiration: time.Hour, Rotated: time.Minute},
	})
	uuid, attributes := k.client()
	if _, dated := attributes["client.secret.expiration.time"]; dated {
		t.Errorf("an imported client has dates: %v", attributes)
	}
	k.now = k.now.Add(100 * time.Second)
	s1 := k.replace()
	_, attributes = k.client()
	want := map[string]string{
		"client.secret.creation.time": "1772366500", "client.secret.expiration.time": "1772370100", "client.secret.rotated": "s0",
		"client.secret.rotated.creation.time": "1772366500", "client.secret.rotated.expiration.time": "1772366560",
	}
	for name, value := range want {
		if attributes[name] != value {
			t.Errorf("%s = %s, want %s", name, attributes[name], value)
		}
	}
	k.mustAccept("++", "s0", s1)
	k.now = k.now.Add(time.Minute) // the last second counts
	k.mustAccept("++", "s0", s1)
	k.now = k.now.Add(time.Second)
	k.mustAccept("-+", "s0", s1)
	if status, body := k.admin(http.MethodGet, "/clients/"+uuid+"/client-secret/rotated"); status != http.StatusOK || !strings.Contains(body, "s0") {
		t.Errorf("the expired one is still shown: %d %s", status, body)
	}
	s2 := k.replace()
	s3 := k.replace() // a second one evicts
	k.mustAccept("--++", "s0", s1, s2, s3)
	for range 2 {
		if status, _ := k.admin(http.MethodDelete, "/clients/"+uuid+"/client-secret/rotated"); status != http.StatusNoContent {
			t.Errorf("deleting: %d", status)
		}
	}
	k.mustAccept("-+", s2, s3)
	if status, body := k.admin(http.MethodGet, "/clients/"+uuid+"/client-secret/rotated"); status != http.StatusNotFound {
		t.Errorf("%d %s", status, body)
	}
	s4 := k.replace()
	k.now = k.now.Add(2 * time.Hour) // the current one expires and takes the other with it
	k.mustAccept("--", s3, s4)
}

func TestKeycloakWithoutAPolicy(t *testing.T) {
	k := newKeycloakRealm(t, sandbox.KeycloakSettings{})
	s1 := k.replace()
	k.mustAccept("-+", "s0", s1)
	if _, attributes := k.client(); attributes["client.secret.rotated"] != "" || attributes["client.secret.creation.time"] == "" {
		t.Errorf("%v", attributes)
	}
	if k.Replaced("c") != 1 || k.Replaced("nobody") != 0 {
		t.Errorf("%d", k.Replaced("c"))
	}
	k.SetPolicy(&sandbox.KeycloakPolicy{})
	s2 := k.replace()
	k.mustAccept("++", s1, s2)
	if err := k.SetSecret("c", "by hand"); err != nil {
		t.Fatal(err)
	}
	k.mustAccept("+-+", s1, s2, "by hand")
	k.Unregister("c")
	k.mustAccept("-", "by hand")
}

func TestKeycloakRefusals(t *testing.T) {
	k := newKeycloakRealm(t, sandbox.KeycloakSettings{NoViewRealm: true, ReadOnly: true, TokenLife: time.Minute})
	uuid, _ := k.client()
	for path, want := range map[string]int{
		"GET /client-policies/policies": 403, "GET /client-policies/profiles": 403, "POST /clients/" + uuid + "/client-secret": 403,
		"DELETE /clients/" + uuid + "/client-secret/rotated": 500, "GET /clients/nobody": 404, "GET /clients?clientId=nobody": 200,
		"GET /clients/" + uuid + "/client-secret": 200, "GET /clients/" + uuid + "/roles": 200,
	} {
		method, path, _ := strings.Cut(path, " ")
		if status, body := k.admin(method, path); status != want {
			t.Errorf("%s %s: %d %s, want %d", method, path, status, body, want)
		}
	}
	k.now = k.now.Add(time.Minute)
	if status, _ := k.admin(http.MethodGet, "/clients"); status != http.StatusUnauthorized {
		t.Errorf("with a token that has ended: %d", status)
	}
	if err := k.Register(sandbox.KeycloakClient{ClientID: "c"}); err == nil {
		t.Error("a client id twice")
	}
	if err := k.SetSecret("nobody", "x"); err == nil {
		t.Error("a secret for nobody")
	}
}
