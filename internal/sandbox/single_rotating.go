package sandbox

import (
	"net/http"
	"time"
)

// PathBroker is the url of a provider of VMware's identity broker.
const PathBroker = "/vcenter"

// mostReplaced is how many replaced secrets Hydra keeps, newest first.
const mostReplaced = 5

// replace sets the secret and lets the one before live until then.
func (s *Single) replace(c *singleClient, value string, until time.Time) string {
	if c.secret != "" {
		c.replaced = append([]replacedSecret{{c.secret, until}}, s.living(c)...)
	}
	return s.set(c, value)
}

// hydraRotateRoutes are the requests of newer Hydras that replace a secret and keep the old ones, and that delete all of those (rotateOAuth2ClientSecret
// and deleteRotatedOAuth2ClientSecrets in spec/api.json). The other ones are those of hydraRoutes.
func (s *Single) hydraRotateRoutes(mux *http.ServeMux) {
	anybody := func(*http.Request) bool { return true }
	fail := func(w http.ResponseWriter, status int) {
		answer(w, status, map[string]string{"error": "Unable to locate the resource", "error_description": ""})
	}
	const rotate = PathHydra + "/admin/clients/{id}/secrets/rotate"
	mux.HandleFunc("POST "+rotate, s.with(anybody, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) {
		fresh := s.replace(c, "", time.Time{})
		c.replaced = c.replaced[:min(len(c.replaced), mostReplaced)]
		answer(w, http.StatusOK, map[string]any{"client_id": c.id, "client_secret": fresh, "client_secret_expires_at": 0})
	}))
	mux.HandleFunc("DELETE "+rotate, s.with(anybody, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) {
		c.replaced = nil
		answer(w, http.StatusOK, map[string]any{"client_id": c.id, "client_secret_expires_at": 0})
	}))
}

// brokerRoutes are OAuth 2.0 clients of VMware's identity broker, whose secret is replaced by a rotation that begins, and ends by a timer
// or by a request (developer.broadcom.com/xapis/vmware-identity-broker).
func (s *Single) brokerRoutes(mux *http.ServeMux) {
	fail := func(w http.ResponseWriter, status int) { answer(w, status, map[string]any{"errors": []any{}}) }
	const one = PathBroker + "/acs/t/{tenant}/broker/oauth2-clients/{id}"
	mux.HandleFunc("GET "+one, s.with(s.bearer, fail, func(w http.ResponseWriter, _ *http.Request, c *singleClient) {
		shown := map[string]any{"client_id": c.id, "rotate_secret": false, "primary_secret_auto_retires_at": 0}
		if old := s.living(c); len(old) > 0 {
			shown["rotate_secret"], shown["primary_secret_auto_retires_at"] = true, old[0].until.Unix()
		}
		answer(w, http.StatusOK, shown)
	}))
	mux.HandleFunc("POST "+one, s.with(s.bearer, fail, s.brokerRotate))
	mux.HandleFunc("POST "+PathBroker+"/acs/t/{tenant}/token", s.login)
}

func (s *Single) brokerRotate(w http.ResponseWriter, r *http.Request, c *singleClient) {
	const mediaType, shortest, longest = "application/vnd.vmware.horizon.manager.accesscontrol.broker.oauth2client.secret.rotation+json", 0, 10080
	body := struct {
		Secret  string `json:"secondary_secret"`
		Minutes int    `json:"primary_secret_auto_retire_duration"`
	}{Minutes: 1440}
	switch action := r.URL.Query().Get("action"); {
	case action == "retire-primary-secret" && len(s.living(c)) > 0:
		c.replaced = nil
	case r.Header.Get("Content-Type") != mediaType:
		answer(w, http.StatusUnsupportedMediaType, map[string]any{"errors": []any{}})
		return
	case action != "start-rotate-secret", !decode(w, r, &body), body.Secret == "", body.Minutes < shortest, body.Minutes > longest, len(s.living(c)) > 0:
		answer(w, http.StatusBadRequest, map[string]any{"errors": []any{}})
		return
	default:
		s.replace(c, body.Secret, s.now().Add(time.Duration(body.Minutes)*time.Minute))
	}
	answer(w, http.StatusOK, map[string]any{})
}
