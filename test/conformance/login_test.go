package conformance_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
	"github.com/rotad/rotad/test/servers"
)

// Lives of Vault's own token in these tests: short enough to see renewals and the end.
const (
	tokenTTL = 4 * time.Second
	tokenMax = 8 * time.Second
)

// issuer is a real Vault and what signs the JWTs that it takes.
type issuer struct {
	t      *testing.T
	vault  *servers.Vault
	method string
	file   string // of the JWT
	issue  func() string
	asked  atomic.Int32 // logins
}

// startIssuer starts a Vault with a login method, and mounts what rotad needs.
func startIssuer(t *testing.T, method string) *issuer {
	t.Helper()
	v, dir := startVault(t)
	must(t, v.Role(t.Context(), "powerless", map[string]any{"role_id": "powerless"}))
	must(t, v.Configure(t.Context(), "sys/auth/"+method, map[string]any{"type": method}))
	return &issuer{t: t, vault: v, method: method, file: filepath.Join(dir, "jwt")}
}

// role makes a role with the policy that is shipped. binds are merged into what both methods know.
func (i *issuer) role(name string, ttl, most time.Duration, binds map[string]any) {
	i.t.Helper()
	settings := map[string]any{
		"token_policies": "rotad", "token_no_default_policy": true, "token_ttl": ttl.String(), "token_max_ttl": most.String(),
	}
	maps.Copy(settings, binds)
	must(i.t, i.vault.Configure(i.t.Context(), "auth/"+i.method+"/role/"+name, settings))
}

// put replaces the file of the JWT, at one stroke.
func (i *issuer) put(jwt string) {
	i.t.Helper()
	must(i.t, os.WriteFile(i.file+".new", []byte(jwt+"\n"), 0o600))
	must(i.t, os.Rename(i.file+".new", i.file))
}

func (i *issuer) settings(role string) vault.Settings {
	return vault.Settings{
		Address: i.vault.URL, Mount: "secret", StagingPath: "rotad/staging",
		Auth: vault.Auth{Method: i.method, Role: role, JWTFile: i.file},
	}
}

// RoundTrip counts logins.
func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/login") {
		i.asked.Add(1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (i *issuer) open(role string) *vault.Client {
	i.t.Helper()
	settings := i.settings(role)
	settings.Transport = i
	client, err := vault.Open(settings, vaulttest.Clock(), nil)
	must(i.t, err)
	return client
}

// conforms asks everything that rotad relies on, of a client that logs in with a JWT.
func (i *issuer) conforms(t *testing.T) {
	powerless := i.settings("")
	dir := filepath.Dir(i.file)
	powerless.Auth = vault.Auth{Method: vault.MethodAppRole, RoleID: "powerless", SecretIDFile: secretIDFile(t, i.vault, dir, "powerless")}
	vaulttest.Run(t, func(t *testing.T) vaulttest.Server {
		t.Helper()
		i.put(i.issue())
		return vaulttest.Server{
			Address: i.vault.URL, Root: i.vault.RootToken(), UnsealKey: i.vault.UnsealKey(),
			Settings: i.settings("rotad"), Powerless: powerless,
		}
	})
}

// livesOn keeps a token alive beyond the end that Vault has set for it: by renewals, and by a login with another JWT.
func (i *issuer) livesOn(t *testing.T) {
	i.put(i.issue())
	client := i.open("short")
	must(t, client.Login(t.Context()))
	begin, logins := time.Now(), i.asked.Load()
	go client.Run(t.Context())
	first := client.TokenExpires()
	must(t, servers.Until(t.Context(), time.Minute, 100*time.Millisecond, func(ctx context.Context) error {
		i.put(i.issue())
		if _, err := client.Staging(ctx, "key"); err != nil {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if time.Since(begin) < 2*tokenMax {
			return errors.New("it is too early to tell")
		}
		return nil
	}))
	if again := i.asked.Load() - logins; again < 1 || again > 5 {
		t.Errorf("%d logins in %s of tokens that end after %s", again, 2*tokenMax, tokenMax)
	}
	if !client.TokenExpires().After(first.Add(tokenMax)) {
		t.Errorf("the token ends %s, and the first one ended %s", client.TokenExpires(), first)
	}
}

// refuses expects that a JWT is refused for a reason, by an error that names role, mount and file and no part of the JWT.
func (i *issuer) refuses(t *testing.T, role, jwt, why string) {
	t.Helper()
	i.put(jwt)
	err := i.open(role).Login(t.Context())
	if !errors.Is(err, credential.ErrDenied) {
		t.Errorf("role %s: got %v", role, err)
		return
	}
	for _, want := range []string{`role "` + role + `"`, "auth/" + i.method + " ", i.file, why} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("role %s: %q does not say %q", role, err, want)
		}
	}
	for part := range strings.SplitSeq(jwt, ".") {
		if strings.Contains(err.Error(), part) {
			t.Errorf("role %s: the error tells a part of the token", role)
		}
	}
}
