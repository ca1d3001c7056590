package servers

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// OIDCProvider is a running node-oidc-provider with client registration. It never replaces a secret at an update, and
// replaces the registration access token with each.
type OIDCProvider struct {
	URL     string // http://127.0.0.1:port
	process *Process
}

// Registration is what a server answers to a client that registers (RFC 7591 section 3.2.1, RFC 7592 section 3).
type Registration struct {
	ClientID string `json:"client_id"`
	Secret   string `json:"client_secret"`
	Token    string `json:"registration_access_token"`
	URI      string `json:"registration_client_uri"`
}

// StartOIDCProvider starts an OpenID provider without clients. module is the directory of the tests' module.
func StartOIDCProvider(ctx context.Context, cache Cache, module, dir string) (*OIDCProvider, error) {
	source := filepath.Join(module, "servers", "oidcprovider")
	installed, err := InstallNPM(ctx, cache, source)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(filepath.Join(source, "server.mjs"))
	if err != nil {
		return nil, fmt.Errorf("reading the program of the OpenID provider: %w", err)
	}
	script := filepath.Join(dir, "server.mjs") // node looks for modules beside the program
	if err := os.WriteFile(script, program, 0o644); err != nil {
		return nil, fmt.Errorf("writing the program of the OpenID provider: %w", err)
	}
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		return nil, fmt.Errorf("linking the modules of the OpenID provider: %w", err)
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	process, err := Launch(Spec{
		Name: "oidc-provider", Path: "node", Args: []string{script}, Dir: dir, Env: append(BareEnv(), fmt.Sprintf("PORT=%d", port)),
		Log: filepath.Join(dir, "oidc-provider.log"),
	})
	if err != nil {
		return nil, err
	}
	p := &OIDCProvider{URL: fmt.Sprintf("http://127.0.0.1:%d", port), process: process}
	err = Until(ctx, 30*time.Second, 50*time.Millisecond, func(ctx context.Context) error {
		if err := process.ended(); err != nil {
			return err
		}
		return do(ctx, call{method: http.MethodGet, url: p.URL + "/.well-known/openid-configuration"})
	})
	if err != nil {
		process.Kill()
		return nil, fmt.Errorf("waiting for the OpenID provider: %w", err)
	}
	return p, nil
}

// Register registers a client, which anybody may here.
func (p *OIDCProvider) Register(ctx context.Context) (Registration, error) {
	var r Registration
	err := do(ctx, call{method: http.MethodPost, url: p.URL + "/reg", json: billing(), out: &r})
	return r, err
}

// RegisterSigning registers a client that logs in with its signature, and whose public keys are at an address.
func (p *OIDCProvider) RegisterSigning(ctx context.Context, keys string) (Registration, error) {
	var r Registration
	err := do(ctx, call{method: http.MethodPost, url: p.URL + "/reg", out: &r, json: map[string]any{
		"grant_types": []string{"client_credentials"}, "response_types": []string{}, "redirect_uris": []string{},
		"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": keys,
	}})
	return r, err
}

// Stop ends the server. Its data lives in memory only.
func (p *OIDCProvider) Stop() { p.process.Kill() }
