package conformance_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
	"github.com/rotad/rotad/test/servers"
)

const (
	fetcher       = "rotad-vault" // the client that fetches JWTs for rotad
	fetcherSecret = "the-secret-of-the-fetcher"
)

// startRealms starts a Keycloak with realms whose client gets tokens for the audience "vault".
func startRealms(t *testing.T) *servers.Keycloak {
	t.Helper()
	k := startKeycloak(t)
	for _, realm := range []string{"corp", "other"} {
		must(t, k.CreateRealm(t.Context(), servers.Realm{
			Name: realm, Clients: []servers.RealmClient{{ID: fetcher, Secret: fetcherSecret}, {ID: "brief", Secret: fetcherSecret}},
		}))
		must(t, k.AddAudience(t.Context(), realm, fetcher, "vault", 5*time.Minute))
	}
	must(t, k.AddAudience(t.Context(), "corp", "brief", "vault", 3*time.Second))
	return k
}

// TestLoginByJWTOfKeycloak logs in to a real Vault with tokens of a real issuer.
func TestLoginByJWTOfKeycloak(t *testing.T) {
	i, k := startIssuer(t, vault.MethodJWT), startRealms(t)
	token := func(realm, id string) string {
		jwt, err := k.Token(t.Context(), realm, id, fetcherSecret)
		must(t, err)
		return jwt
	}
	i.issue = func() string { return token("corp", fetcher) }
	must(t, i.vault.Configure(t.Context(), "auth/jwt/config", map[string]any{"oidc_discovery_url": k.URL + "/realms/corp"}))
	role := func(name string, ttl, most time.Duration, binds map[string]any) {
		all := map[string]any{
			"role_type": "jwt", "user_claim": "sub", "bound_audiences": "vault", "expiration_leeway": -1, "clock_skew_leeway": -1,
		}
		maps.Copy(all, binds)
		i.role(name, ttl, most, all)
	}
	role("rotad", time.Hour, time.Hour, map[string]any{"bound_claims": map[string]any{"azp": fetcher}})
	role("short", tokenTTL, tokenMax, nil)
	role("audience", time.Hour, time.Hour, map[string]any{"bound_audiences": "elsewhere"})
	role("unbound", time.Hour, time.Hour, map[string]any{"bound_audiences": "", "bound_claims": map[string]any{"azp": fetcher}})
	role("browser", time.Hour, time.Hour, map[string]any{"role_type": "oidc", "allowed_redirect_uris": "http://localhost/x"})
	role("subject", time.Hour, time.Hour, map[string]any{"bound_subject": "somebody"})
	role("claims", time.Hour, time.Hour, map[string]any{"bound_claims": map[string]any{"azp": "somebody"}})

	t.Run("conformance", i.conforms)
	t.Run("lives on", i.livesOn)
	t.Run("refused", func(t *testing.T) {
		i.refuses(t, "none", i.issue(), "the mount has no such role")
		i.refuses(t, "audience", i.issue(), "its bound_audiences are not the token's aud")
		i.refuses(t, "unbound", i.issue(), "its bound_audiences are not the token's aud")
		i.refuses(t, "browser", i.issue(), "its role_type is oidc")
		i.refuses(t, "subject", i.issue(), "its bound_subject is not the token's sub")
		i.refuses(t, "claims", i.issue(), "its bound_claims are not those of the token")
		i.refuses(t, "rotad", token("other", fetcher), "the token is not signed by the issuer of the mount")
		i.ended(t, token("corp", "brief"))
		settings := i.settings("rotad")
		settings.Auth.Mount = "nowhere"
		client, err := vault.Open(settings, vaulttest.Clock(), nil)
		must(t, err)
		if err = client.Login(t.Context()); !errors.Is(err, credential.ErrDenied) || !strings.Contains(err.Error(), "auth/nowhere") {
			t.Errorf("where nothing is mounted: %v", err)
		}
		must(t, i.vault.Configure(t.Context(), "auth/jwt/config", map[string]any{
			"oidc_discovery_url": k.URL + "/realms/corp", "bound_issuer": "https://sso.example.com",
		}))
		i.refuses(t, "rotad", i.issue(), "the token's iss is not the mount's bound_issuer")
	})
	t.Run("issuer down", func(t *testing.T) {
		i.put(i.issue())
		k.Stop()
		i.vault.Stop() // it forgets the keys
		must(t, i.vault.Restart(t.Context(), true))
		err := i.open("rotad").Login(t.Context())
		if vault.ClassOf(err) != vault.ClassUnavailable || !strings.Contains(err.Error(), "keys of the issuer that auth/jwt trusts") {
			t.Errorf("got %v", err)
		}
	})
}

// ended waits until a JWT has ended, while it is taken, and expects the words for that.
func (i *issuer) ended(t *testing.T, jwt string) {
	t.Helper()
	i.put(jwt)
	client := i.open("short")
	must(t, client.Login(t.Context()))
	must(t, servers.Until(t.Context(), time.Minute, 200*time.Millisecond, func(ctx context.Context) error {
		if client.Login(ctx) == nil {
			return errors.New("it is still taken")
		}
		return nil
	}))
	i.refuses(t, "short", jwt, "the token has ended")
}
