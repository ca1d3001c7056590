package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

// The clients of the demo: one per overlap mode, and one per system that docs/seeds.md names.
const (
	demoTwoSlot = "billing-api"
	demoGrace   = "catalogue" // seed 003: an authorization server with a current and a previous secret
	demoChosen  = "nightly-batch"
	demoCutover = "intranet"
	demoManual  = "partner-shop" // seed 000: a platform without any API for it
	demoRover   = "gateway"      // seed 001: a control plane with graceful rotation
	demoBFF     = "web-bff"      // seed 002: a backend-for-frontend that reads a mounted file
	demoLight   = "staff-portal" // seed 004: a portal with versions, whose old secret dies at once
)

// demoTried is the client that people are asked to rotate. Its own turn comes late, when whoever reads has long typed the
// command: during a rotation the answer would be that one is under way already.
const demoTried = demoChosen

// demoLogin is one login of a service.
type demoLogin func(context.Context, credential.Bundle) (providers.Answer, error)

// demoRole is one client as the demo's world has it.
type demoRole struct {
	id      string
	age     time.Duration // of its secret when the demo begins: the older, the sooner it is replaced
	place   demoPlace
	mounted string // file below the demo's directory that its late service reads; empty = Vault
	creates string // how the path of the request ends that makes a secret; empty = a person makes them in a portal

	born  func(w *demoWorld, secret string) error // registers it now, with its first secret, and writes its bundle
	login func(w *demoWorld, c *http.Client) demoLogin
	hand  func(w *demoWorld) (value string, err error) // makes a secret at the provider, as its administrator would
}

// demoPlace is where the secret of a client stands in Vault, and what its field is called.
type demoPlace struct{ path, field string }

// demoCast are the clients of the demo. The signing key and the salts of the backend-for-frontend (seed 002) join here.
func demoCast() []demoRole {
	return []demoRole{
		demoBilling(), demoCatalogue(), demoBatch(), demoIntranet(), demoPartner(), demoGateway(), demoWebBFF(), demoStaffPortal(),
	}
}

// demoRoles are the clients by their ids.
func demoRoles() map[string]demoRole {
	roles := map[string]demoRole{}
	for _, role := range demoCast() {
		roles[role.id] = role
	}
	return roles
}

// demoBundle is the bundle of a client under the names that rotad uses.
func demoBundle(clientID, secret string) map[string]any {
	return map[string]any{"client_id": clientID, "client_secret": secret}
}

func demoBilling() demoRole {
	return demoRole{
		id: demoTwoSlot, age: 66 * demoDay, place: demoPlace{"apps/billing/oidc", "OIDC_SECRET"}, creates: "/addPassword",
		born: func(w *demoWorld, secret string) error {
			w.put("apps/billing/oidc", demoBySetup, map[string]any{"client_id": demoAppID, "OIDC_SECRET": secret, "LOG_LEVEL": "info"})
			return w.idp.Register(sandbox.Registration{ClientID: demoAppID, Name: "Billing", Secret: secret, TTL: demoLifetime})
		},
		login: func(w *demoWorld, c *http.Client) demoLogin {
			return sandbox.OAuthLogin(c, w.public.IdP+"/login/"+demoTenant+"/oauth2/v2.0/token", "{client_id}/.default")
		},
		hand: func(w *demoWorld) (string, error) { return w.beside(demoAppID) },
	}
}

func demoCatalogue() demoRole {
	return demoRole{
		id: demoGrace, age: 62 * demoDay, place: demoPlace{"apps/catalogue/oidc", "client_secret"}, creates: "/rotate",
		born: func(w *demoWorld, secret string) error {
			w.put("apps/catalogue/oidc", demoBySetup, demoBundle(demoGrace, secret))
			return w.idp.Register(sandbox.Registration{ClientID: demoGrace, Secret: secret, TTL: demoLifetime})
		},
		login: func(w *demoWorld, c *http.Client) demoLogin {
			return sandbox.OAuthLogin(c, w.public.IdP+"/telicent/oauth2/token", "")
		},
		hand: func(w *demoWorld) (value string, err error) {
			_, value, err = w.idp.Issue(demoGrace, sandbox.Issue{TTL: demoLifetime, KeepOld: 7 * demoDay})
			return value, err
		},
	}
}

func demoBatch() demoRole {
	return demoRole{
		id: demoChosen, age: 60 * demoDay, place: demoPlace{"apps/nightly-batch/approle", "secret_id"}, creates: "/custom-secret-id",
		born: func(w *demoWorld, _ string) error {
			role, err := w.roles.AddRole(sandbox.AppRoleRole{Name: demoChosen, SecretIDTTL: demoLifetime})
			if err != nil {
				return err
			}
			value, _, err := w.roles.Issue(demoChosen)
			w.put("apps/nightly-batch/approle", demoBySetup, map[string]any{"role_id": role, "secret_id": value})
			return err
		},
		login: func(w *demoWorld, c *http.Client) demoLogin {
			return sandbox.AppRoleLogin(c, w.public.Vault, demoMount)
		},
		hand: func(w *demoWorld) (value string, err error) {
			value, _, err = w.roles.Issue(demoChosen)
			return value, err
		},
	}
}

func demoIntranet() demoRole {
	return demoRole{
		id: demoCutover, age: 58 * demoDay, place: demoPlace{"apps/intranet/oidc", "client_secret"}, creates: "/client-secret",
		born: func(w *demoWorld, secret string) error {
			w.put("apps/intranet/oidc", demoBySetup, demoBundle(demoCutover, secret))
			return w.keycloak.Register(sandbox.KeycloakClient{
				ClientID: demoCutover, Secret: secret, ServiceAccount: true,
				Attributes: map[string]string{"client.secret.creation.time": fmt.Sprint(w.clock.now().Unix())},
			})
		},
		login: func(w *demoWorld, c *http.Client) demoLogin {
			return sandbox.OAuthLogin(c, w.public.Keycloak+"/realms/staff/protocol/openid-connect/token", "")
		},
		hand: func(w *demoWorld) (string, error) {
			value := rand.Text()
			return value, w.keycloak.SetSecret(demoCutover, value)
		},
	}
}

// beside makes a secret at the identity provider and leaves the others in place.
func (w *demoWorld) beside(clientID string) (value string, err error) {
	_, value, err = w.idp.Issue(clientID, sandbox.Issue{Label: "by hand", TTL: demoLifetime, KeepOld: -1})
	return value, err
}
