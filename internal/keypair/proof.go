package keypair

import (
	"crypto"
	"crypto/rand"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// assertionType is the client_assertion_type of a JWT (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertionLife is how long a proof is good for: long enough for a request, and nothing more.
const assertionLife = time.Minute

// assertionSkew is how far in the past a proof begins, for servers whose clock is behind.
const assertionSkew = 10 * time.Second

// Proof is what a client shows of itself at a token endpoint (OpenID Connect Core section 9).
type Proof struct {
	Client   string
	KeyID    string
	Audience string // the token endpoint, or what the server calls itself
	Now      time.Time
}

// Sign returns the parameters of a token request that prove a key.
func (p Proof) Sign(key crypto.Signer, a Algorithm) (url.Values, error) {
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader(jose.HeaderKey("kid"), p.KeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(a), Key: key}, options)
	if err != nil {
		return nil, errAlgorithm
	}
	text, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: p.Client, Subject: p.Client, Audience: jwt.Audience{p.Audience}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(p.Now.Add(-assertionSkew)), Expiry: jwt.NewNumericDate(p.Now.Add(assertionLife)),
	}).Serialize()
	if err != nil {
		return nil, errAlgorithm
	}
	return url.Values{"client_id": {p.Client}, "client_assertion_type": {assertionType}, "client_assertion": {text}}, nil
}
