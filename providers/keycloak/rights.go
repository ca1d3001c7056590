package keycloak

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Roles of the client that stands for a realm's administration.
const (
	roleManage = "manage-clients"
	roleView   = "view-clients"
	roleRealm  = "view-realm"
	roleAll    = "realm-admin" // all of them; they stand beside it in a token
)

// usedRoles are the roles that an account of rotad may have without having too much. query-clients comes with view-clients.
var usedRoles = []string{roleManage, roleView, roleRealm, "query-clients"}

// account is rotad's own, as its logins know it.
type account struct {
	tokens *httpapi.Tokens
	client string // client id, whose service account it is
	login  string // realm that it lives in
	realm  string // whose clients are rotated
}

// holder is the client whose roles are the rights in the realm: in the realm itself, and in master, which has one such client for
// every realm.
func (a account) holder() string {
	if a.login == a.realm {
		return "realm-management"
	}
	return a.realm + "-realm"
}

var errLightweight = errors.New("the token of rotad's account names no roles, so its rights are not known: its client uses lightweight access " +
	"tokens, or lacks the client scope roles")

// Rights implements providers.RightsReader. The roles stand in the token.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	token, err := p.account.tokens.Held(ctx)
	if err != nil {
		return nil, err
	}
	claims, ok := httpapi.ClaimsOf(token.Value)
	realmRoles, general := claims.Words("realm_access", "roles")
	clients, _ := claims["resource_access"].(map[string]any)
	if !ok || !general && clients == nil {
		return nil, &providers.Error{Class: providers.ClassUnsupported, Provider: p.name, Operation: "rights", Err: errLightweight}
	}
	a := p.account
	held, _ := claims.Words("resource_access", a.holder(), "roles")
	rights := a.needed(held)
	if slices.Contains(realmRoles, "admin") { // of master: it has all others with it
		return append(rights, a.tooWide("", []string{"admin"}, "it may change everything in every realm")), nil
	}
	if slices.Contains(realmRoles, "create-realm") {
		rights = append(rights, a.tooWide("", []string{"create-realm"}, "it makes realms, and administers what it made"))
	}
	for _, client := range slices.Sorted(maps.Keys(clients)) {
		roles, _ := claims.Words("resource_access", client, "roles")
		rights = append(rights, a.surplus(client, roles)...)
	}
	return rights, nil
}

func (a account) needed(held []string) []providers.Right {
	need := providers.NeedLook
	if slices.Contains(held, roleView) {
		need = providers.NeedRotate
	}
	return []providers.Right{{
		Name: a.holder() + "/" + roleManage, Need: need, Held: slices.Contains(held, roleManage),
		Why: "to read clients and replace their secrets", Change: a.kcadm("add-roles", a.holder(), roleManage),
	}}
}

// surplus returns the roles of one client that rotad never uses. Those of account come with every account.
func (a account) surplus(client string, roles []string) []providers.Right {
	if client == "account" {
		return nil
	}
	var wide []string
	for _, role := range roles {
		if client != a.holder() || !slices.Contains(usedRoles, role) {
			wide = append(wide, role)
		}
	}
	switch {
	case len(wide) == 0:
		return nil
	case slices.Contains(wide, roleAll):
		return []providers.Right{a.tooWide(client, []string{roleAll}, "it may change everything in the realm")}
	}
	return []providers.Right{a.tooWide(client, wide, "rotad never uses it")}
}

// tooWide is the right that the roles of one client, or without one of the realm, give together.
func (a account) tooWide(client string, roles []string, why string) providers.Right {
	name := strings.Join(roles, ", ")
	if client != "" {
		name = client + "/" + name
	}
	change := a.kcadm("remove-roles", client, roles...)
	if slices.Contains(roles, roleAll) || client == "" {
		change = a.kcadm("add-roles", a.holder(), roleManage, roleRealm) + " && " + change
	}
	return providers.Right{Name: name, Held: true, Why: why, Change: change}
}

// kcadm is the command that gives the account roles, or takes them away.
func (a account) kcadm(verb, client string, roles ...string) string {
	command := []string{"kcadm.sh", verb, "-r", a.login, "--uusername", "service-account-" + strings.ToLower(a.client)}
	if client != "" {
		command = append(command, "--cclientid", client)
	}
	for _, role := range roles {
		command = append(command, "--rolename", role)
	}
	return strings.Join(command, " ")
}
