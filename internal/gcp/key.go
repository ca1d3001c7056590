package gcp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// TokenURL is where Google takes assertions of service accounts, and the audience of those.
const TokenURL = "https://oauth2.googleapis.com/token" //nolint:gosec // an address

// Key is a key of a service account, as its credentials file has it. The zero value signs nothing.
type Key struct {
	ID       string // private_key_id: names the key at Google
	Email    string // client_email: the service account
	Audience string // token_uri; TokenURL if the file has none

	private *rsa.PrivateKey
}

const (
	typeServiceAccount = "service_account"

	// maxBits bounds the length of a key: one that is longer would only cost time. Google makes 2048.
	maxBits = 8192
	// strangerBits is the length of the keys that nobody knows.
	strangerBits = 2048
)

var (
	errNoKeyFile = errors.New("this is no key file of a service account (JSON with type: service_account)")
	errNoPrivate = errors.New("the key file has no private_key in PKCS #8 that can sign")
	errNoNames   = errors.New("the key file lacks private_key_id or client_email")
	errUnsigned  = errors.New("the assertion cannot be signed")
)

// ParseKey reads a credentials file of the type service_account. The error repeats nothing of it.
func ParseKey(raw credential.Sensitive) (Key, error) {
	var file struct {
		Type    string `json:"type"`
		ID      string `json:"private_key_id"`
		Private string `json:"private_key"`
		Email   string `json:"client_email"`
		URI     string `json:"token_uri"`
	}
	if httpapi.Unmarshal(raw, &file) != nil || file.Type != typeServiceAccount {
		return Key{}, errNoKeyFile
	}
	if file.ID == "" || file.Email == "" {
		return Key{}, errNoNames
	}
	block, _ := pem.Decode([]byte(file.Private))
	if block == nil {
		return Key{}, errNoPrivate
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok || private.N.BitLen() > maxBits {
		return Key{}, errNoPrivate
	}
	k := Key{ID: file.ID, Email: file.Email, Audience: file.URI, private: private}
	if k.Audience == "" {
		k.Audience = TokenURL
	}
	return k, nil
}

// Stranger returns a key of this name that nobody knows.
func Stranger(email, id string) (Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, strangerBits)
	return Key{ID: id, Email: email, Audience: TokenURL, private: private}, err
}

const (
	// assertionLife is how long an assertion is good for; Google takes up to an hour. It is long enough for clocks that differ by minutes.
	assertionLife = 10 * time.Minute
	// assertionSkew is how far in the past an assertion begins, for a server whose clock is behind.
	assertionSkew = 10 * time.Second
)

// Assertion signs a request for a token of this scope (RFC 7523 section 2.1, with the claim scope that Google wants).
func (k Key) Assertion(now time.Time, scope string) (credential.Sensitive, error) {
	if k.private == nil {
		return credential.Sensitive{}, errUnsigned
	}
	head, err := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": k.ID})
	if err != nil {
		return credential.Sensitive{}, errUnsigned
	}
	claims, err := part(map[string]any{
		"iss": k.Email, "scope": scope, "aud": k.Audience,
		"iat": now.Add(-assertionSkew).Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return credential.Sensitive{}, errUnsigned
	}
	text := head + "." + claims
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.private, crypto.SHA256, sum[:])
	if err != nil {
		return credential.Sensitive{}, errUnsigned
	}
	return credential.NewSensitive(text + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

func part(v any) (string, error) {
	raw, err := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(raw), err
}
