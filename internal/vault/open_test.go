package vault_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

func TestEnvironmentDoesNotSteerTheClient(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request went where a variable points")
	}))
	t.Cleanup(elsewhere.Close)
	for name, value := range map[string]string{
		"VAULT_ADDR": elsewhere.URL, "VAULT_AGENT_ADDR": elsewhere.URL, "VAULT_PROXY_ADDR": elsewhere.URL,
		"VAULT_HTTP_PROXY": elsewhere.URL, "VAULT_TOKEN": vaulttest.Canary, "VAULT_NAMESPACE": "other",
		"VAULT_HEADERS": `{"X-Stray":"1"}`, "VAULT_WRAP_TTL": "5m", "VAULT_SKIP_VERIFY": "true", "VAULT_MAX_RETRIES": "5",
	} {
		t.Setenv(name, value)
	}
	f := newFixture(t, time.Hour)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, header := range []string{"X-Stray", "X-Vault-Wrap-Ttl", "X-Vault-Namespace"} {
			if r.Header.Get(header) != "" {
				t.Errorf("%s carries %s", r.URL.Path, header)
			}
		}
		if r.Header.Get("X-Vault-Token") == vaulttest.Canary {
			t.Errorf("%s carries the token of a variable", r.URL.Path)
		}
		f.kv.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.settings.Address = server.URL
	if _, _, err := f.open(f.settings).Stage(t.Context(), "key", 0, vaulttest.Full()); err != nil {
		t.Fatal(err)
	}
}

func TestMalformedVariablesDoNotStopTheClient(t *testing.T) {
	for _, name := range []string{
		"VAULT_MAX_RETRIES", "VAULT_CLIENT_TIMEOUT", "VAULT_RATE_LIMIT", "VAULT_HEADERS", "VAULT_SKIP_VERIFY",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "{not a value")
			f := newFixture(t, time.Hour)
			if _, err := f.client.Staging(t.Context(), "key"); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("unreadable file", func(t *testing.T) {
		t.Setenv("VAULT_CACERT", "/does/not/exist")
		newFixture(t, time.Hour)
	})
}

func TestIgnoredVariablesAreNamed(t *testing.T) {
	settings := vault.Settings{Auth: vault.Auth{SecretIDEnv: "VAULT_SECRET_ID"}}
	got := settings.IgnoredEnv([]string{
		"VAULT_TOKEN=x", "PATH=/bin", "VAULT_ADDR=http://x?a=b", "VAULT_SECRET_ID=y", "VAULT_NAMESPACE=", "MY_VAULT_X=1",
	})
	if want := []string{"VAULT_ADDR", "VAULT_TOKEN"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	token := vault.Auth{TokenFile: "/t"}
	for name, c := range map[string]struct {
		settings vault.Settings
		text     string
	}{
		"no address":           {vault.Settings{Auth: token}, "https://host:port"},
		"no scheme":            {vault.Settings{Address: "vault:8200", Auth: token}, "https://host:port"},
		"password in address":  {vault.Settings{Address: "https://u:p@vault", Auth: token}, "must not carry"},
		"relative staging":     {vault.Settings{Address: "https://v", StagingPath: "a/../b", Auth: token}, "relative"},
		"double slash":         {vault.Settings{Address: "https://v", Mount: "a//b", Auth: token}, "relative"},
		"method":               {vault.Settings{Address: "https://v", Auth: vault.Auth{Method: "ldap"}}, "ldap"},
		"approle without role": {vault.Settings{Address: "https://v", Auth: vault.Auth{Method: "approle"}}, "role_id"},
		"jwt without role":     {vault.Settings{Address: "https://v", Auth: vault.Auth{Method: "jwt", JWTFile: "/j"}}, "needs a role"},
		"jwt without file":     {vault.Settings{Address: "https://v", Auth: vault.Auth{Method: "jwt", Role: "r"}}, "a jwt_file"},
		"kubernetes, no role":  {vault.Settings{Address: "https://v", Auth: vault.Auth{Method: "kubernetes"}}, "needs a role"},
		"token without file":   {vault.Settings{Address: "https://v"}, "token_file"},
		"half a certificate":   {vault.Settings{Address: "https://v", Auth: token, ClientCertFile: "/c"}, "key"},
		"missing CA":           {vault.Settings{Address: "https://v", Auth: token, CACertFile: "/none"}, "/none"},
		"missing certificate": {
			vault.Settings{Address: "https://v", Auth: token, ClientCertFile: "/none", ClientKeyFile: "/none"}, "/none",
		},
	} {
		if _, err := vault.Open(c.settings, vaulttest.Clock(), nil); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestKubernetesHasItsOwnFile(t *testing.T) {
	f := newFixtureBy(t, vault.MethodKubernetes, time.Hour)
	f.settings.Auth.JWTFile = ""
	err := f.open(f.settings).Login(t.Context()) // in a pod there is one, of another cluster
	if err == nil || !strings.Contains(err.Error(), vault.DefaultJWTFile) {
		t.Errorf("got %v", err)
	}
}

func TestTLS(t *testing.T) {
	certificate, key := selfSigned(t)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	kv := sandbox.NewKV(time.Now)
	server := httptest.NewUnstartedServer(kv)
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		MinVersion: tls.VersionTLS12,
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	good := vault.Settings{
		Address: server.URL, CACertFile: certificate, ClientCertFile: certificate, ClientKeyFile: key,
		TLSServerName: "vault.test", Auth: vault.Auth{TokenFile: file(t, kv.RootToken())},
	}
	for name, c := range map[string]struct {
		change func(*vault.Settings)
		text   string // of the error; empty = none
	}{
		"all in order":          {func(*vault.Settings) {}, ""},
		"another name":          {func(s *vault.Settings) { s.TLSServerName = "other.test" }, "other.test"},
		"unknown authority":     {func(s *vault.Settings) { s.CACertFile = "" }, "unknown authority"},
		"no client certificate": {func(s *vault.Settings) { s.ClientCertFile, s.ClientKeyFile = "", "" }, "unavailable"},
		"no TLS":                {func(s *vault.Settings) { s.Address = "http://" + server.Listener.Addr().String() }, "HTTP 400"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := good
			c.change(&settings)
			client, err := vault.Open(settings, vaulttest.Clock(), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Staging(t.Context(), "key")
			if (c.text == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.text)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// selfSigned writes a certificate for vault.test that is its own authority.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "vault.test"}, DNSNames: []string{"vault.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, bytes []byte) string {
		return file(t, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", raw)
}
