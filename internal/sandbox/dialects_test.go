package sandbox_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

func TestTelicentLifeOfAClient(t *testing.T) {
	for name, flat := range map[string]bool{"nested": false, "flat": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Settings{Telicent: sandbox.Telicent{Flat: flat}})
			w.register(sandbox.Registration{ClientID: "c"})
			const path = sandbox.PathTelicent + "/clients/c/secret"
			value := func(method, path string, want int) string {
				t.Helper()
				status, body := w.api(method, path, "")
				if status != want {
					t.Fatalf("%s %s: HTTP %d, want %d", method, path, status, want)
				}
				secret, _ := body[map[bool]string{false: "secret", true: "client_secret"}[flat]].(string)
				return secret
			}
			value(http.MethodPost, path+"/rotate", 409)
			first := value(http.MethodPost, path, 201)
			value(http.MethodPost, path, 409)
			second := value(http.MethodPost, path+"/rotate", 200)
			w.expectLogin("c", first, 200)
			w.advance(8 * 24 * time.Hour)
			w.expectLogin("c", first, 401)
			third := value(http.MethodPost, path+"/rotate", 200)
			fourth := value(http.MethodPost, path+"/rotate", 200)
			w.expectLogin("c", second, 401) // evicted: there is one previous slot
			w.expectLogin("c", third, 200)
			value(http.MethodDelete, path, 400)
			value(http.MethodDelete, path+"?target=previous", 204)
			value(http.MethodDelete, path+"?target=previous", 404)
			w.expectLogin("c", third, 401)
			w.expectLogin("c", fourth, 200)
			value(http.MethodDelete, path+"?target=current", 204)
			w.expectLogin("c", fourth, 401)
		})
	}
}

func TestTelicentSaysWhenRotationIsRequired(t *testing.T) {
	w := newWorld(t, sandbox.Settings{Telicent: sandbox.Telicent{TTL: 90 * 24 * time.Hour}})
	w.register(sandbox.Registration{ClientID: "c"})
	const path = sandbox.PathTelicent + "/clients/c/secret"
	w.api(http.MethodPost, path, "")
	for _, step := range []struct {
		days int
		want bool
	}{{0, false}, {61, false}, {1, true}} {
		w.advance(time.Duration(step.days) * 24 * time.Hour)
		if _, body := w.api(http.MethodGet, path, ""); body["rotationRequired"] != step.want {
			t.Errorf("after %d more days: %v", step.days, body["rotationRequired"])
		}
	}
}

func TestTelicentRefuses(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "s"})
	if status, _ := w.call(w.request(http.MethodGet, sandbox.PathTelicent+"/clients/c/secret", "")); status != 401 {
		t.Errorf("without a token: HTTP %d", status)
	}
	if status, _ := w.api(http.MethodGet, sandbox.PathTelicent+"/clients/none/secret", ""); status != 404 {
		t.Errorf("unknown client: HTTP %d", status)
	}
	pairs := []string{"grant_type", "client_credentials", "client_id", "c", "client_secret", "s"}
	r := w.form(sandbox.PathTelicent+"/oauth2/token", pairs...)
	if status, _ := w.call(r); status != 200 {
		t.Errorf("token with X-Forwarded-Proto: HTTP %d", status)
	}
	r = w.form(sandbox.PathTelicent+"/oauth2/token", pairs...)
	r.Header.Del("X-Forwarded-Proto")
	if status, _ := w.call(r); status != 400 {
		t.Errorf("token without X-Forwarded-Proto: HTTP %d", status)
	}
}

func (w *world) entraLogin(id, secret string) float64 {
	w.t.Helper()
	_, body := w.call(w.form(sandbox.PathLogin+"/tenant/oauth2/v2.0/token",
		"grant_type", "client_credentials", "scope", id+"/.default", "client_id", id, "client_secret", secret))
	if codes, ok := body["error_codes"].([]any); ok {
		code, _ := codes[0].(float64)
		return code
	}
	if body["access_token"] == nil {
		w.t.Fatalf("neither token nor error code: %v", body)
	}
	return 0
}

func TestGraphAddsAndRemovesAfterAPropagationDelay(t *testing.T) {
	w := newWorld(t, sandbox.Settings{Graph: sandbox.Graph{
		Tenant: "tenant", Propagation: 10 * time.Second, ListLag: 5 * time.Second,
	}})
	w.register(sandbox.Registration{ClientID: "app", ObjectID: "obj", Secret: "old", TTL: 30 * 24 * time.Hour})
	const object = sandbox.PathGraph + "/applications(appId='app')"
	status, body := w.api(http.MethodPost, object+"/addPassword",
		`{"passwordCredential":{"displayName":"rotad","endDateTime":"2026-05-01T00:00:00Z"}}`)
	value, _ := body["secretText"].(string)
	if status != 200 || body["displayName"] != "rotad" || body["hint"] != value[:3] {
		t.Fatalf("HTTP %d, label %v, hint %v", status, body["displayName"], body["hint"])
	}
	if body["endDateTime"] != "2026-05-01T00:00:00Z" {
		t.Errorf("ends %v", body["endDateTime"])
	}
	passwords := func() []any {
		_, body := w.api(http.MethodGet, sandbox.PathGraph+"/applications/obj?$select=id", "")
		list, _ := body["passwordCredentials"].([]any)
		return list
	}
	if n := len(passwords()); n != 1 {
		t.Errorf("%d listed before the lag", n)
	}
	if code := w.entraLogin("app", value); code != 7000215 {
		t.Errorf("before propagation: %v", code)
	}
	w.advance(10 * time.Second)
	if code := w.entraLogin("app", value); code != 0 {
		t.Errorf("after propagation: %v", code)
	}
	old, _ := passwords()[0].(map[string]any)
	if old["secretText"] != nil || len(passwords()) != 2 {
		t.Errorf("listed: %v", passwords())
	}
	key, _ := old["keyId"].(string)
	if status, _ := w.api(http.MethodPost, object+"/removePassword", `{"keyId":"`+key+`"}`); status != 204 {
		t.Errorf("remove: HTTP %d", status)
	}
	if status, _ := w.api(http.MethodPost, object+"/removePassword", `{"keyId":"`+key+`"}`); status != 400 {
		t.Errorf("remove again: HTTP %d", status)
	}
	if code := w.entraLogin("app", "old"); code != 0 {
		t.Errorf("removed, not propagated: %v", code)
	}
	w.advance(10 * time.Second)
	if code := w.entraLogin("app", "old"); code != 7000215 {
		t.Errorf("removed: %v", code)
	}
	w.advance(100 * 24 * time.Hour)
	if code := w.entraLogin("app", value); code != 7000222 {
		t.Errorf("expired: %v", code)
	}
}

func TestGraphLimitsPersonalApplications(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "app", Audience: "AzureADandPersonalMicrosoftAccount"})
	const path = sandbox.PathGraph + "/applications/obj-app/addPassword"
	for i, want := range []int{200, 200, 400} {
		status, body := w.api(http.MethodPost, path, `{}`)
		if status != want {
			t.Errorf("password %d: HTTP %d", i+1, status)
		}
		if e, _ := body["error"].(map[string]any); want == 400 && e["code"] != "TooManyAppPasswords" {
			t.Errorf("code %v", e["code"])
		}
	}
}

func TestGraphRefuses(t *testing.T) {
	w := newWorld(t, sandbox.Settings{Graph: sandbox.Graph{Tenant: "tenant"}})
	w.register(sandbox.Registration{ClientID: "app", Secret: "s"})
	if status, _ := w.call(w.request(http.MethodGet, sandbox.PathGraph+"/applications/obj-app", "")); status != 401 {
		t.Errorf("without a token: HTTP %d", status)
	}
	for _, object := range []string{
		"/applications/none", "/applications(appId='none')", "/users(appId='app')", "/applications(appId='app",
	} {
		if status, _ := w.api(http.MethodGet, sandbox.PathGraph+object, ""); status != 404 {
			t.Errorf("%s: HTTP %d", object, status)
		}
	}
	if code := w.entraLogin("none", "s"); code != 700016 {
		t.Errorf("unknown application: %v", code)
	}
	_, body := w.call(w.form(sandbox.PathLogin+"/other/oauth2/v2.0/token", "grant_type", "client_credentials"))
	if body["error"] != "invalid_request" {
		t.Errorf("another tenant: %v", body["error"])
	}
}

func TestPortalMakesAndRemovesByHand(t *testing.T) {
	w := newWorld(t, sandbox.Settings{PortalTTL: time.Hour})
	w.register(sandbox.Registration{ClientID: "c", Secret: "old"})
	value, expires, err := w.idp.Portal().NewSecret("c")
	if err != nil || !expires.Equal(w.now().Add(time.Hour)) {
		t.Fatalf("expires %v, error %v", expires, err)
	}
	w.expectLogin("c", "old", 200)
	w.expectLogin("c", value, 200)
	if n, err := w.idp.Portal().RemoveOld("c"); n != 1 || err != nil {
		t.Errorf("removed %d, error %v", n, err)
	}
	w.expectLogin("c", "old", 401)
	w.expectLogin("c", value, 200)
	if _, _, err := w.idp.Portal().NewSecret("none"); !errors.Is(err, sandbox.ErrNoClient) {
		t.Errorf("error %v", err)
	}
	for _, path := range []string{"/new", "/remove-old"} {
		if status, _ := w.call(w.form(sandbox.PathPortal+path, "client_id", "c")); status != 200 {
			t.Errorf("%s: HTTP %d", path, status)
		}
		if status, _ := w.call(w.form(sandbox.PathPortal+path, "client_id", "none")); status != 404 {
			t.Errorf("%s of nobody: HTTP %d", path, status)
		}
	}
	w.expectLogin("c", value, 401) // the form made a newer one, and removed the rest
}

func TestAClientIsRegisteredOnce(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", ObjectID: "o"})
	for _, r := range []sandbox.Registration{{ClientID: "c", ObjectID: "p"}, {ClientID: "d", ObjectID: "o"}} {
		if err := w.idp.Register(r); !errors.Is(err, sandbox.ErrDuplicate) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	w.idp.Unregister("c")
	w.register(sandbox.Registration{ClientID: "d", ObjectID: "o"})
}

func TestRemoveEndsOneVersion(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "s"})
	id := w.idp.Secrets("c")[0].ID
	if err := w.idp.Remove("c", id); err != nil {
		t.Fatal(err)
	}
	w.expectLogin("c", "s", 401)
	if err := w.idp.Remove("c", id); !errors.Is(err, sandbox.ErrNoSecret) {
		t.Errorf("error %v", err)
	}
	if err := w.idp.Disable("c", true); err != nil {
		t.Fatal(err)
	}
}
