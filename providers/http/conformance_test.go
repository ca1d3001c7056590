package http_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	kind "github.com/rotad/rotad/providers/http"
	"github.com/rotad/rotad/providers/providertest"
)

const (
	day         = 24 * time.Hour
	firstSecret = "first-secret"
)

// ticking is a clock that goes on by a second whenever it is read, so that no two secrets begin at the same time.
func ticking() func() time.Time {
	var mu sync.Mutex
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
}

func open(t testing.TB, s kind.Settings, transport http.RoundTripper) providers.Provider {
	t.Helper()
	s.Validate(func(path, what, hint string) { t.Errorf("%s %s (%s)", path, what, hint) })
	p, err := kind.Kind().Open(providers.Opening{
		Name: "api", Settings: &s, Transport: transport, Elapsed: func() time.Duration { return 0 },
		Secret: func(name string) (string, error) {
			return map[string]string{"token": "bearer", "client_secret": "rotads-own", "password": "project-secret"}[name], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(id string) providers.Target {
	return providers.Target{Client: "c", Ref: credential.Ref{"client_id": id}}
}

func bundle(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

// TestConformanceOfThePresetTelicent is the suite of the kind telicent, against the same stand-in, with both logins.
func TestConformanceOfThePresetTelicent(t *testing.T) {
	for name, test := range map[string]struct {
		access kind.Access
	}{
		"a token":  {kind.Access{TokenEnv: "TOKEN"}},
		"a client": {kind.Access{ClientID: "rotad", ClientSecretEnv: "S"}},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				idp, url := standIn(t, sandbox.Settings{AdminToken: "bearer"})
				w := world(t, idp, kind.Settings{Preset: "telicent", URL: url + sandbox.PathTelicent, Access: test.access})
				w.Creates = func(r *http.Request) bool {
					return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/clients/")
				}
				w.Verifies = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/oauth2/token") }
				return w
			})
		})
	}
}

// standIn is the sandbox's identity provider with the client "billing" and rotad's own one.
func standIn(t testing.TB, s sandbox.Settings) (*sandbox.IdP, string) {
	t.Helper()
	idp := sandbox.NewIdP(ticking(), s)
	for _, r := range []sandbox.Registration{
		{ClientID: "billing", Secret: firstSecret, TTL: 365 * day}, {ClientID: "rotad", Secret: "rotads-own", Admin: true}, {ClientID: "new"},
	} {
		if err := idp.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(idp.Handler())
	t.Cleanup(server.Close)
	return idp, server.URL
}

func world(t testing.TB, idp *sandbox.IdP, s kind.Settings) providertest.World {
	t.Helper()
	return providertest.World{
		Name: "api", Target: target("billing"), Unknown: target("none"), Bundle: bundle("billing", firstSecret),
		Field: credential.FieldClientSecret, Canaries: []string{"bearer", "rotads-own"},
		Open:    func(t *testing.T, transport http.RoundTripper) providers.Provider { return open(t, s, transport) },
		Created: func() int { return idp.Made("billing") },
		Accepts: func(b credential.Bundle) bool {
			answer, _ := idp.Login(t.Context(), b)
			return answer == providers.Accepted
		},
	}
}

// graph describes the passwords of an application of Microsoft Graph, as a two-slot API with labels and an expiry.
func graph(url string) kind.Settings {
	return kind.Settings{
		Preset: "none", URL: url + sandbox.PathGraph, Mode: "two-slot",
		Access: kind.Access{
			ClientID: "rotad", ClientSecretEnv: "S", LoginURL: url + sandbox.PathLogin + "/tenant/oauth2/v2.0/token", LoginAuth: "post",
			LoginScope: "https://graph.microsoft.com/.default",
		},
		Inspect: kind.Look{
			Call:     kind.Call{Path: "/applications(appId='{id}')", Query: map[string]string{"$select": "id,appId,signInAudience,passwordCredentials"}},
			ClientID: "$.appId", List: "$.passwordCredentials",
			Secret: kind.Fields{ID: "$.keyId", Start: "$.startDateTime", Expires: "$.endDateTime", Label: "$.displayName", Hint: "$.hint"},
		},
		Create: kind.Make{
			Call: kind.Call{
				Path: "/applications(appId='{id}')/addPassword",
				JSON: map[string]any{"passwordCredential": map[string]any{"displayName": "{label}", "endDateTime": "{expires}"}},
			},
			Answer: kind.Answer{Fields: kind.Fields{
				ID: "$.keyId", Value: "$.secretText", Start: "$.startDateTime", Expires: "$.endDateTime", Label: "$.displayName", Hint: "$.hint",
			}},
		},
		Revoke: &kind.Ending{Call: kind.Call{Method: "POST", Path: "/applications(appId='{id}')/removePassword", JSON: map[string]any{"keyId": "{secret_id}"}}},
		Verify: kind.Proof{
			TokenURL: url + sandbox.PathLogin + "/tenant/oauth2/v2.0/token", Method: "client_credentials", Scope: "https://graph.microsoft.com/.default",
		},
	}
}

func TestConformanceOfSecretsSideBySide(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		idp, url := standIn(t, sandbox.Settings{})
		w := world(t, idp, graph(url))
		w.Expires = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		w.Creates = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/addPassword") }
		w.Verifies = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") }
		return w
	})
}

func TestConformanceOfThePresetLogto(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		idp, url := standIn(t, sandbox.Settings{})
		w := world(t, idp, kind.Settings{
			Preset: "logto", URL: url + sandbox.PathLogto, Vars: map[string]string{"tenant": "sandbox"},
			Access: kind.Access{ClientID: "rotad", ClientSecretEnv: "S"},
		})
		w.Expires = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		w.Creates = func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/secrets")
		}
		w.Verifies = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") }
		return w
	})
}

func TestConformanceOfThePresetOkta(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		idp, url := standIn(t, sandbox.Settings{AdminToken: "bearer"})
		w := world(t, idp, kind.Settings{
			Preset: "okta", URL: url + sandbox.PathOkta, Vars: map[string]string{"server": "default"}, Access: kind.Access{TokenEnv: "T"},
		})
		w.Creates = func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/secrets")
		}
		w.Verifies = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") }
		return w
	})
}

func TestConformanceOfThePresetStytch(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		idp, url := standIn(t, sandbox.Settings{AdminToken: "project-secret"})
		w := world(t, idp, stytch(url))
		w.Canaries = append(w.Canaries, "project-secret")
		w.Creates = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/rotate/start") }
		w.Verifies = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/token") }
		return w
	})
}

func stytch(url string) kind.Settings {
	return kind.Settings{
		Preset: "stytch", URL: url + sandbox.PathStytch, Vars: map[string]string{"project": "project-test-1"},
		Access: kind.Access{Username: "project-test-1", PasswordEnv: "P"},
	}
}

// approle describes the SecretIDs of a Vault role, whose values rotad chooses: the list is one of plain texts, the login
// is a header, and a secret is proved by a request. The role id is the ref's client_id.
func approle(url string) kind.Settings {
	return kind.Settings{
		Preset: "none", URL: url + "/v1/auth/approle", Mode: "caller-chosen",
		Access: kind.Access{TokenEnv: "T", LoginHeader: "X-Vault-Token"},
		Inspect: kind.Look{
			Call: kind.Call{Method: "LIST", Path: "/role/{id}/secret-id"}, List: "$.data.keys", Secret: kind.Fields{ID: "$"},
		},
		Exists: &kind.Call{Path: "/role/{id}"},
		Create: kind.Make{
			Call:   kind.Call{Path: "/role/{id}/custom-secret-id", JSON: map[string]any{"secret_id": "{value}"}},
			Answer: kind.Answer{Fields: kind.Fields{ID: "$.data.secret_id_accessor", Value: "$.data.secret_id"}},
		},
		Revoke: &kind.Ending{Call: kind.Call{Method: "POST", Path: "/role/{id}/secret-id-accessor/destroy", JSON: map[string]any{"secret_id_accessor": "{secret_id}"}}},
		Verify: kind.Proof{Request: &kind.Ask{
			Call: kind.Call{Path: "/login", JSON: map[string]any{"role_id": "{client_id}", "secret_id": "{client_secret}"}},
			Answers: []kind.Sign{
				{Path: "$.auth.client_token", Means: "accepted"},
				{Status: []int{400}, Path: "$.errors[*]", Is: []string{"invalid role or secret ID"}, Means: "refused"},
			},
		}},
		Errors: []kind.Rule{
			{On: []string{"inspect"}, Status: []int{400}, Means: "not-found"},
			{On: []string{"revoke"}, Path: "$.errors[?search(@, 'failed to find accessor entry')]", Means: "not-found"},
		},
	}
}

func TestConformanceOfValuesThatRotadChooses(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		a := sandbox.NewAppRole(ticking(), sandbox.AppRoleSettings{Token: "bearer"})
		server := httptest.NewServer(a.Handler())
		t.Cleanup(server.Close)
		roleID, err := a.AddRole(sandbox.AppRoleRole{Name: "billing"})
		if err != nil {
			t.Fatal(err)
		}
		first, _, err := a.Issue("billing")
		if err != nil {
			t.Fatal(err)
		}
		settings := approle(server.URL)
		return providertest.World{
			Name: "api", Target: providers.Target{Ref: credential.Ref{"id": "billing", "client_id": roleID}}, Unknown: target("none"),
			Bundle: bundle(roleID, first), Field: credential.FieldClientSecret, Canaries: []string{"bearer", first},
			Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
				return open(t, settings, transport)
			},
			Created:  func() int { return a.Created("billing") },
			Accepts:  func(b credential.Bundle) bool { return a.Accepts("billing", b.Secret()) },
			Creates:  func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/custom-secret-id") },
			Verifies: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/login") },
		}
	})
}

// realm describes the client secret of a Keycloak client, which can be read back. Clients are named by their uuid.
func realm(url string) kind.Settings {
	return kind.Settings{
		Preset: "none", URL: url + "/admin/realms/sandbox",
		Access: kind.Access{
			ClientID: "rotad", ClientSecretEnv: "S", LoginURL: url + "/realms/sandbox/protocol/openid-connect/token",
		},
		Inspect: kind.Look{
			Call: kind.Call{Path: "/clients/{id}"}, ClientID: "$.clientId",
			Current: kind.Fields{Value: "$.secret"},
		},
		Create: kind.Make{
			Call:   kind.Call{Path: "/clients/{id}/client-secret"},
			Answer: kind.Answer{Fields: kind.Fields{Value: "$.value"}},
		},
		Verify: kind.Proof{
			TokenURL: url + "/realms/sandbox/protocol/openid-connect/token", Refused: []string{"unauthorized_client"}, Method: "client_credentials",
		},
	}
}

func TestConformanceOfASecretThatIsReplacedAndReadable(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.World {
		return keycloak(t, func(s *kind.Settings) { s.Mode = "hard-cutover" }, sandbox.KeycloakSettings{})
	})
}

// TestConformanceOfASecretNamedByItsValue: two slots that show values and no ids; the old one is ended by its slot.
func TestConformanceOfASecretNamedByItsValue(t *testing.T) {
	const rotated = `$.attributes['client.secret.rotated']`
	providertest.Run(t, func(t *testing.T) providertest.World {
		return keycloak(t, func(s *kind.Settings) {
			s.Mode = "grace-window"
			s.Inspect.Current.Expires = `$.attributes['client.secret.expiration.time']`
			s.Inspect.Previous = kind.Fields{
				Value: rotated, Expires: `$.attributes['client.secret.rotated.expiration.time']`,
			}
			s.Revoke = &kind.Ending{Call: kind.Call{Path: "/clients/{id}/client-secret/rotated"}}
			s.Recover = &kind.Lookup{
				Call: kind.Call{Path: "/clients/{id}/client-secret"}, Answer: kind.Answer{Fields: kind.Fields{Value: "$.value"}},
			}
		}, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{}})
	})
}

func keycloak(t *testing.T, change func(*kind.Settings), s sandbox.KeycloakSettings) providertest.World {
	t.Helper()
	s.AdminSecret = "rotads-own"
	k := sandbox.NewKeycloak(ticking(), s)
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	if err := k.Register(sandbox.KeycloakClient{ClientID: "billing", Secret: firstSecret, ServiceAccount: true}); err != nil {
		t.Fatal(err)
	}
	settings := realm(server.URL)
	change(&settings)
	mine := providers.Target{Client: "c", Ref: credential.Ref{"id": uuidOf(t, server.URL), "client_id": "billing"}}
	return providertest.World{
		Name: "api", Target: mine, Unknown: providers.Target{Ref: credential.Ref{"id": "none"}}, Bundle: bundle("billing", firstSecret),
		Field: credential.FieldClientSecret, Canaries: []string{"rotads-own", firstSecret},
		Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
			return open(t, settings, transport)
		},
		Created: func() int { return k.Replaced("billing") },
		Accepts: func(b credential.Bundle) bool { return k.Accepts("billing", b.Secret()) },
		Creates: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/client-secret")
		},
		Verifies: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/token") },
	}
}

// uuidOf asks the stand-in what it calls the client.
func uuidOf(t *testing.T, base string) string {
	t.Helper()
	var token struct {
		Value string `json:"access_token"`
	}
	reply, err := http.PostForm(base+"/realms/sandbox/protocol/openid-connect/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"rotad"}, "client_secret": {"rotads-own"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	if err = json.NewDecoder(reply.Body).Decode(&token); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/admin/realms/sandbox/clients?clientId=billing", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Value)
	list, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = list.Body.Close() }()
	var clients []struct {
		ID string `json:"id"`
	}
	if err = json.NewDecoder(list.Body).Decode(&clients); err != nil || len(clients) != 1 {
		t.Fatalf("%d clients (%v)", len(clients), err)
	}
	return clients[0].ID
}
