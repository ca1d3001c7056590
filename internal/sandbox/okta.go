package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
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
	mux.HandleFunc("GET "+PathOkta+"/api/v1/apps", p.oktaApps)
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

// oktaApps shows a page of applications, OIDC ones and one other, and names the next page in a header. What it names is the last one before it.
func (p *IdP) oktaApps(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "SSWS ")
	if !ok || !p.admits("Bearer "+token) {
		oktaError(w, http.StatusUnauthorized, "E0000011", "Invalid token provided")
		return
	}
	query := r.URL.Query()
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 {
		oktaRefuse(w, "limit: is no number")
		return
	}
	ids := append(p.clientIDs(), "saml")
	slices.Sort(ids)
	from := 0
	if after := query.Get("after"); after != "" {
		if from = slices.Index(ids, after) + 1; from == 0 {
			oktaError(w, http.StatusBadRequest, "E0000031", "Invalid search criteria.")
			return
		}
	}
	list := []map[string]any{}
	to := min(from+limit, len(ids))
	for _, id := range ids[from:to] {
		mode := "OPENID_CONNECT"
		if id == "saml" {
			mode = "SAML_2_0"
		}
		list = append(list, map[string]any{"id": id, "label": "App " + id, "status": "ACTIVE", "signOnMode": mode, "created": "2026-01-01T12:00:00.000Z"})
	}
	w.Header().Add("Link", "<http://"+r.Host+r.URL.Path+">; rel=\"self\"")
	if to < len(ids) {
		query.Set("after", ids[to-1])
		w.Header().Add("Link", "<http://"+r.Host+r.URL.Path+"?"+query.Encode()+">; rel=\"next\"")
	}
	answer(w, http.StatusOK, list)
}

// clientIDs returns the ids of all clients.
func (p *IdP) clientIDs() []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.Collect(maps.Keys(p.clients))
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
