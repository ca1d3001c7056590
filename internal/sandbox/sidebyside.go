package sandbox

import (
	"net/http"
	"slices"
)

// Paths of the dialects for secrets side by side that have nothing but an id and a date: the url of a provider of that sort.
const (
	PathWorkOS   = "/workos"
	PathTransmit = "/transmit"
)

// mostOfTransmit is how many secrets a client of Transmit Security may have.
const mostOfTransmit = 2

// workOSRoutes are the client secrets of a Connect application (workos.com/docs/reference/workos-connect/applications/client-secrets). A secret is
// deleted by its own id alone.
func (p *IdP) workOSRoutes(mux *http.ServeMux) {
	const secrets = PathWorkOS + "/connect/applications/{id}/client_secrets"
	mux.HandleFunc("POST "+PathWorkOS+"/oauth2/token", p.token)
	mux.HandleFunc("GET "+secrets, p.sideBySide(func(w http.ResponseWriter, _ *http.Request, c *client) {
		list := []map[string]any{}
		for _, v := range c.listed(p.now()) {
			list = append(list, v.workOSSecret())
		}
		answer(w, http.StatusOK, list)
	}))
	mux.HandleFunc("POST "+secrets, p.sideBySide(func(w http.ResponseWriter, _ *http.Request, c *client) {
		value := p.value()
		shown := c.add(p.now(), p.id(), value).workOSSecret()
		shown["secret"] = value
		answer(w, http.StatusCreated, shown)
	}))
	mux.HandleFunc("DELETE "+PathWorkOS+"/connect/client_secrets/{secret}", func(w http.ResponseWriter, r *http.Request) {
		if !p.admits(r.Header.Get("Authorization")) {
			sideError(w, http.StatusUnauthorized)
			return
		}
		for _, id := range p.clientIDs() {
			if p.Remove(id, r.PathValue("secret")) == nil {
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		sideError(w, http.StatusNotFound)
	})
}

func (v *version) workOSSecret() map[string]any {
	return map[string]any{
		"object": "connect_application_secret", "id": v.id, "secret_hint": v.tail, "last_used_at": nil, "created_at": stamp(v.start), "updated_at": stamp(v.start),
	}
}

// transmitRoutes are the secrets of a client of Transmit Security's platform (developer.transmitsecurity.com, "Rotate client secrets"): two at
// most, and never none.
func (p *IdP) transmitRoutes(mux *http.ServeMux) {
	const secrets = PathTransmit + "/cis/v1/clients/{id}/secrets"
	mux.HandleFunc("POST "+PathTransmit+"/oidc/token", p.token)
	mux.HandleFunc("GET "+secrets, p.sideBySide(func(w http.ResponseWriter, _ *http.Request, c *client) {
		list := []map[string]any{}
		for _, v := range c.listed(p.now()) {
			list = append(list, v.transmitSecret("not kept"))
		}
		answer(w, http.StatusOK, list)
	}))
	mux.HandleFunc("POST "+secrets, p.sideBySide(func(w http.ResponseWriter, _ *http.Request, c *client) {
		if len(c.present()) >= mostOfTransmit {
			sideError(w, http.StatusBadRequest)
			return
		}
		value := p.value()
		answer(w, http.StatusCreated, c.add(p.now(), p.id(), value).transmitSecret(value))
	}))
	mux.HandleFunc("DELETE "+secrets+"/{secret}", p.sideBySide(func(w http.ResponseWriter, r *http.Request, c *client) {
		present := c.present()
		i := slices.IndexFunc(present, func(v *version) bool { return v.id == r.PathValue("secret") })
		switch {
		case i < 0:
			sideError(w, http.StatusNotFound)
		case len(present) == 1:
			sideError(w, http.StatusBadRequest)
		default:
			present[i].remove(p.now())
			w.WriteHeader(http.StatusNoContent)
		}
	}))
}

func (v *version) transmitSecret(value string) map[string]any {
	return map[string]any{"id": v.id, "client_secret": value, "created_at": stamp(v.start)}
}

func sideError(w http.ResponseWriter, status int) {
	answer(w, status, map[string]any{"message": http.StatusText(status), "error_code": status})
}

// sideBySide checks the bearer token, finds the client and locks it for one call.
func (p *IdP) sideBySide(do func(http.ResponseWriter, *http.Request, *client)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.admits(r.Header.Get("Authorization")) {
			sideError(w, http.StatusUnauthorized)
			return
		}
		c, err := p.client(r.PathValue("id"))
		if err != nil {
			sideError(w, http.StatusNotFound)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		do(w, r, c)
	}
}
