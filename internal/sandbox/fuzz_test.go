package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

// FuzzDialects asks that no request makes a stand-in panic, and that none takes the secret of a client away but one that is
// allowed to.
func FuzzDialects(f *testing.F) {
	form, object := "application/x-www-form-urlencoded", "application/json"
	for i, seed := range [][4]string{
		{"POST", sandbox.PathToken, form, "grant_type=client_credentials&client_id=billing&client_secret=first"},
		{"POST", sandbox.PathIntrospect, form, "token=%zz"},
		{"POST", sandbox.PathGraph + "/applications/obj/addPassword", object, `{"passwordCredential":{"endDateTime":"x"}}`},
		{"POST", sandbox.PathGraph + "/applications(appId='billing')/removePassword", object, `{"keyId":1}`},
		{"PATCH", sandbox.PathTelicent + "/clients/billing", object, `{`},
		{"POST", sandbox.PathTelicent + "/clients/billing/rotate", object, `null`},
		{"POST", "/realms/sandbox/protocol/openid-connect/token", form, "grant_type=authorization_code&code=x"},
		{"GET", "/admin/realms/sandbox/clients", "", "clientId=billing"},
		{"POST", "/v1/auth/approle/role/billing/secret-id", object, `{"metadata":"{\"rotad\":1}","ttl":"-1s"}`},
		{"POST", "/v1/auth/approle/role/billing/custom-secret-id", object, `{"secret_id":{}}`},
		{"LIST", "/v1/auth/approle/role/billing/secret-id", "", ""},
		{"POST", "/portal/command", object, `{"jsonrpc":"2.0","method":"lightapi.net/oauth/regenerateClientSecret/0.1.0","params":{"hostId":"host","clientId":"billing","aggregateVersion":1},"id":1}`},
		{"GET", "/portal/query", "", `cmd={"host":"lightapi.net","service":"oauth","action":"getClient","version":"0.1.0","data":{"hostId":"host","filters":"x"}}`},
		{"PATCH", sandbox.PathRover + "/rovers/eni--hyperion--billing/secret", object, `{}`},
		{"POST", sandbox.PathRoverToken, form, "grant_type=client_credentials&client_id=eni--hyperion&client_secret="},
		{"PUT", sandbox.PathRegister + "/billing", object, `{"client_id":"billing"}`},
		{"GET", sandbox.PathRegister, "", "client_id=billing"},
		{"DELETE", sandbox.PathLogto + "/api/applications/billing/secrets/Default secret", "", ""},
		{"POST", sandbox.PathStytch + "/v1/m2m/clients/billing/secrets/rotate/start", "", "x"},
		{"POST", sandbox.PathLogto + "/api/applications/billing/secrets", object, `{"name":"x","expiresAt":1e300}`},
		{"POST", sandbox.PathODCClients + "billing/secrets/rotate", object, `{"overlap_hours":1e9}`},
		{"OPTIONS", sandbox.PathODCClients + "billing/secrets/rotate", "", ""},
	} {
		f.Add(uint8(i), seed[0], seed[1], seed[2], seed[3], i%2 == 0)
	}
	now := func() time.Time { return time.Unix(1_772_366_400, 0) }
	f.Fuzz(func(t *testing.T, which uint8, method, path, kind, body string, trusted bool) {
		idp := sandbox.NewIdP(now, sandbox.Settings{AdminToken: admin})
		realm := sandbox.NewKeycloak(now, sandbox.KeycloakSettings{AdminSecret: "s"})
		roles := sandbox.NewAppRole(now, sandbox.AppRoleSettings{Token: admin})
		if err := idp.Register(sandbox.Registration{ClientID: "billing", ObjectID: "obj", Secret: "first"}); err != nil {
			t.Fatal(err)
		}
		if err := realm.Register(sandbox.KeycloakClient{ClientID: "billing", Secret: "first"}); err != nil {
			t.Fatal(err)
		}
		if _, err := roles.AddRole(sandbox.AppRoleRole{Name: "billing"}); err != nil {
			t.Fatal(err)
		}
		portal := sandbox.NewLightAPI(now, sandbox.LightAPISettings{Token: admin})
		if err := portal.Register(sandbox.LightAPIClient{ClientID: "billing", Secret: "first"}); err != nil {
			t.Fatal(err)
		}
		cloud := sandbox.NewODC(now, sandbox.Settings{AdminToken: admin}, sandbox.ODCSettings{API: true})
		if err := cloud.Register(sandbox.Registration{ClientID: "billing", Secret: "first"}); err != nil {
			t.Fatal(err)
		}
		plane := sandbox.NewRover(now, sandbox.RoverSettings{TeamSecret: admin})
		if err := plane.Register(sandbox.RoverApp{Name: "billing"}); err != nil {
			t.Fatal(err)
		}
		register := sandbox.NewRegistrar(now, sandbox.RegistrarSettings{Rotates: true})
		if _, _, err := register.Register("billing", nil); err != nil {
			t.Fatal(err)
		}
		handlers := []http.Handler{idp.Handler(), realm.Handler(), roles.Handler(), portal.Handler(), plane.Handler(), register.Handler(), cloud.Handler()}
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", strings.NewReader(body))
		request.Method, request.URL.Path, request.URL.RawQuery = method, path, body
		request.Header.Set("Content-Type", kind)
		if trusted {
			request.Header.Set("Authorization", "Bearer "+admin)
			request.Header.Set("X-Vault-Token", admin)
		}
		reply := httptest.NewRecorder()
		handlers[int(which)%len(handlers)].ServeHTTP(reply, request)
		if register.Made("billing") != 1 {
			t.Errorf("%s %s made a secret without the client's own token", method, path)
		}
		if !trusted && roles.Created("billing") != 0 {
			t.Errorf("%s %s made a SecretID without a token", method, path)
		}
		if !trusted && portal.Regenerated("billing") != 0 {
			t.Errorf("%s %s regenerated a secret without a token", method, path)
		}
		if plane.Made("billing") != 0 { // its tokens are made anew each time
			t.Errorf("%s %s rotated an application without a token", method, path)
		}
		if !trusted && cloud.Made("billing") != 1 {
			t.Errorf("%s %s made a secret without a token", method, path)
		}
		if !trusted && realm.Replaced("billing") != 0 {
			t.Errorf("%s %s replaced a secret without a token", method, path)
		}
	})
}
