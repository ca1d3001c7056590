package conformance_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/test/servers"
)

// startReviewer starts an API server with a service account for Vault, which may ask whose token it was shown.
func startReviewer(t *testing.T) *servers.Kubernetes {
	t.Helper()
	k := startKubernetes(t)
	for _, account := range [][2]string{{"vault", "vault"}, {"security", "rotad"}, {"security", "other"}, {"elsewhere", "rotad"}} {
		must(t, k.AddAccount(t.Context(), account[0], account[1]))
	}
	must(t, k.Delegate(t.Context(), "vault", "vault", true))
	return k
}

// TestLoginByServiceAccount logs in to a real Vault with tokens as a kubelet would mount them.
func TestLoginByServiceAccount(t *testing.T) {
	i, k := startIssuer(t, vault.MethodKubernetes), startReviewer(t)
	token := func(namespace, name, audience string) string {
		jwt, err := k.AccountToken(t.Context(), namespace, name, audience)
		must(t, err)
		return jwt
	}
	i.issue = func() string { return token("security", "rotad", "vault") }
	must(t, k.Trust(t.Context(), i.vault, token("vault", "vault", "")))
	role := func(name, audience string, ttl, most time.Duration) {
		i.role(name, ttl, most, map[string]any{
			"bound_service_account_names": "rotad", "bound_service_account_namespaces": "security", "audience": audience,
		})
	}
	role("rotad", "vault", time.Hour, time.Hour)
	role("short", "vault", tokenTTL, tokenMax)
	role("audience", "elsewhere", time.Hour, time.Hour)
	role("server", "", time.Hour, time.Hour)

	t.Run("conformance", i.conforms)
	t.Run("lives on", i.livesOn)
	t.Run("a role without audience takes every one", func(t *testing.T) {
		for _, audience := range []string{"", "vault"} { // the first is what lies at the default place
			i.put(token("security", "rotad", audience))
			must(t, i.open("server").Login(t.Context()))
		}
	})
	t.Run("refused", func(t *testing.T) {
		const cluster = "check whether this cluster still knows the service account"
		i.refuses(t, "none", i.issue(), "the mount has no such role")
		i.refuses(t, "audience", i.issue(), "its audience is not the token's aud")
		i.refuses(t, "rotad", token("security", "rotad", ""), "its audience is not the token's aud")
		i.refuses(t, "rotad", token("security", "other", "vault"), "its bound_service_account_names do not name")
		i.refuses(t, "rotad", token("elsewhere", "rotad", "vault"), "its bound_service_account_namespaces do not name")
		must(t, k.Delegate(t.Context(), "vault", "vault", false))
		i.refuses(t, "rotad", i.issue(), cluster)
		must(t, k.Delegate(t.Context(), "vault", "vault", true))
		gone := i.issue()
		must(t, k.DeleteAccount(t.Context(), "security", "rotad"))
		i.refuses(t, "rotad", gone, cluster)
	})
}
