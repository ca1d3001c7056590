package snowflake_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/providertest"
	"github.com/rotad/rotad/providers/snowflake"
)

const (
	firstSecret = "Zmlyc3Qgc2VjcmV0IHdpdGggcGFkZGluZw=="
	clientID    = "aWQgb2YgYmlsbGluZw=="
	ownToken    = "a-programmatic-access-token"
)

var wall = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return wall }

// ownKey is the key pair of rotad's user, made once.
var ownKey = sync.OnceValue(func() *rsa.PrivateKey {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
})

func ownPEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(ownKey())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// admits is how the account lets rotad in: by the token, or by a JWT that Snowflake would take.
func admits(kind, token string) bool {
	if kind == "PROGRAMMATIC_ACCESS_TOKEN" {
		return token == ownToken
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || kind != "KEYPAIR_JWT" {
		return false
	}
	var claims jwt.Claims
	if parsed.Claims(&ownKey().PublicKey, &claims) != nil {
		return false
	}
	public, err := x509.MarshalPKIXPublicKey(&ownKey().PublicKey)
	sum := sha256.Sum256(public)
	return err == nil && claims.Subject == "MYORG-PROD.ROTAD" &&
		claims.Issuer == "MYORG-PROD.ROTAD.SHA256:"+base64.StdEncoding.EncodeToString(sum[:]) &&
		claims.Validate(jwt.Expected{Time: wall}) == nil && claims.Expiry.Time().Sub(claims.IssuedAt.Time()) <= time.Hour
}

// account is a stand-in with two integrations, and its address.
type account struct {
	*sandbox.Snowflake

	url string
}

func newAccount(t testing.TB) *account {
	t.Helper()
	a := &account{Snowflake: sandbox.NewSnowflake(clock, admits, nil)}
	for name, id := range map[string]string{"BILLING": clientID, "OTHER": "other"} {
		if err := a.Register(name, id, firstSecret); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func open(t testing.TB, s snowflake.Settings, secret string, transport http.RoundTripper) providers.Provider {
	t.Helper()
	s.SpareSlot = "overwrite"
	s.Validate(func(path, what, hint string) { t.Errorf("%s %s (%s)", path, what, hint) })
	p, err := snowflake.Kind().Open(providers.Opening{
		Name: "warehouse", Settings: &s, Transport: transport, Deadline: 5 * time.Second, Now: clock, Elapsed: func() time.Duration { return 0 },
		Secret: func(string) (string, error) { return secret + "\n", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(integration string, held credential.Bundle) providers.Target {
	t := providers.Target{Client: "c", Ref: credential.Ref{"integration": integration}}
	if held != nil {
		t.Held = func(context.Context) (credential.Bundle, error) { return held, nil }
	}
	return t
}

func bundle(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

// says whether the body of a request has these words. It is there again afterwards.
func says(r *http.Request, words string) bool {
	if r.Body == nil {
		return false
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && strings.Contains(string(body), words)
}

func TestConformance(t *testing.T) {
	for name, test := range map[string]struct {
		settings snowflake.Settings
		secret   string
		auth     string
	}{
		"a token":    {snowflake.Settings{TokenEnv: "T", Role: "rotad"}, ownToken, "basic"},
		"a key pair": {snowflake.Settings{Account: "myorg-prod", User: "rotad", PrivateKeyEnv: "K"}, ownPEM(t), "post"},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.World {
				a := newAccount(t)
				mine := target("billing", nil)
				mine.Verify.Auth = test.auth
				settings := test.settings
				settings.URL = a.url + "/"
				return providertest.World{
					Name: "warehouse", Target: mine, Unknown: target("NOBODY", nil), Bundle: bundle(clientID, firstSecret),
					Field: credential.FieldClientSecret, Canaries: []string{ownToken, test.secret},
					Open: func(t *testing.T, transport http.RoundTripper) providers.Provider {
						return open(t, settings, test.secret, transport)
					},
					Creates:  func(r *http.Request) bool { return says(r, "REFRESH") },
					Verifies: func(r *http.Request) bool { return r.URL.Path == sandbox.PathSnowflakeToken },
					Created:  func() int { return a.Made("BILLING") },
					Accepts: func(b credential.Bundle) bool {
						return a.Accepts(b[credential.FieldClientID].Reveal(), b.Secret().Reveal())
					},
				}
			})
		})
	}
}
