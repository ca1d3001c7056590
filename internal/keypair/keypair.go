package keypair

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/rotad/rotad/internal/credential"
)

// rsaBits is the size of new RSA keys: what is enough beyond 2030 (NIST SP 800-57 part 1, table 2).
const rsaBits = 3072

// pemType is how a private key in PKCS #8 is marked (RFC 7468 section 10).
const pemType = "PRIVATE KEY"

var (
	errNoKey     = errors.New("the private key is no PEM block of PKCS #8")
	errAlgorithm = errors.New("the key does not fit its algorithm")
)

// Algorithm is how a key signs, as RFC 7518 section 3.1 and RFC 8037 name it.
type Algorithm string

// Make makes a private key for an algorithm; ES256 if it is empty.
func Make(a Algorithm) (crypto.Signer, error) {
	switch jose.SignatureAlgorithm(a) {
	case "":
		return Make(Algorithm(jose.ES256))
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.RS256, jose.PS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case jose.EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		return nil, fmt.Errorf("there is no algorithm %q: %w", a, errAlgorithm)
	}
}

// fits says whether a key can sign by an algorithm.
func fits(a jose.SignatureAlgorithm, key crypto.Signer) bool {
	switch k := key.Public().(type) {
	case *ecdsa.PublicKey:
		return a == jose.ES256 && k.Curve == elliptic.P256() || a == jose.ES384 && k.Curve == elliptic.P384()
	case *rsa.PublicKey:
		return a == jose.RS256 || a == jose.PS256
	case ed25519.PublicKey:
		return a == jose.EdDSA
	}
	return false
}

// Bundle writes a key as consumers read it.
func Bundle(client string, a Algorithm, key crypto.Signer) (credential.Bundle, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	id, err := Thumbprint(key.Public())
	if err != nil {
		return nil, err
	}
	return credential.Bundle{
		credential.FieldClientID:   credential.NewSensitive(client),
		credential.FieldKeyID:      credential.NewSensitive(id),
		credential.FieldAlgorithm:  credential.NewSensitive(string(a)),
		credential.FieldPrivateKey: credential.NewSensitive(string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}))),
	}, nil
}

// Thumbprint names a public key by what it is (RFC 7638), so that the same key has the same name everywhere.
func Thumbprint(public crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}

// Of reads the key of a bundle, and how it signs. The error repeats nothing of it.
func Of(b credential.Bundle) (crypto.Signer, Algorithm, error) {
	block, _ := pem.Decode([]byte(b[credential.FieldPrivateKey].Reveal()))
	if block == nil || block.Type != pemType {
		return nil, "", errNoKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return nil, "", errNoKey
	}
	a := jose.SignatureAlgorithm(b[credential.FieldAlgorithm].Reveal())
	if a == "" {
		a = usual(key)
	}
	if !fits(a, key) {
		return nil, "", errAlgorithm
	}
	return key, Algorithm(a), nil
}

// usual is the algorithm of a key that came without one: a person's, from before rotad.
func usual(key crypto.Signer) jose.SignatureAlgorithm {
	switch k := key.Public().(type) {
	case *rsa.PublicKey:
		return jose.RS256
	case ed25519.PublicKey:
		return jose.EdDSA
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return jose.ES384
		}
	}
	return jose.ES256
}

// PublicPEM writes a public key as SubjectPublicKeyInfo (RFC 7468 section 13).
func PublicPEM(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", errAlgorithm
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// JWK describes a public key as a member of a set (RFC 7517), and says what it is called there.
func JWK(public crypto.PublicKey, a Algorithm) (members map[string]any, id string, err error) {
	if id, err = Thumbprint(public); err != nil {
		return nil, "", errAlgorithm
	}
	raw, err := (&jose.JSONWebKey{Key: public, KeyID: id, Use: "sig", Algorithm: string(a)}).MarshalJSON()
	if err != nil || json.Unmarshal(raw, &members) != nil {
		return nil, "", errAlgorithm
	}
	return members, id, nil
}
