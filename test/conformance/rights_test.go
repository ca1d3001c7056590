package conformance_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/keycloak"
	"github.com/rotad/rotad/test/servers"
)

// readRights returns the rights of rotad's account that are missing, and those that are too wide.
func readRights(t *testing.T, p providers.Provider, clients ...providers.Target) (missing, wide []string) {
	t.Helper()
	reader, ok := providers.AsRightsReader(p)
	if !ok {
		t.Fatal("the rights of the account cannot be read")
	}
	rights, err := reader.Rights(t.Context(), clients)
	must(t, err)
	for _, r := range rights {
		if r.Missing() {
			missing = append(missing, r.Name)
		} else if r.TooWide() {
			wide = append(wide, r.Name)
		}
	}
	return missing, wide
}

// keycloakRights reads the roles in the tokens that a real Keycloak makes: with the least of them, with one too many, and with all.
func keycloakRights(t *testing.T, k *servers.Keycloak) {
	t.Helper()
	const realm = "rights"
	must(t, k.CreateRealm(t.Context(), servers.Realm{Name: realm}))
	open := func() providers.Provider {
		p, err := keycloak.Kind().Open(providers.Opening{
			Name: "sso", Settings: &keycloak.Settings{URL: k.URL, Realm: realm, ClientID: "rotad"},
			Secret: func(string) (string, error) { return servers.RotadSecret, nil }, Elapsed: elapsed(),
		})
		must(t, err)
		return p
	}
	for _, step := range []struct{ grant, wide string }{
		{"", ""},
		{"manage-users", "realm-management/manage-users"},
		{"realm-admin", "realm-management/realm-admin"},
	} {
		if step.grant != "" {
			must(t, k.Grant(t.Context(), realm, step.grant))
		}
		missing, wide := readRights(t, open()) // a token of its own
		if len(missing) != 0 || !strings.HasPrefix(strings.Join(wide, "; "), step.wide) || (step.wide == "") != (len(wide) == 0) {
			t.Errorf("with %q: missing %v, too wide %v", step.grant, missing, wide)
		}
	}
}

// appRoleRights asks a real Vault what the policy of the kind's README lacks, and what it has too much.
func appRoleRights(t *testing.T, p providers.Provider, role string) {
	t.Helper()
	missing, wide := readRights(t, p, providers.Target{Client: role, Ref: credential.Ref{"role": role}})
	if len(missing) != 0 || len(wide) != 0 {
		t.Errorf("missing %v, too wide %v", missing, wide)
	}
}
