package sandbox

import (
	"net/http"
	"time"
)

// Telicent are the settings of the dialect that keeps a current and a previous secret.
type Telicent struct {
	TTL            time.Duration // life of a secret; 0 = 365 days
	Grace          time.Duration // life of the previous secret after a rotation; 0 = 7 days
	RequiredBefore time.Duration // rotationRequired is signalled so long before the expiry; 0 = 28 days
	Flat           bool          // the second way to write the answers: flat, snake case, without the previous start
	AnyScheme      bool          // accept token requests without X-Forwarded-Proto: https
}

func (t Telicent) withDefaults() Telicent {
	if t.TTL == 0 {
		t.TTL = 365 * day
	}
	if t.Grace == 0 {
		t.Grace = 7 * day
	}
	if t.RequiredBefore == 0 {
		t.RequiredBefore = 28 * day
	}
	return t
}

func (p *IdP) telicentRoutes(mux *http.ServeMux) {
	const secret = PathTelicent + "/clients/{id}/secret"
	mux.HandleFunc("POST "+PathTelicent+"/oauth2/token", p.behindProxy(p.token))
	mux.HandleFunc("POST "+PathTelicent+"/oauth2/introspect", p.behindProxy(p.introspect))
	mux.HandleFunc("GET "+secret, p.telicentAdmin(p.telicentStatus))
	mux.HandleFunc("POST "+secret, p.telicentAdmin(p.telicentIssue))
	mux.HandleFunc("POST "+secret+"/rotate", p.telicentAdmin(p.telicentRotate))
	mux.HandleFunc("DELETE "+secret, p.telicentAdmin(p.telicentDelete))
}

// behindProxy refuses OAuth requests that do not say that they came by https, as Spring Authorization Server does on
// plain HTTP.
func (p *IdP) behindProxy(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.settings.Telicent.AnyScheme && r.TLS == nil && r.Header.Get("X-Forwarded-Proto") != "https" {
			refuse(w, http.StatusBadRequest, "invalid_request", "https is required")
			return
		}
		next(w, r)
	}
}

// telicentAdmin checks the bearer token, finds the client and locks it for one call.
func (p *IdP) telicentAdmin(do func(http.ResponseWriter, *http.Request, *client)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.admits(r.Header.Get("Authorization")) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			telicentError(w, http.StatusUnauthorized, "unauthorized")
			return
		}
		c, err := p.client(r.PathValue("id"))
		if err != nil {
			telicentError(w, http.StatusNotFound, "client not found")
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		do(w, r, c)
	}
}

func telicentError(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"status": status, "error": http.StatusText(status), "message": message})
}

// slots returns what the dialect calls current and previous. A previous secret that has died is no longer shown.
func (c *client) slots(now time.Time) (current, previous *version) {
	for _, v := range c.present() {
		end := v.dies
		if !end.IsZero() && !now.Before(end) {
			continue
		}
		if end.IsZero() {
			current = v
			continue
		}
		previous = v
	}
	return current, previous
}

func (p *IdP) telicentStatus(w http.ResponseWriter, _ *http.Request, c *client) {
	now := p.now()
	current, previous := c.slots(now)
	lead := p.settings.Telicent.RequiredBefore
	required := current != nil && !current.expires.IsZero() && !now.Before(current.expires.Add(-lead))
	if p.settings.Telicent.Flat {
		answer(w, http.StatusOK, flatStatus(c, current, previous, required))
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"clientId": c.ClientID, "current": slotOf(current), "previous": slotOf(previous), "rotationRequired": required,
	})
}

func flatStatus(c *client, current, previous *version, required bool) map[string]any {
	body := map[string]any{
		"client_id": c.ClientID, "has_secret": current != nil, "has_previous_secret": previous != nil,
		"rotation_required": required,
	}
	if current != nil {
		body["secret_created_at"], body["secret_expires_at"] = stamp(current.start), stamp(current.until())
	}
	if previous != nil {
		body["previous_secret_expires_at"] = stamp(previous.until())
	}
	return body
}

func slotOf(v *version) any {
	if v == nil {
		return nil
	}
	return map[string]any{"createdAt": stamp(v.start), "expiresAt": stamp(v.until())}
}

func (p *IdP) telicentIssue(w http.ResponseWriter, _ *http.Request, c *client) {
	if current, _ := c.slots(p.now()); current != nil {
		telicentError(w, http.StatusConflict, "the client has a secret: rotate it")
		return
	}
	p.telicentNew(w, http.StatusCreated, c, nil)
}

// telicentRotate makes the current secret the previous one for the grace window. A previous one that still counts down
// is dropped at once: there is only one such slot.
func (p *IdP) telicentRotate(w http.ResponseWriter, _ *http.Request, c *client) {
	now := p.now()
	current, previous := c.slots(now)
	if current == nil {
		telicentError(w, http.StatusConflict, "the client has no secret: issue one")
		return
	}
	if previous != nil {
		previous.remove(now)
	}
	current.end(now.Add(p.settings.Telicent.Grace))
	p.telicentNew(w, http.StatusOK, c, current)
}

func (p *IdP) telicentNew(w http.ResponseWriter, status int, c *client, previous *version) {
	now, value := p.now(), p.value()
	v := c.add(now, p.id(), value)
	v.expires = now.Add(p.settings.Telicent.TTL)
	body := map[string]any{
		"clientId": c.ClientID, "secret": value, "createdAt": stamp(v.start), "expiresAt": stamp(v.expires),
	}
	if p.settings.Telicent.Flat {
		body = map[string]any{
			"client_id": c.ClientID, "client_secret": value, "created_at": v.start.Unix(), "expires_at": v.expires.Unix(),
		}
	}
	if previous != nil && p.settings.Telicent.Flat {
		body["previous_secret_expires_at"] = previous.until().Unix()
	} else if previous != nil {
		body["previousExpiresAt"] = stamp(previous.until())
	}
	answer(w, status, body)
}

func (p *IdP) telicentDelete(w http.ResponseWriter, r *http.Request, c *client) {
	current, previous := c.slots(p.now())
	slot, known := map[string]*version{"current": current, "previous": previous}[r.URL.Query().Get("target")]
	switch {
	case !known:
		telicentError(w, http.StatusBadRequest, "target must be current or previous")
	case slot == nil:
		telicentError(w, http.StatusNotFound, "the slot is empty")
	default:
		slot.remove(p.now())
		w.WriteHeader(http.StatusNoContent)
	}
}
