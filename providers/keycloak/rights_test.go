package keycloak_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/keycloak"
)

func readRights(t *testing.T, settings keycloak.Settings, roles []string) ([]providers.Right, error) {
	t.Helper()
	r := newRealm(t, sandbox.KeycloakSettings{Realm: settings.LoginRealm, AdminRoles: roles, AdminSecret: adminSecret})
	settings.URL, settings.ClientID = r.server.URL, "rotad"
	p, err := keycloak.Kind().Open(providers.Opening{
		Name: "sso", Settings: &settings, Secret: func(string) (string, error) { return adminSecret, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, ok := providers.AsRightsReader(p)
	if !ok {
		t.Fatal("the rights of the account cannot be read")
	}
	return reader.Rights(t.Context(), nil)
}

func TestRolesThatAreMissingOrTooWide(t *testing.T) {
	own := keycloak.Settings{Realm: "sandbox", LoginRealm: "sandbox"}
	master := keycloak.Settings{Realm: "shop", LoginRealm: "master"}
	for name, test := range map[string]struct {
		settings      keycloak.Settings
		roles         []string
		missing, wide string
		need          providers.Need // of what is missing
		change        string         // a part of the command for the last of both
	}{
		"none": {
			own,
			[]string{},
			"realm-management/manage-clients", "", providers.NeedLook,
			"kcadm.sh add-roles -r sandbox --uusername service-account-rotad --cclientid realm-management --rolename manage-clients",
		},
		"only to look": {
			own, []string{"realm-management/view-clients", "realm-management/query-clients"}, "realm-management/manage-clients", "", providers.NeedRotate, "",
		},
		"the least": {own, []string{"realm-management/manage-clients", "realm-management/view-realm"}, "", "", "", ""},
		"people as well": {
			own,
			[]string{"realm-management/manage-clients", "realm-management/manage-users", "realm-management/impersonation"},
			"", "realm-management/manage-users, impersonation", "",
			"kcadm.sh remove-roles -r sandbox --uusername service-account-rotad --cclientid realm-management --rolename manage-users --rolename impersonation",
		},
		"the whole realm": {
			own,
			[]string{"realm-management/realm-admin", "realm-management/manage-clients", "realm-management/manage-users"},
			"", "realm-management/realm-admin", "",
			"--rolename manage-clients --rolename view-realm && kcadm.sh remove-roles -r sandbox",
		},
		"another client's": {own, []string{"realm-management/manage-clients", "shop/refunds"}, "", "shop/refunds", "", "--cclientid shop"},
		"from master":      {master, []string{"shop-realm/manage-clients"}, "", "", "", ""},
		"from master, of another realm": {
			master, []string{"other-realm/manage-clients"}, "shop-realm/manage-clients", "other-realm/manage-clients", providers.NeedLook, "-r master",
		},
		"everything": {master, []string{"admin", "shop-realm/manage-clients", "shop-realm/manage-users"}, "", "admin", "", "--cclientid shop-realm"},
		"new realms": {master, []string{"create-realm", "shop-realm/manage-clients"}, "", "create-realm", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rights, err := readRights(t, test.settings, test.roles)
			if err != nil {
				t.Fatal(err)
			}
			var missing, wide []string
			change := ""
			for _, r := range rights {
				switch {
				case r.Missing():
					missing, change = append(missing, r.Name), r.Change
					if r.Need != test.need {
						t.Errorf("needed for %q, want %q", r.Need, test.need)
					}
				case r.TooWide():
					wide, change = append(wide, r.Name), r.Change
				}
			}
			if strings.Join(missing, "; ") != test.missing || strings.Join(wide, "; ") != test.wide || !strings.Contains(change, test.change) {
				t.Errorf("missing %v, want %q; too wide %v, want %q; change: %s", missing, test.missing, wide, test.wide, change)
			}
		})
	}
}

func TestALightweightTokenLeavesRightsUnknown(t *testing.T) {
	rights, err := readRights(t, keycloak.Settings{Realm: "sandbox", LoginRealm: "sandbox"}, nil)
	if providers.ClassOf(err) != providers.ClassUnsupported || len(rights) != 0 || !strings.Contains(err.Error(), "lightweight") {
		t.Errorf("%+v, error %v", rights, err)
	}
}
