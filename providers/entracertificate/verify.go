package entracertificate

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"net/url"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// codeKey is the number of the error about a signature by a key that is none of the application's: it never was, was removed, or has
// expired (learn.microsoft.com/entra/identity-platform/reference-error-codes).
const codeKey = 700027

// assertionType is the client_assertion_type of a JWT (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Verify implements providers.Provider: a login of the application itself, with an assertion by the key. What is no key is asked about as
// well, with one that nobody knows: a server that lets that in accepts anything. Only Entra's own number refutes a key.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	private, err := keyOf(b)
	if err != nil {
		if private, err = rsa.GenerateKey(rand.Reader, rsaBits); err != nil {
			return providers.Unknown, p.fault("verify", providers.ClassRejected, err)
		}
	}
	client := b[credential.FieldClientID].Reveal()
	if client == "" {
		client = t.Ref[graph.RefApp]
	}
	proof, err := assertion(private, b[credential.FieldKeyID].Reveal(), client, p.audience, p.now())
	if err != nil {
		return providers.Unknown, p.fault("verify", providers.ClassRejected, err)
	}
	return p.ask(ctx, t.Verify.Scope, client, proof)
}

func (p *provider) ask(ctx context.Context, scope, client string, proof credential.Sensitive) (providers.Answer, error) {
	if scope == "" {
		scope = strings.ReplaceAll(p.scope, "{client_id}", client)
	}
	verifier, number := p.verify, 0
	verifier.Classify = func(r httpapi.VerifyReply) (providers.Answer, bool) {
		if r.Code == "" {
			return providers.Unknown, false
		}
		if number = graph.ErrorNumber(r.Description); number == codeKey {
			return providers.Refused, true
		}
		return providers.Unknown, true
	}
	settings := credential.VerifySettings{Method: credential.VerifyClientCredentials}
	answer, err := verifier.VerifyAs(ctx, settings, func(r *httpapi.Request) {
		r.Form = url.Values{
			"grant_type": {"client_credentials"}, "scope": {scope}, "client_id": {client},
			"client_assertion_type": {assertionType}, "client_assertion": {proof.Reveal()},
		}
	})
	if err != nil && number != 0 {
		err = graph.Numbered(err, number)
	}
	return answer, err
}
