package sandbox

import (
	"crypto/sha256"
	"maps"
	"net/http"
	"time"
)

// What Keycloak says to a wrong secret and to an unknown client alike; the error codes differ.
const badCredentials = "Invalid client or Invalid client credentials"

// token is the token endpoint. For a wrong secret Keycloak answers with unauthorized_client.
func (k *Keycloak) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	if problem != "" {
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
		return
	}
	grant := r.PostForm.Get("grant_type")
	if grant == "client_credentials" && id == k.settings.AdminID && k.settings.AdminSecret != "" {
		k.adminLogin(w, secret)
		return
	}
	c := k.byID(id)
	switch {
	case c == nil || c.Disabled:
		refuse(w, http.StatusUnauthorized, "invalid_client", badCredentials)
	case !c.accepts(k.now().Unix(), secret):
		refuse(w, http.StatusUnauthorized, "unauthorized_client", badCredentials)
	case grant == "authorization_code":
		refuse(w, http.StatusBadRequest, "invalid_grant", "Code not valid")
	case grant != "client_credentials":
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type")
	case !c.ServiceAccount:
		refuse(w, http.StatusUnauthorized, "unauthorized_client", "Client not enabled to retrieve service account")
	default:
		answer(w, http.StatusOK, tokenReply{AccessToken: k.value(), TokenType: "Bearer", ExpiresIn: 300})
	}
}

func (k *Keycloak) adminLogin(w http.ResponseWriter, secret string) {
	if secret != k.settings.AdminSecret {
		refuse(w, http.StatusUnauthorized, "unauthorized_client", badCredentials)
		return
	}
	token, now := k.value(), k.now()
	if k.settings.AdminRoles != nil {
		token = signed(rolesClaims(k.settings.AdminRoles), token)
	}
	maps.DeleteFunc(k.tokens, func(_ [sha256.Size]byte, ends time.Time) bool { return !now.Before(ends) })
	k.tokens[sha256.Sum256([]byte(token))] = now.Add(k.settings.TokenLife)
	answer(w, http.StatusOK, tokenReply{
		AccessToken: token, TokenType: "Bearer", ExpiresIn: int(k.settings.TokenLife.Seconds()),
	})
}

// introspect answers a wrong secret with a code of its own.
func (k *Keycloak) introspect(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	if problem != "" {
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
		return
	}
	if c := k.byID(id); c == nil || c.Disabled || !c.accepts(k.now().Unix(), secret) {
		refuse(w, http.StatusUnauthorized, "invalid_request", "Authentication failed.")
		return
	}
	answer(w, http.StatusOK, map[string]bool{"active": false})
}
