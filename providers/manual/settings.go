package manual

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Settings are the block of a provider of this kind. Every one is optional.
type Settings struct {
	Preset           string   `yaml:"preset" enum:"none,github,google-oauth" doc:"Portal that the program knows the way through, or none (default). What stands beside it wins."`
	TokenURL         string   `yaml:"token_url" format:"url" doc:"Token endpoint where a secret is proved; without it none can be."`
	IntrospectionURL string   `yaml:"introspection_url" format:"url" doc:"Introspection endpoint, for clients that are verified there."`
	Instructions     string   `yaml:"instructions" doc:"What the person has to do; it stands in the mails."`
	Accepted         []string `yaml:"accepted" doc:"Error codes of the token endpoint that prove the secret, besides those of the standard."`
	Refused          []string `yaml:"refused" doc:"Error codes that refute it, besides those of the standard."`
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) {
	m, ok := s.merged()
	if !ok {
		report("preset", "is no preset of this kind", "rotad kinds lists them")
		return
	}
	for _, code := range m.Accepted {
		if slices.Contains(m.Refused, code) {
			report("refused", fmt.Sprintf("has %q, which is accepted as well", code), "one code cannot prove a secret and refute it")
		}
	}
	if m.IntrospectionURL != "" && m.TokenURL == "" {
		report("token_url", "is required beside introspection_url", "write the token endpoint as well")
	}
}

const defaultInstructions = "Make a new secret in the provider's portal, leave the old one in place, " +
	"and bring the new one with: rotad submit"

var (
	errSettings = errors.New("the settings are not those of this kind")
	errPreset   = errors.New("preset is no preset of this kind")
)

func open(o providers.Opening) (providers.Provider, error) {
	block, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	s, ok := block.merged()
	if !ok {
		return nil, errPreset
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
	if err := p.addToken(o, s.TokenURL, classifier(s.Accepted, s.Refused)); err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	if err := p.addIntrospection(o, s.IntrospectionURL); err != nil {
		return nil, fmt.Errorf("introspection_url: %w", err)
	}
	return p, nil
}

// addToken makes the methods possible that ask the token endpoint. What "auto" means is left to the general rule.
func (p *provider) addToken(o providers.Opening, address string, classify func(httpapi.VerifyReply) (providers.Answer, bool)) error {
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

// classifier reads the codes of one server before it reads those that servers have in common. Some answer with them and the status of a
// success (GitHub).
func classifier(accepted, refused []string) func(httpapi.VerifyReply) (providers.Answer, bool) {
	return func(r httpapi.VerifyReply) (providers.Answer, bool) {
		switch {
		case r.Code != "" && r.Status/100 == 5: // whatever it says
			return providers.Unknown, true
		case slices.Contains(refused, r.Code):
			return providers.Refused, true
		case slices.Contains(accepted, r.Code):
			return providers.Accepted, true
		}
		return classify(r)
	}
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
