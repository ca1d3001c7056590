package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// fieldSecretID is the field of an AppRole bundle that holds the secret.
const fieldSecretID = "secret_id"

var (
	errNoBundle  = errors.New("there is no bundle")
	errNotServed = errors.New("the server did not serve the request")
)

// KVReader returns a Consumer.Read that reads a KV v2 path over HTTP with a token, as a service does. Fields are the
// names that a bundle's fields have in Vault; one that is missing keeps its name.
func KVReader(c *http.Client, address, token string, p credential.VaultPath) func(context.Context) (credential.Bundle, error) {
	return func(ctx context.Context) (credential.Bundle, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/v1/"+p.Mount+"/data/"+p.Path, nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("X-Vault-Token", token)
		var reply struct {
			Data struct {
				Data map[string]any `json:"data"`
			} `json:"data"`
		}
		status, err := exchange(c, r, &reply)
		switch {
		case err != nil:
			return nil, err
		case status != http.StatusOK:
			return nil, errNotServed
		}
		return bundleIn(reply.Data.Data, p)
	}
}

// bundleIn takes the fields of a bundle out of what Vault holds.
func bundleIn(data map[string]any, p credential.VaultPath) (credential.Bundle, error) {
	bundle := credential.Bundle{}
	for _, name := range []string{
		credential.FieldClientID, credential.FieldClientSecret, credential.FieldRoleID, fieldSecretID,
	} {
		if text, ok := data[p.Field(name)].(string); ok {
			bundle[name] = credential.NewSensitive(text)
		}
	}
	if len(bundle) == 0 {
		return nil, errNoBundle
	}
	return bundle, nil
}

// OAuthLogin returns a Consumer.Login that asks a token endpoint for a token by client_credentials (RFC 6749 section
// 4.4). An empty scope asks for none; "{client_id}" in it stands for the client.
func OAuthLogin(c *http.Client, tokenURL, scope string) func(context.Context, credential.Bundle) (providers.Answer, error) {
	return func(ctx context.Context, b credential.Bundle) (providers.Answer, error) {
		id := b[credential.FieldClientID].Reveal()
		form := url.Values{"grant_type": {"client_credentials"}}
		if scope != "" {
			form.Set("scope", strings.ReplaceAll(scope, "{client_id}", id))
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenURL, strings.NewReader(form.Encode()))
		if err != nil {
			return providers.Unknown, err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-Proto", "https") // consumers come through a proxy that ends TLS
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(b.Secret().Reveal()))
		return login(c, r, http.StatusUnauthorized)
	}
}

// AppRoleLogin returns a Consumer.Login for Vault's AppRole method at a mount.
func AppRoleLogin(c *http.Client, address, mount string) func(context.Context, credential.Bundle) (providers.Answer, error) {
	return func(ctx context.Context, b credential.Bundle) (providers.Answer, error) {
		body, err := json.Marshal(map[string]string{
			"role_id": b[credential.FieldRoleID].Reveal(), "secret_id": b[fieldSecretID].Reveal(),
		})
		if err != nil {
			return providers.Unknown, err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/v1/auth/"+mount+"/login", bytes.NewReader(body))
		if err != nil {
			return providers.Unknown, err
		}
		return login(c, r, http.StatusBadRequest)
	}
}

// login reads an answer the simple way that consumers do: 200, the one status that means "wrong credentials", or none.
func login(c *http.Client, r *http.Request, refused int) (providers.Answer, error) {
	status, err := exchange(c, r, nil)
	switch {
	case err != nil:
		return providers.Unknown, err
	case status == http.StatusOK:
		return providers.Accepted, nil
	case status == refused:
		return providers.Refused, nil
	}
	return providers.Unknown, errNotServed
}

// exchange sends a request and decodes a successful reply into out, if that is not nil.
func exchange(c *http.Client, r *http.Request, out any) (status int, err error) {
	resp, err := c.Do(r)
	if err != nil {
		return 0, fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxForm))
	if err != nil {
		return 0, fmt.Errorf("reading the reply: %w", err)
	}
	if out == nil || resp.StatusCode != http.StatusOK {
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return resp.StatusCode, errors.New("the reply is no JSON") // the cause may repeat what it holds
	}
	return resp.StatusCode, nil
}
