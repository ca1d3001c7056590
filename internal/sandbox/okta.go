package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// PathOkta is the url of a provider that speaks the dialect of Okta's API for the secrets of an application.
const PathOkta = "/okta"

// oktaSlots is how many secrets an application may have, switched off ones counted.
const oktaSlots = 2

// oktaRoutes are the endpoints for the secrets of an application, each of which is switched off before it is deleted
// (developer.okta.com/docs/api/openapi/okta-management: OAuth 2.0 client secrets).
func (p *IdP) oktaRoutes(mux *http.ServeMux) {
	const secrets = PathOkta + "/api/v1/apps/{id}/credentials/secrets"
	mux.HandleFunc("POST "+PathOkta+"/oauth2/{server}/v1/token", p.token)
	mux.HandleFunc("GET "+secrets, p.oktaAdmin(p.oktaList))
	mux.HandleFunc("POST "+secrets, p.oktaAdmin(p.oktaAdd))
	mux.HandleFunc("POST "+secrets+"/{secret}/lifecycle/deactivate", p.oktaAdmin(p.oktaDeactivate))
	mux.HandleFunc("DELETE "+secrets+"/{secret}", p.oktaAdmin(p.oktaRemove))
}

func oktaError(w http.ResponseWriter, status int, code, summary string, causes ...string) {
	list := []map[string]string{}
	for _, cause := range causes {
		list = append(list, map[string]string{"errorSummary": cause})
	}
	answer(w, status, map[string]any{"errorCode": code, "errorSummary": summary, "errorId": "sandbox", "errorCauses": list})
}

func oktaRefuse(w http.ResponseWriter, cause string) {
	oktaError(w, http.StatusBadRequest, "E0000001", "Api validation failed: OAuth2ClientSecretMediated", cause)
}

// oktaAdmin checks the API token, finds the application and locks it for one call.
func (p *IdP) oktaAdmin(do func(http.ResponseWriter, *http.Request, *client)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "SSWS ")
		if !ok || !p.admits("Bearer "+token) {
			oktaError(w, http.StatusUnauthorized, "E0000011", "Invalid token provided")
			return
		}
		c, err := p.client(r.PathValue("id"))
		if err != nil {
			oktaError(w, http.StatusNotFound, "E0000007", "Not found: Resource not found: (AppInstance)")
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		do(w, r, c)
	}
}

// oktaSecret shows a version. The real server shows its value in every answer, which the sandbox does not keep: only the answer to a
// create has it.
func (v *version) oktaSecret(value string) map[string]any {
	status := "ACTIVE"
	if !v.dies.IsZero() {
		status = "INACTIVE"
	}
	return map[string]any{"id": v.id, "status": status, "client_secret": value, "created": stamp(v.start), "lastUpdated": stamp(v.start)}
}

func (p *IdP) oktaList(w http.ResponseWriter, _ *http.Request, c *client) {
	list := []map[string]any{}
	for _, v := range c.listed(p.now()) {
		list = append(list, v.oktaSecret("not kept"))
	}
	answer(w, http.StatusOK, list)
}

func (p *IdP) oktaAdd(w http.ResponseWriter, _ *http.Request, c *client) {
	if len(c.present()) >= oktaSlots {
		oktaRefuse(w, "You've reached the maximum number of client secrets per client.")
		return
	}
	value := p.value()
	answer(w, http.StatusCreated, c.add(p.now(), p.id(), value).oktaSecret(value))
}

// oktaFind finds the version that a request names. Where there is none, it has answered.
func (c *client) oktaFind(w http.ResponseWriter, r *http.Request) *version {
	present := c.present()
	i := slices.IndexFunc(present, func(v *version) bool { return v.id == r.PathValue("secret") })
	if i < 0 {
		oktaError(w, http.StatusNotFound, "E0000007", "Not found: Resource not found: (OAuth2ClientSecret)")
		return nil
	}
	return present[i]
}

func (p *IdP) oktaDeactivate(w http.ResponseWriter, r *http.Request, c *client) {
	v := c.oktaFind(w, r)
	if v == nil {
		return
	}
	active := slices.DeleteFunc(c.present(), func(other *version) bool { return !other.dies.IsZero() })
	if len(active) == 1 && active[0] == v {
		oktaRefuse(w, "You can't deactivate the only active client secret.")
		return
	}
	v.end(p.now())
	answer(w, http.StatusOK, v.oktaSecret("not kept"))
}

func (p *IdP) oktaRemove(w http.ResponseWriter, r *http.Request, c *client) {
	v := c.oktaFind(w, r)
	switch {
	case v == nil:
	case v.dies.IsZero():
		oktaRefuse(w, "You can't delete an active client secret. Deactivate the secret before deleting it.")
	default:
		v.remove(p.now())
		w.WriteHeader(http.StatusNoContent)
	}
}
