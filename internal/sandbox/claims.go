package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// signed makes a token that says something about itself (RFC 9068), as the tokens of most servers do. Nobody checks its signature,
// which is what makes it the only one of its sort: servers look tokens up here.
func signed(claims map[string]any, signature string) string {
	raw, _ := json.Marshal(claims) // of texts and lists of texts, which cannot fail
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + part(raw) + "." + signature
}

// Principal returns the object id of an application's service principal, by which it is named among owners.
func Principal(clientID string) string { return "sp-" + clientID }

// claimed puts what an application may do into its token, where its tokens say it.
func (r Registration) claimed(token string) string {
	if r.Roles == nil && r.DirectoryRoles == nil {
		return token
	}
	return signed(map[string]any{
		"appid": r.ClientID, "oid": Principal(r.ClientID), "roles": r.Roles, "wids": r.DirectoryRoles,
	}, token)
}

// graphBelow lists what belongs to an application: its owners.
func (p *IdP) graphBelow(w http.ResponseWriter, r *http.Request, c *client) {
	if r.PathValue("below") != "owners" {
		p.graphError(w, http.StatusBadRequest, "Request_BadRequest", "Resource not found for the segment.")
		return
	}
	owners := []any{}
	for _, id := range c.OwnedBy {
		owners = append(owners, map[string]string{"@odata.type": "#microsoft.graph.servicePrincipal", "id": id})
	}
	answer(w, http.StatusOK, map[string]any{"value": owners})
}

// rolesClaims are what a token of Keycloak says of roles, which are written "client/role"; without a client they are the realm's.
func rolesClaims(roles []string) map[string]any {
	realm, clients := []string{"default-roles-sandbox"}, map[string][]string{"account": {"view-profile"}}
	for _, name := range roles {
		if client, role, of := strings.Cut(name, "/"); of {
			clients[client] = append(clients[client], role)
		} else {
			realm = append(realm, name)
		}
	}
	access := map[string]any{}
	for client, list := range clients {
		access[client] = map[string]any{"roles": list}
	}
	return map[string]any{"realm_access": map[string]any{"roles": realm}, "resource_access": access}
}
