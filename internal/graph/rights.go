package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Application permissions of Microsoft Graph (learn.microsoft.com/graph/permissions-reference).
const (
	permOwned = "Application.ReadWrite.OwnedBy"
	permRead  = "Application.Read.All"
	permAll   = "Application.ReadWrite.All"

	idOwned  = "18a4783c-866b-4cc7-a460-3d5e5662c884" // of permOwned
	graphApp = "00000003-0000-0000-c000-000000000000" // of Microsoft Graph, in every tenant
)

// manageAll are the permissions with which credentials of every application can be changed.
var manageAll = []string{permAll, "Directory.ReadWrite.All"}

// directoryRoles are the built-in roles with which an account may change applications of other people, by the id of their
// template (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference), as the claim wids names them.
var directoryRoles = map[string]string{
	"62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
	"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
	"158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
	"e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
}

var errOpaque = errors.New("the token for Graph cannot be read, so the permissions in it are not known")

// Rights reads which rights rotad's own account has: the permissions stand in the token, and who owns an application can be asked.
type Rights struct {
	Graph  *httpapi.Client
	Tokens *httpapi.Tokens
	Own    string // client id of rotad's own application
	Keeps  string // what is added and removed: passwords, certificates
}

// Read is providers.RightsReader.
func (p Rights) Read(ctx context.Context, clients []providers.Target) ([]providers.Right, error) {
	token, err := p.Tokens.Held(ctx)
	if err != nil {
		return nil, err
	}
	claims, ok := httpapi.ClaimsOf(token.Value)
	if !ok {
		return nil, &providers.Error{Class: providers.ClassUnsupported, Provider: p.Graph.Provider(), Operation: "rights", Err: errOpaque}
	}
	held, _ := claims.Words("roles")
	roles := rolesOf(claims)
	rights := append(p.permissions(held, len(roles) > 0), p.surplus(held, roles)...)
	if slices.Contains(held, permOwned) && !manages(held) && len(roles) == 0 {
		owned, err := p.ownership(ctx, claims.Text("oid"), clients)
		return append(rights, owned...), err
	}
	return rights, nil
}

func manages(held []string) bool {
	return slices.ContainsFunc(manageAll, func(name string) bool { return slices.Contains(held, name) })
}

// rolesOf returns the names of the directory roles that reach into other people's applications.
func rolesOf(claims httpapi.Claims) (names []string) {
	ids, _ := claims.Words("wids")
	for _, id := range ids {
		if name := directoryRoles[strings.ToLower(id)]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

// permissions returns what rotad needs. Without any right to read, the one that is missing stands against everything.
func (p Rights) permissions(held []string, admin bool) []providers.Right {
	need := providers.NeedLook
	if slices.Contains(held, permRead) {
		need = providers.NeedRotate
	}
	return []providers.Right{{
		Name: permOwned, Need: need, Held: admin || manages(held) || slices.Contains(held, permOwned),
		Why: "to add and remove " + p.Keeps + " of the applications that rotad owns",
		Change: "az ad app permission add --id " + p.Own + " --api " + graphApp + " --api-permissions " + idOwned + "=Role && az ad app permission admin-consent --id " +
			p.Own + "; or the Entra admin center: App registrations, rotad's application, API permissions, Application permissions, grant admin consent",
	}}
}

// surplus returns what rotad never uses.
func (p Rights) surplus(held, roles []string) (rights []providers.Right) {
	for _, name := range held {
		if name == permOwned || name == permRead {
			continue
		}
		change := "Entra admin center: Enterprise applications, rotad's application, Permissions: revoke it"
		if slices.Contains(manageAll, name) {
			change += ", once " + permOwned + " is granted and rotad owns each application that it looks after"
		}
		rights = append(rights, providers.Right{Name: name, Held: true, Why: reach(name), Change: change})
	}
	for _, name := range roles {
		rights = append(rights, providers.Right{
			Name: "directory role " + name, Held: true, Why: "it reaches every application of the tenant",
			Change: "Entra admin center: Roles and administrators, " + name + ": remove the assignment of rotad's application",
		})
	}
	return rights
}

// reach says what a permission lets an account do, where that is more than its name says.
func reach(name string) string {
	switch name {
	case permAll, "Directory.ReadWrite.All":
		return "it changes every application of the tenant, and can log in as each of them"
	case "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory":
		return "it can grant itself any right"
	}
	return "rotad never uses it"
}

// ownership asks for each application whether rotad is among its owners: without that its permission covers nothing there.
func (p Rights) ownership(ctx context.Context, own string, clients []providers.Target) (rights []providers.Right, err error) {
	if own == "" {
		return nil, nil
	}
	for _, t := range clients {
		path, err := Object(t.Ref)
		if err != nil {
			continue // the look at this client says so
		}
		owners, err := p.owners(ctx, path)
		switch {
		case providers.ClassOf(err) == providers.ClassNotFound:
			continue // likewise
		case err != nil:
			return rights, err
		}
		rights = append(rights, providers.Right{
			Name: "owner of the application", Client: t.Client, Need: providers.NeedRotate,
			Held:   slices.ContainsFunc(owners, func(id string) bool { return strings.EqualFold(id, own) }),
			Why:    permOwned + " covers nothing else",
			Change: "az ad app owner add --id " + t.Ref[RefApp] + t.Ref[RefObject] + " --owner-object-id " + own,
		})
	}
	return rights, nil
}

// owners reads the object ids of an application's owners. An application has at most 100 of them, which is one page.
func (p Rights) owners(ctx context.Context, path string) ([]string, error) {
	var list struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	_, err := p.Graph.Into(ctx, httpapi.Request{
		Operation: "rights", Method: http.MethodGet, Path: path + "/owners", Query: url.Values{"$select": {"id"}},
	}, &list)
	ids := make([]string, len(list.Value))
	for i, owner := range list.Value {
		ids[i] = owner.ID
	}
	return ids, err
}
