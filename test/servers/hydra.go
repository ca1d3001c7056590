package servers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/rotad/rotad/internal/freeport"
)

// hydraProgram is the command that the module in hydra/ pins.
const hydraProgram = "github.com/ory/hydra/v2"

// Hydra is a running Ory Hydra whose data lives in memory. Its admin API asks for no login; it keeps hashes and shows no secret again.
type Hydra struct {
	Public, Admin string // http://127.0.0.1:port
	process       *Process
}

// StartHydra starts a Hydra without clients. module is the directory of the tests' module.
func StartHydra(ctx context.Context, cache Cache, module, dir string) (*Hydra, error) {
	program, err := installTool(ctx, cache, module, "hydra", hydraProgram, "-tags=sqlite,json1")
	if err != nil {
		return nil, err
	}
	public, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	admin, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	h := &Hydra{Public: fmt.Sprintf("http://127.0.0.1:%d", public), Admin: fmt.Sprintf("http://127.0.0.1:%d", admin)}
	h.process, err = Launch(Spec{
		Name: "hydra", Path: program, Args: []string{"serve", "all", "--dev"}, Dir: dir, Log: filepath.Join(dir, "hydra.log"),
		Env: append(FrugalEnv(), "DSN=memory", "SECRETS_SYSTEM=a-secret-of-the-tests", "SQA_OPT_OUT=true", "LOG_LEVEL=error",
			"SERVE_PUBLIC_HOST=127.0.0.1", fmt.Sprintf("SERVE_PUBLIC_PORT=%d", public), "SERVE_ADMIN_HOST=127.0.0.1",
			fmt.Sprintf("SERVE_ADMIN_PORT=%d", admin), "URLS_SELF_ISSUER="+h.Public),
	})
	if err != nil {
		return nil, err
	}
	if err = awaitAnswer(ctx, h.process, h.Admin+"/health/ready"); err != nil {
		h.Stop()
		return nil, err
	}
	return h, nil
}

// Register makes a client that logs in with a secret by HTTP Basic.
func (h *Hydra) Register(ctx context.Context, id, secret string) error {
	return do(ctx, call{method: http.MethodPost, url: h.Admin + "/admin/clients", json: map[string]any{
		"client_id": id, "client_secret": secret, "grant_types": []string{"client_credentials"}, "token_endpoint_auth_method": "client_secret_basic",
		"client_name": "Billing <&>",
	}})
}

// Accepts says whether a client can log in with a secret.
func (h *Hydra) Accepts(ctx context.Context, id, secret string) (bool, error) {
	return grants(ctx, h.Public+"/oauth2/token", id, secret)
}

// grants asks a token endpoint for a token by client credentials, with HTTP Basic.
func grants(ctx context.Context, address, id, secret string) (bool, error) {
	req := basicGrant(address, id, secret)
	err := do(ctx, req)
	if isStatus(err, http.StatusUnauthorized) {
		return false, nil
	}
	return err == nil, err
}

func basicGrant(address, id, secret string) call {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return call{
		method: http.MethodPost, url: address, form: url.Values{"grant_type": {"client_credentials"}},
		headers: map[string]string{"Authorization": r.Header.Get("Authorization")},
	}
}

// Stop ends the server.
func (h *Hydra) Stop() { h.process.Kill() }
