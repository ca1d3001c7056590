package gcp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/gcp"
)

// file writes a credentials file.
func file(t testing.TB, private any, change map[string]string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]string{
		"type": "service_account", "private_key_id": "k1", "client_email": "a@p.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
	maps.Copy(members, change)
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAnAssertionIsSignedByItsKey(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k, err := gcp.ParseKey(credential.NewSensitive(file(t, private, nil)))
	if err != nil || k.ID != "k1" || k.Audience != gcp.TokenURL {
		t.Fatalf("%q, %q, %v", k.ID, k.Audience, err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	assertion, err := k.Assertion(now, "scope-of-it")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(assertion.Reveal(), ".")
	var head struct{ Alg, Kid string }
	var said struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	for i, out := range []any{&head, &said} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, out) != nil {
			t.Fatalf("part %d is not readable: %v", i, err)
		}
	}
	if head.Alg != "RS256" || head.Kid != "k1" || said.Iss != k.Email || said.Aud != gcp.TokenURL || said.Scope != "scope-of-it" {
		t.Errorf("%+v, %+v", head, said)
	}
	if said.Iat >= now.Unix() || said.Exp <= now.Unix() || said.Exp-said.Iat > 3600 {
		t.Errorf("it is good from %d to %d", said.Iat, said.Exp)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		t.Error("the signature is not the key's")
	}
}

func TestWhatIsNoKey(t *testing.T) {
	long, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a user's credentials": file(t, long, map[string]string{"type": "authorized_user"}),
		"federation":           file(t, long, map[string]string{"type": "external_account"}),
		"no id":                file(t, long, map[string]string{"private_key_id": ""}),
		"no address":           file(t, long, map[string]string{"client_email": ""}),
		"a key that is no RSA": file(t, curve, nil),
		"a key without an end": file(t, long, map[string]string{"private_key": "-----BEGIN PRIVATE KEY-----\nMIIC"}),
		"two documents":        file(t, long, nil) + "{}",
		"nothing":              "",
		"a random value":       rand.Text(),
	} {
		if _, err := gcp.ParseKey(credential.NewSensitive(text)); err == nil {
			t.Errorf("%s is taken for a key", name)
		}
	}
	if _, err := (gcp.Key{}).Assertion(time.Time{}, ""); err == nil {
		t.Error("no key signs")
	}
}

func TestReadVerdict(t *testing.T) {
	for words, test := range map[string]struct {
		code string
		want gcp.Verdict
	}{
		"Invalid JWT Signature.": {"invalid_grant", gcp.VerdictSignature},
		"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.": {"invalid_grant", gcp.VerdictTime},
		"Invalid grant: account not found":                   {"invalid_grant", gcp.VerdictAccount},
		"The account has been deleted":                       {"invalid_grant", gcp.VerdictAccount},
		"The OAuth client was disabled.":                     {"disabled_client", gcp.VerdictAccount},
		"Invalid JWT: Failed audience check.":                {"invalid_grant", gcp.VerdictNone},
		"Invalid OAuth scope or ID token audience provided.": {"invalid_scope", gcp.VerdictNone},
		"Invalid JWT Signature. ":                            {"invalid_request", gcp.VerdictNone},
		"Bad Request":                                        {"invalid_grant", gcp.VerdictNone},
	} {
		if got := gcp.ReadVerdict(test.code, words); got != test.want {
			t.Errorf("%s, %q: %d, want %d", test.code, words, got, test.want)
		}
	}
}

// FuzzKey reads files that somebody else wrote: a key that signs, or an error that repeats nothing.
func FuzzKey(f *testing.F) {
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		f.Fatal(err)
	}
	const mark = "Q0q0Q0q0"
	for _, text := range []string{file(f, private, nil), file(f, private, map[string]string{"private_key": mark}), `{"type":"service_account"}`, `{"type":"` + mark + `"}`, "", "[]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := gcp.ParseKey(credential.NewSensitive(text))
		if err != nil {
			if strings.Contains(err.Error(), mark) {
				t.Errorf("it repeats the file: %v", err)
			}
			return
		}
		if _, err := k.Assertion(time.Unix(0, 0), "s"); k.ID == "" || k.Email == "" || k.Audience == "" {
			t.Errorf("%+v, %v", k.ID, err)
		}
	})
}
