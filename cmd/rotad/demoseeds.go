package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// demoPartner lives on a platform that has no API for secrets: a person is led through its portal.
func demoPartner() demoRole {
	return demoRole{
		id: demoManual, age: 53 * demoDay, place: demoPlace{"apps/partner-shop/oidc", "client_secret"},
		born: func(w *demoWorld, secret string) error {
			w.at.Expires = w.clock.now().Add(demoLifetime).UTC().Format(time.RFC3339)
			w.put("apps/partner-shop/oidc", demoBySetup, demoBundle(demoManual, secret))
			return w.odc.Register(sandbox.Registration{ClientID: demoManual, Name: "Partner shop", Secret: secret, TTL: demoLifetime})
		},
		login: func(w *demoWorld, c *http.Client) demoLogin {
			return sandbox.OAuthLogin(c, w.public.ODC+sandbox.PathODCToken, "")
		},
		hand: func(w *demoWorld) (value string, err error) {
			value, _, err = w.odc.Portal().NewSecret(demoManual)
			return value, err
		},
	}
}

// demoGateway belongs to a team of a control plane. Its administrator has set how long the gateway accepts both.
func demoGateway() demoRole {
	return demoRole{
		id: demoRover, age: 56 * demoDay, place: demoPlace{"apps/gateway/oidc", "client_secret"}, creates: "/secret",
		born: func(w *demoWorld, secret string) error {
			w.put("apps/gateway/oidc", demoBySetup, demoBundle(w.rover.ClientID(demoRover), secret))
			return w.rover.Register(sandbox.RoverApp{Name: demoRover, Secret: secret})
		},
		login: func(w *demoWorld, c *http.Client) demoLogin {
			return sandbox.OAuthLogin(c, w.public.Rover+sandbox.PathRoverToken, "")
		},
		hand: func(w *demoWorld) (string, error) { return w.rover.Replace(demoRover) },
	}
}

// demoWebBFF reads AUTH_CLIENT_ID and AUTH_CLIENT_SECRET. One service of it has the secret mounted as a file.
func demoWebBFF() demoRole {
	return demoRole{
		id: demoBFF, age: 64 * demoDay, place: demoPlace{"apps/web-bff/oidc", "AUTH_CLIENT_SECRET"}, creates: "/" + demoBFF + "/secrets",
		mounted: "run/secrets/oidc-client-secret",
		born: func(w *demoWorld, secret string) error {
			w.put("apps/web-bff/oidc", demoBySetup, map[string]any{"AUTH_CLIENT_ID": demoBFF, "AUTH_CLIENT_SECRET": secret})
			err := w.mount("run/secrets/oidc-client-secret", secret)
			return errors.Join(err, w.idp.Register(sandbox.Registration{ClientID: demoBFF, Name: "Web", Secret: secret, TTL: demoLifetime}))
		},
		login: func(w *demoWorld, c *http.Client) demoLogin {
			return sandbox.OAuthLogin(c, w.public.IdP+"/logto/oidc/token", "")
		},
		hand: func(w *demoWorld) (string, error) { return w.beside(demoBFF) },
	}
}

// demoStaffPortal has one verifier: the old secret dies when the new one is made.
func demoStaffPortal() demoRole {
	return demoRole{
		id: demoLight, age: 54 * demoDay, place: demoPlace{"apps/staff-portal/oidc", "client_secret"}, creates: "/portal/command",
		born: func(w *demoWorld, secret string) error {
			w.put("apps/staff-portal/oidc", demoBySetup, demoBundle(demoLight, secret))
			return w.light.Register(sandbox.LightAPIClient{ClientID: demoLight, Secret: secret, Position: "workplace"})
		},
		login: func(w *demoWorld, c *http.Client) demoLogin {
			return sandbox.OAuthLogin(c, w.public.Light+sandbox.PathLightOAuth, "")
		},
		hand: func(w *demoWorld) (string, error) { return w.light.Regenerate(demoLight) },
	}
}

// mount writes a file as it stands before rotad has written it for the first time.
func (w *demoWorld) mount(name, value string) error {
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(value), 0o600)
}

// mountedReader reads a bundle as a service does whose secret is a file, and whose client id is a setting.
func (w *demoWorld) mountedReader(name, clientID string) func(context.Context) (credential.Bundle, error) {
	files := os.DirFS(w.dir)
	return func(context.Context) (credential.Bundle, error) {
		value, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		return credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(clientID), credential.FieldClientSecret: credential.NewSensitive(string(value)),
		}, nil
	}
}
