package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// PathLogto is the url of a provider that speaks the dialect of Logto's Management API.
const PathLogto = "/logto"

// logtoRoutes are the endpoints for the secrets of an application, each with a name that is unique there
// (openapi.logto.io: listapplicationsecrets, createapplicationsecret, deleteapplicationsecret).
func (p *IdP) logtoRoutes(mux *http.ServeMux) {
	const secrets = PathLogto + "/api/applications/{id}/secrets"
	mux.HandleFunc("POST "+PathLogto+"/oidc/token", p.token)
	mux.HandleFunc("GET "+PathLogto+"/api/applications", p.logtoApplications)
	mux.HandleFunc("GET "+secrets, p.logtoAdmin(p.logtoList))
	mux.HandleFunc("POST "+secrets, p.logtoAdmin(p.logtoAdd))
	mux.HandleFunc("DELETE "+secrets+"/{name}", p.logtoAdmin(p.logtoRemove))
}

func logtoError(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]any{"code": code, "message": code})
}

// logtoAdmin checks the bearer token, finds the application and locks it for one call.
func (p *IdP) logtoAdmin(do func(http.ResponseWriter, *http.Request, *client)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.admits(r.Header.Get("Authorization")) {
			logtoError(w, http.StatusUnauthorized, "auth.unauthorized")
			return
		}
		c, err := p.client(r.PathValue("id"))
		if err != nil {
			logtoError(w, http.StatusNotFound, "entity.not_exists_with_id")
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		do(w, r, c)
	}
}

// logtoApplications shows a page of applications, by numbers from 1. Behind the last page there are empty ones.
func (p *IdP) logtoApplications(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.URL.Query().Get("page"))
	size, sizeErr := strconv.Atoi(r.URL.Query().Get("page_size"))
	switch {
	case !p.admits(r.Header.Get("Authorization")):
		logtoError(w, http.StatusUnauthorized, "auth.unauthorized")
		return
	case err != nil || sizeErr != nil || number < 1 || size < 1 || size > 100:
		logtoError(w, http.StatusBadRequest, "guard.invalid_pagination")
		return
	}
	ids := p.clientIDs()
	slices.Sort(ids)
	list := []map[string]any{}
	for _, id := range ids[min((number-1)*size, len(ids)):min(number*size, len(ids))] {
		list = append(list, map[string]any{"tenantId": "sandbox", "id": id, "name": "App " + id, "type": "MachineToMachine", "createdAt": 1767225600000})
	}
	w.Header().Set("Total-Number", strconv.Itoa(len(ids)))
	answer(w, http.StatusOK, list)
}

// logtoName is what the dialect calls a version: its label, or "Default secret" for what was there before.
func (v *version) logtoName() string {
	if v.label == "" {
		return "Default secret"
	}
	return v.label
}

// logtoSecret shows a version. The real server shows its value as well, which the sandbox does not keep: only the answer
// to a create has it.
func (c *client) logtoSecret(v *version, value string) map[string]any {
	body := map[string]any{
		"tenantId": "sandbox", "applicationId": c.ClientID, "name": v.logtoName(), "value": value,
		"createdAt": v.start.UnixMilli(), "expiresAt": nil,
	}
	if !v.expires.IsZero() {
		body["expiresAt"] = v.expires.UnixMilli()
	}
	return body
}

func (p *IdP) logtoList(w http.ResponseWriter, _ *http.Request, c *client) {
	list := []map[string]any{}
	for _, v := range c.listed(p.now()) {
		list = append(list, c.logtoSecret(v, "not kept"))
	}
	answer(w, http.StatusOK, list)
}

func (c *client) logtoFind(name string) *version {
	present := c.present()
	i := slices.IndexFunc(present, func(v *version) bool { return v.logtoName() == name })
	if i < 0 {
		return nil
	}
	return present[i]
}

func (p *IdP) logtoAdd(w http.ResponseWriter, r *http.Request, c *client) {
	var body struct {
		Name      string   `json:"name"`
		ExpiresAt *float64 `json:"expiresAt"` // milliseconds since 1970; nil = never
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&body)
	const longest = 256
	if err != nil || body.Name == "" || len(body.Name) > longest {
		logtoError(w, http.StatusBadRequest, "guard.invalid_input")
		return
	}
	if c.logtoFind(body.Name) != nil {
		logtoError(w, http.StatusUnprocessableEntity, "application.secret_name_exists")
		return
	}
	now, value := p.now(), p.value()
	v := c.add(now, p.id(), value)
	v.label = body.Name
	if body.ExpiresAt != nil {
		v.expires = time.UnixMilli(int64(*body.ExpiresAt))
	}
	answer(w, http.StatusCreated, c.logtoSecret(v, value))
}

func (p *IdP) logtoRemove(w http.ResponseWriter, r *http.Request, c *client) {
	v := c.logtoFind(r.PathValue("name"))
	if v == nil {
		logtoError(w, http.StatusNotFound, "entity.not_found")
		return
	}
	v.remove(p.now())
	w.WriteHeader(http.StatusNoContent)
}
