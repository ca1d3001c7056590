package sandbox

import "net/http"

// PathStytch is the url of a provider that speaks the dialect of Stytch's API for machine-to-machine clients.
const PathStytch = "/stytch"

// stytchRoutes are the endpoints for the secret of a client and the one that waits to take its place
// (https://stytch.com/docs/api/get-m2m-client and the pages on the rotation of secrets).
func (p *IdP) stytchRoutes(mux *http.ServeMux) {
	const one = PathStytch + "/v1/m2m/clients/{id}"
	mux.HandleFunc("POST "+PathStytch+"/v1/public/{project}/oauth2/token", p.token)
	mux.HandleFunc("GET "+one, p.stytchAdmin(func(w http.ResponseWriter, _ *http.Request, c *client) { c.stytchShow(w, "") }))
	mux.HandleFunc("POST "+one+"/secrets/rotate/start", p.stytchAdmin(p.stytchStart))
	mux.HandleFunc("POST "+one+"/secrets/rotate/cancel", p.stytchAdmin(p.stytchCancel))
	mux.HandleFunc("POST "+one+"/secrets/rotate", p.stytchAdmin(p.stytchRotate))
}

func stytchError(w http.ResponseWriter, status int, kind string) {
	answer(w, status, map[string]any{"status_code": status, "request_id": "sandbox", "error_type": kind, "error_message": kind})
}

// stytchAdmin checks project and secret (HTTP Basic), finds the client and locks it for one call.
func (p *IdP) stytchAdmin(do func(http.ResponseWriter, *http.Request, *client)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, secret, ok := r.BasicAuth()
		if !ok || !p.admits("Bearer "+secret) {
			stytchError(w, http.StatusUnauthorized, "unauthorized_credentials")
			return
		}
		c, err := p.client(r.PathValue("id"))
		if err != nil {
			stytchError(w, http.StatusNotFound, "m2m_client_not_found")
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		do(w, r, c)
	}
}

// stytchPair returns the secret of a client and the one that waits; nil = there is none.
func (c *client) stytchPair() (first, next *version) {
	list := c.present()
	if len(list) > 0 {
		first = list[0]
	}
	if len(list) > 1 {
		next = list[1]
	}
	return first, next
}

// stytchShow shows a client. Fresh is the value of a secret that was made just now: nothing shows it again.
func (c *client) stytchShow(w http.ResponseWriter, fresh string) {
	shown := map[string]any{
		"client_id": c.ClientID, "client_name": c.Name, "status": "active", "scopes": []string{},
		"client_secret_last_four": nil, "next_client_secret_last_four": nil,
	}
	if c.Disabled {
		shown["status"] = "inactive"
	}
	first, next := c.stytchPair()
	if first != nil {
		shown["client_secret_last_four"] = first.tail
	}
	if next != nil {
		shown["next_client_secret_last_four"] = next.tail
	}
	if fresh != "" {
		shown["next_client_secret"] = fresh
	}
	answer(w, http.StatusOK, map[string]any{"status_code": http.StatusOK, "request_id": "sandbox", "m2m_client": shown})
}

// stytchStart makes the next secret. What becomes of one that waits already is not documented; here it is lost, which is the worst
// that can be.
func (p *IdP) stytchStart(w http.ResponseWriter, _ *http.Request, c *client) {
	now, value := p.now(), p.value()
	if _, next := c.stytchPair(); next != nil {
		next.remove(now)
	}
	c.add(now, p.id(), value)
	c.stytchShow(w, value)
}

func (p *IdP) stytchCancel(w http.ResponseWriter, _ *http.Request, c *client) {
	_, next := c.stytchPair()
	if next == nil {
		stytchError(w, http.StatusBadRequest, "m2m_client_secret_rotation_not_started")
		return
	}
	next.remove(p.now())
	c.stytchShow(w, "")
}

func (p *IdP) stytchRotate(w http.ResponseWriter, _ *http.Request, c *client) {
	first, next := c.stytchPair()
	if next == nil {
		stytchError(w, http.StatusBadRequest, "m2m_client_secret_rotation_not_started")
		return
	}
	first.remove(p.now())
	c.stytchShow(w, "")
}
