package manual

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Settings are the block of a provider of this kind. Every one is optional.
type Settings struct {
	TokenURL         string `yaml:"token_url" format:"url" doc:"Token endpoint where a secret is proved; without it none can be."`
	IntrospectionURL string `yaml:"introspection_url" format:"url" doc:"Introspection endpoint, for clients that are verified there."`
	Instructions     string `yaml:"instructions" doc:"What the person has to do; it stands in the mails."`
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if s.IntrospectionURL != "" && s.TokenURL == "" {
		report("token_url", "is required beside introspection_url", "write the token endpoint as well")
	}
}

const defaultInstructions = "Make a new secret in the provider's portal, leave the old one in place, " +
	"and bring the new one with: rotad submit"

var errSettings = errors.New("the settings are not those of this kind")

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	p := &provider{
		name: o.Name, instructions: s.Instructions, verify: map[credential.VerifyMethod]httpapi.Verifier{},
		timing: providers.Timing{Deadline: o.Deadline, Propagation: o.Propagation},
	}
	if p.instructions == "" {
		p.instructions = defaultInstructions
	}
	if p.timing.Deadline == 0 {
		p.timing.Deadline = httpapi.DefaultDeadline
	}
	if p.timing.Propagation == 0 {
		p.timing.Propagation = defaultPropagation
	}
	if err := p.addToken(o, s.TokenURL); err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	if err := p.addIntrospection(o, s.IntrospectionURL); err != nil {
		return nil, fmt.Errorf("introspection_url: %w", err)
	}
	return p, nil
}

// addToken makes the methods possible that ask the token endpoint. What "auto" means is left to the general rule.
func (p *provider) addToken(o providers.Opening, address string) error {
	if address == "" {
		return nil
	}
	client, path, err := endpoint(o, address)
	if err != nil {
		return err
	}
	for _, m := range []credential.VerifyMethod{
		credential.VerifyAuto, credential.VerifyAuthCode, credential.VerifyClientCredentials,
	} {
		p.verify[m] = httpapi.Verifier{Client: client, Token: path, Classify: classify}
	}
	return nil
}

func (p *provider) addIntrospection(o providers.Opening, address string) error {
	if address == "" {
		return nil
	}
	client, path, err := endpoint(o, address)
	if err != nil {
		return err
	}
	p.verify[credential.VerifyIntrospection] = httpapi.Verifier{Client: client, Introspect: path, Classify: classify}
	return nil
}

// endpoint returns a client of the origin of an address, and its path.
func endpoint(o providers.Opening, address string) (*httpapi.Client, string, error) {
	base, path, err := httpapi.Split(address)
	if err != nil {
		return nil, "", err
	}
	client, err := httpapi.New(httpapi.Config{
		Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	})
	return client, path, err
}

// classify reads the one code that servers do not agree upon. RFC 6749 section 5.2 means a grant that the client may
// not use; Keycloak says it of a wrong secret, with 401; Entra says it of a client that it does not know, with 400.
// What server stands behind a portal is not known here, so only 401 to a request whose sole credential is the client's
// counts, and client_credentials, where 401 may also mean the grant, counts for nothing.
func classify(r httpapi.VerifyReply) (answer providers.Answer, ok bool) {
	if r.Code != "unauthorized_client" {
		return providers.Unknown, false
	}
	if r.Status == http.StatusUnauthorized && r.Method != credential.VerifyClientCredentials {
		return providers.Refused, true
	}
	return providers.Unknown, true
}
