package jwks

import (
	"context"
	"crypto"
	"crypto/rand"
	"maps"
	"net/http"
	"slices"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Verify implements providers.Provider: it logs in with a fresh proof. What is no key is asked about as well, with one that
// nobody knows: a server that lets that in accepts anything.
//
// A key that is not published any more is asked about after one that never was: some servers keep a set for a day, and fetch it
// again only for a key that they do not know (Keycloak).
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	client, err := p.client("verify", t)
	if err != nil {
		return providers.Unknown, err
	}
	id := b[credential.FieldKeyID].Reveal()
	key, algorithm, err := keypair.Of(b)
	if err != nil {
		return p.askAsNobody(ctx, t, client, id)
	}
	if _, entries, loadErr := p.load(client); loadErr == nil && !slices.ContainsFunc(entries, func(e entry) bool { return e.ID == id }) {
		if _, err := p.askAsNobody(ctx, t, client, rand.Text()); err != nil {
			return providers.Unknown, err
		}
	}
	return p.ask(ctx, t, client, id, key, algorithm)
}

// askAsNobody asks with a key that was made for it.
func (p *provider) askAsNobody(ctx context.Context, t providers.Target, client, id string) (providers.Answer, error) {
	key, err := keypair.Make(p.algorithm)
	if err != nil {
		return providers.Unknown, p.fault("verify", providers.ClassRejected, err)
	}
	return p.ask(ctx, t, client, id, key, p.algorithm)
}

// ask logs in with a proof (OpenID Connect Core section 9).
func (p *provider) ask(
	ctx context.Context, t providers.Target, client, id string, key crypto.Signer, algorithm keypair.Algorithm,
) (providers.Answer, error) {
	proof, err := keypair.Proof{Client: client, KeyID: id, Audience: p.audience, Now: p.now()}.Sign(key, algorithm)
	if err != nil {
		return providers.Unknown, p.fault("verify", providers.ClassRejected, err)
	}
	return p.verify.VerifyAs(ctx, t.Verify, func(r *httpapi.Request) {
		maps.Copy(r.Form, proof)
	})
}

// Published implements providers.Publisher: GET /CLIENT.json is the set of a client. It is read by whoever checks signatures, and
// by caches on the way; nothing private is in it.
func (p *provider) Published() http.Handler {
	return http.HandlerFunc(p.serve)
}
