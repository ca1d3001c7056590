package sandbox

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// adminRoutes are the endpoints of the admin API that replace secrets and tell about them.
func (k *Keycloak) adminRoutes(mux *http.ServeMux, base string) {
	routes := map[string]func(http.ResponseWriter, *http.Request, *keycloakClient){
		"GET /clients/{uuid}": func(w http.ResponseWriter, _ *http.Request, c *keycloakClient) {
			answer(w, http.StatusOK, k.show(c))
		},
		"GET /clients/{uuid}/roles": func(w http.ResponseWriter, _ *http.Request, _ *keycloakClient) {
			answer(w, http.StatusOK, []any{})
		},
		"GET /clients/{uuid}/client-secret": func(w http.ResponseWriter, _ *http.Request, c *keycloakClient) {
			answer(w, http.StatusOK, secretReply(c.secret))
		},
		"POST /clients/{uuid}/client-secret":           k.postSecret,
		"GET /clients/{uuid}/client-secret/rotated":    getRotated,
		"DELETE /clients/{uuid}/client-secret/rotated": k.deleteRotated,
	}
	for pattern, handle := range routes {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+base+path, k.admitted(func(w http.ResponseWriter, r *http.Request) {
			if c := k.clients[r.PathValue("uuid")]; c != nil {
				handle(w, r, c)
				return
			}
			answer(w, http.StatusNotFound, keycloakError("Could not find client"))
		}))
	}
	mux.HandleFunc("GET "+base+"/clients", k.admitted(k.listClients))
	mux.HandleFunc("GET "+base+"/client-policies/policies", k.admitted(k.listPolicies))
	mux.HandleFunc("GET "+base+"/client-policies/profiles", k.admitted(k.listProfiles))
	mux.HandleFunc("/admin/", k.admitted(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, keycloakError("Realm not found."))
	}))
}

func keycloakError(text string) map[string]string { return map[string]string{"error": text} }

func secretReply(value string) map[string]string {
	return map[string]string{"type": "secret", "value": value}
}

// admitted lets requests with a token of the admin account through.
func (k *Keycloak) admitted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		ends, ok := k.tokens[sha256.Sum256([]byte(token))]
		if !ok || !k.now().Before(ends) {
			answer(w, http.StatusUnauthorized, keycloakError("HTTP 401 Unauthorized"))
			return
		}
		next(w, r)
	}
}

func (k *Keycloak) forbidden(w http.ResponseWriter) {
	answer(w, http.StatusForbidden, keycloakError("HTTP 403 Forbidden"))
}

// listClients answers with an empty list where nothing matches.
func (k *Keycloak) listClients(w http.ResponseWriter, r *http.Request) {
	wanted := r.URL.Query().Get("clientId")
	list := []map[string]any{}
	if c := k.names[wanted]; c != nil {
		list = append(list, k.show(c))
	}
	if wanted == "" {
		for _, c := range k.clients {
			list = append(list, k.show(c))
		}
	}
	slices.SortFunc(list, func(a, b map[string]any) int {
		return strings.Compare(a["clientId"].(string), b["clientId"].(string)) //nolint:forcetypeassert // written above
	})
	answer(w, http.StatusOK, window(list, r.URL.Query().Get("first"), r.URL.Query().Get("max")))
}

// window cuts a part out of a list, as first and max say.
func window(list []map[string]any, first, most string) []map[string]any {
	if n, err := strconv.Atoi(first); err == nil && n > 0 {
		list = list[min(n, len(list)):]
	}
	if n, err := strconv.Atoi(most); err == nil && n >= 0 {
		list = list[:min(n, len(list))]
	}
	return list
}

// postSecret replaces the secret of any client, even of one that has no use for it, as Keycloak does.
func (k *Keycloak) postSecret(w http.ResponseWriter, _ *http.Request, c *keycloakClient) {
	if k.settings.ReadOnly {
		k.forbidden(w)
		return
	}
	k.replace(c)
	answer(w, http.StatusOK, secretReply(c.secret))
}

func getRotated(w http.ResponseWriter, _ *http.Request, c *keycloakClient) {
	if c.rotated == "" {
		answer(w, http.StatusNotFound, keycloakError("Client does not have a rotated secret"))
		return
	}
	answer(w, http.StatusOK, secretReply(c.rotated))
}

func (k *Keycloak) deleteRotated(w http.ResponseWriter, _ *http.Request, c *keycloakClient) {
	if k.settings.ReadOnly {
		answer(w, http.StatusInternalServerError, keycloakError("unknown_error"))
		return
	}
	c.rotated, c.rotatedAt, c.rotatedExpires = "", 0, 0
	w.WriteHeader(http.StatusNoContent)
}

func (k *Keycloak) listPolicies(w http.ResponseWriter, _ *http.Request) {
	if k.settings.NoViewRealm {
		k.forbidden(w)
		return
	}
	list := []any{}
	if k.settings.Policy != nil {
		list = append(list, map[string]any{
			"name": "rotate", "enabled": true, "profiles": []string{"rotation"},
			"conditions": []any{map[string]any{
				"condition": "client-access-type", "configuration": map[string]any{"type": []string{"confidential"}},
			}},
		})
	}
	answer(w, http.StatusOK, map[string]any{"policies": list})
}

func (k *Keycloak) listProfiles(w http.ResponseWriter, _ *http.Request) {
	if k.settings.NoViewRealm {
		k.forbidden(w)
		return
	}
	list := []any{}
	if p := k.settings.Policy; p != nil {
		list = append(list, map[string]any{"name": "rotation", "executors": []any{map[string]any{
			"executor": "secret-rotation", "configuration": map[string]any{
				"expiration-period": p.Expiration / time.Second, "rotated-expiration-period": p.Rotated / time.Second,
			},
		}}})
	}
	answer(w, http.StatusOK, map[string]any{"profiles": list})
}
