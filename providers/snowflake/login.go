package snowflake

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// tokenType is the header that says what the bearer token is, and its two values here.
const (
	tokenType   = "X-Snowflake-Authorization-Token-Type" //nolint:gosec // the name of a header
	typeKeyPair = "KEYPAIR_JWT"
	typeAccess  = "PROGRAMMATIC_ACCESS_TOKEN"
)

// Life of a login by a key: Snowflake takes at most an hour.
const (
	loginLife = 10 * time.Minute
	loginUse  = 8 * time.Minute
	loginSkew = 30 * time.Second // how far in the past it begins, for a clock of theirs that is behind
)

var (
	errKey     = errors.New("private_key_file is no RSA private key (PKCS #8 in PEM, without a password)")
	errSigning = errors.New("a login could not be signed with the private key")
)

// authorize puts rotad's login into a request.
func (s *Settings) authorize(h http.Header, token credential.Sensitive) {
	kind := typeAccess
	if s.keyed() {
		kind = typeKeyPair
	}
	h.Set("Authorization", "Bearer "+token.Reveal())
	h.Set(tokenType, kind)
}

// login returns how rotad gets its token.
func (s *Settings) login(o providers.Opening) httpapi.Login {
	now := o.Wall()
	return func(context.Context) (httpapi.Token, error) {
		setting := "token"
		if s.keyed() {
			setting = "private_key"
		}
		value, err := o.Secret(setting)
		token := httpapi.Token{Value: credential.NewSensitive(strings.TrimSpace(value))}
		if err == nil && s.keyed() {
			token, err = s.signed(value, now())
		}
		if err != nil {
			return httpapi.Token{}, &providers.Error{Class: providers.ClassAuth, Provider: o.Name, Operation: "login", Err: err}
		}
		return token, nil
	}
}

// signed is a login by a key (docs.snowflake.com, "Using key pair authentication" of the SQL API). Its errors repeat nothing of the key.
func (s *Settings) signed(text string, now time.Time) (httpapi.Token, error) {
	key, err := keyOf(text)
	if err != nil {
		return httpapi.Token{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return httpapi.Token{}, errKey
	}
	sum := sha256.Sum256(public)
	subject := strings.ToUpper(s.Account + "." + s.User)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return httpapi.Token{}, errSigning
	}
	value, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: subject + ".SHA256:" + base64.StdEncoding.EncodeToString(sum[:]), Subject: subject,
		IssuedAt: jwt.NewNumericDate(now.Add(-loginSkew)), Expiry: jwt.NewNumericDate(now.Add(loginLife)),
	}).Serialize()
	if err != nil {
		return httpapi.Token{}, errSigning
	}
	return httpapi.Token{Value: credential.NewSensitive(value), Lives: loginUse}, nil
}

func keyOf(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errKey
	}
	return key, nil
}
