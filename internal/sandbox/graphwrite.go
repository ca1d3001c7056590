package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// addRequest is the body of addPassword.
type addRequest struct {
	PasswordCredential struct {
		DisplayName   string     `json:"displayName"`
		StartDateTime *time.Time `json:"startDateTime"`
		EndDateTime   *time.Time `json:"endDateTime"`
	} `json:"passwordCredential"`
}

func (p *IdP) graphAdd(w http.ResponseWriter, r *http.Request, c *client) {
	var body addRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&body); err != nil {
		p.graphError(w, http.StatusBadRequest, "Request_BadRequest", "The body cannot be read.")
		return
	}
	if limit := p.passwordLimit(c); len(c.present()) >= limit {
		p.graphError(w, http.StatusBadRequest, "TooManyAppPasswords", fmt.Sprintf(
			"Not allowed to add %d passwords. You can only add a maximum of %d passwords.", limit+1, limit))
		return
	}
	now, value, g := p.now(), p.value(), p.settings.Graph
	start := now
	if at := body.PasswordCredential.StartDateTime; at != nil {
		start = *at
	}
	end := start.Add(g.TTL)
	if at := body.PasswordCredential.EndDateTime; at != nil {
		end = *at
	}
	if !end.After(now) {
		p.graphError(w, http.StatusBadRequest, "Request_BadRequest", "The end lies in the past.")
		return
	}
	v := c.add(start, p.id(), value)
	v.visible, v.usable = now.Add(g.ListLag), now.Add(g.Propagation)
	if start.After(v.usable) {
		v.usable = start
	}
	v.expires, v.label = end, body.PasswordCredential.DisplayName
	answer(w, http.StatusOK, v.password(value))
}

func (p *IdP) passwordLimit(c *client) int {
	if strings.Contains(c.audience(), "PersonalMicrosoftAccount") {
		return p.settings.Graph.Personal
	}
	return p.settings.Graph.Limit
}

func (p *IdP) graphRemove(w http.ResponseWriter, r *http.Request, c *client) {
	var body struct {
		KeyID string `json:"keyId"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&body); err != nil || body.KeyID == "" {
		p.graphError(w, http.StatusBadRequest, "Request_BadRequest", "keyId is missing.")
		return
	}
	present := c.present()
	i := slices.IndexFunc(present, func(v *version) bool { return v.id == body.KeyID })
	if i < 0 {
		p.graphError(w, http.StatusBadRequest, "Request_BadRequest", "No password credential found with this keyId.")
		return
	}
	present[i].remove(p.now().Add(p.settings.Graph.Propagation))
	w.WriteHeader(http.StatusNoContent)
}
