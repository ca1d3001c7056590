package telekom

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// endpoints are the token endpoints of the applications' zones, as their infos name them.
type endpoints struct {
	stated string         // by a person, for all; empty = they are looked up
	config httpapi.Config // of an anonymous client; its base is that of the API

	mu    sync.Mutex
	found map[string]httpapi.Verifier // by application
}

// Verify implements providers.Provider. An endpoint is kept as long as it accepts: an application that moves to another
// zone gets another one.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	name, err := p.api.application(t, "verify")
	if err != nil {
		return providers.Unknown, err
	}
	v, err := p.verifier(ctx, name)
	if err != nil {
		return providers.Unknown, err
	}
	answer, err := v.Verify(ctx, t.Verify, b)
	if answer != providers.Accepted {
		p.ends.forget(name)
	}
	return answer, err
}

func (p *provider) verifier(ctx context.Context, name string) (httpapi.Verifier, error) {
	if v, ok := p.ends.get(name); ok {
		return v, nil
	}
	where := info{tokenURL: p.ends.stated}
	if where.tokenURL == "" {
		var err error
		if where, err = p.api.info(ctx, "verify", name); err != nil {
			return httpapi.Verifier{}, unanswered(err)
		}
	}
	v, err := p.ends.open(where.tokenURL)
	if err != nil {
		return httpapi.Verifier{}, p.api.fault("verify", providers.ClassRejected, err)
	}
	p.ends.keep(name, v)
	return v, nil
}

// unanswered takes care that a platform that answers oddly is not taken for a kind that has no way to ask: what cannot be
// asked is published without a proof.
func unanswered(err error) error {
	if e, ok := errors.AsType[*providers.Error](err); ok && e.Class == providers.ClassUnsupported {
		changed := *e
		changed.Class = providers.ClassUnavailable
		return &changed
	}
	return err
}

var (
	errNoEndpoint = errors.New("the application's info names no token endpoint; write verify_url")
	errPlain      = errors.New("the application's info names a token endpoint without TLS, to which no secret is sent; write verify_url")
)

// open returns a verifier for a token endpoint. The address comes from the platform, so it is not trusted further than the
// platform itself: no secret leaves TLS because of it.
func (e *endpoints) open(address string) (httpapi.Verifier, error) {
	switch {
	case address == "":
		return httpapi.Verifier{}, errNoEndpoint
	case e.stated == "" && strings.HasPrefix(e.config.Base, "https:") && !strings.HasPrefix(strings.ToLower(address), "https:"):
		return httpapi.Verifier{}, errPlain
	}
	origin, path, err := httpapi.Split(address)
	if err != nil {
		return httpapi.Verifier{}, err
	}
	config := e.config
	config.Base = origin
	client, err := httpapi.New(config)
	if err != nil {
		return httpapi.Verifier{}, err
	}
	v := httpapi.Verifier{Client: client, Token: path, Auto: credential.VerifyClientCredentials, Classify: answer}
	if strings.HasSuffix(path, "/token") {
		v.Introspect = path + "/introspect" // where a Keycloak has it
	}
	return v, nil
}

func (e *endpoints) get(name string) (httpapi.Verifier, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v, ok := e.found[name]
	return v, ok
}

func (e *endpoints) keep(name string, v httpapi.Verifier) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.found[name] = v
}

func (e *endpoints) forget(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.found, name)
}

// answer reads a reply of a zone's identity provider, which is a Keycloak: it says unauthorized_client for a wrong secret
// and for a grant that is not allowed alike, and only the description tells the two apart.
func answer(r httpapi.VerifyReply) (providers.Answer, bool) {
	if r.Method == credential.VerifyIntrospection {
		return providers.Refused, r.Status == http.StatusUnauthorized && r.Code == "invalid_request"
	}
	if r.Code != "unauthorized_client" {
		return providers.Unknown, false
	}
	if strings.Contains(r.Description, "not enabled") || strings.Contains(r.Description, "not allowed") {
		return providers.Accepted, true
	}
	return providers.Refused, true
}
