package vaultapprole

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// login returns the way in which rotad itself gets its token.
func login(o providers.Opening, s *Settings, client *httpapi.Client) httpapi.Login {
	if s.RoleID == "" {
		return func(context.Context) (httpapi.Token, error) {
			token, err := o.Secret("token")
			if err != nil {
				return httpapi.Token{}, noCredential(o.Name, err)
			}
			return httpapi.Token{Value: credential.NewSensitive(token)}, nil
		}
	}
	own := api{anonymous: client, mount: or(s.LoginMount, or(s.Mount, defaultMount))}
	return func(ctx context.Context) (httpapi.Token, error) {
		secret, err := o.Secret("secret_id")
		if err != nil {
			return httpapi.Token{}, noCredential(o.Name, err)
		}
		got, resp, err := own.login(ctx, "login", s.RoleID, credential.NewSensitive(secret))
		switch {
		case err != nil && resp != nil && resp.Status == http.StatusBadRequest:
			return httpapi.Token{}, resp.Failed(providers.ClassAuth, nil)
		case err != nil:
			return httpapi.Token{}, err
		case got.Token == "":
			return httpapi.Token{}, resp.Missing("client_token")
		}
		return httpapi.Token{
			Value: credential.NewSensitive(got.Token), Lives: time.Duration(got.Lease) * time.Second,
		}, nil
	}
}

func noCredential(name string, err error) error {
	return &providers.Error{Class: providers.ClassAuth, Provider: name, Operation: "login", Err: err}
}

func authorize(h http.Header, token credential.Sensitive) { h.Set("X-Vault-Token", token.Reveal()) }

// expired: Vault answers a token that has ended with 403, like a right that is missing.
func expired(r *httpapi.Response) bool { return r.Status == http.StatusForbidden }

// classify knows what Vault says in its own words. What is not recognised keeps the general, more careful reading.
func classify(r *httpapi.Response) (providers.Class, bool) {
	switch {
	case r.Status == http.StatusServiceUnavailable && says(r, "sealed"):
		return providers.ClassUnavailable, true // nothing is done while Vault is sealed
	case r.Status == http.StatusNotFound && says(r, "no handler for route"):
		return providers.ClassRejected, true // the mount is missing, which says nothing about the role
	case says(r, "does not exist") && (r.Status == http.StatusBadRequest || r.Status == http.StatusInternalServerError):
		return providers.ClassNotFound, true
	}
	return "", false
}

// says looks for words of Vault's own among the errors of a reply. Nothing of a reply is ever repeated.
func says(r *httpapi.Response, words string) bool {
	var reply struct {
		Errors []string `json:"errors"`
	}
	if r == nil || httpapi.Unmarshal(r.Raw(), &reply) != nil {
		return false
	}
	for _, text := range reply.Errors {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
