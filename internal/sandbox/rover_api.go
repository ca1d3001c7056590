package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Paths of a control plane below the address that its Handler is served at.
const (
	PathRover      = "/rover/api"
	PathRoverToken = "/auth/realms/default/protocol/openid-connect/token" //nolint:gosec // a path, no credential
)

// Handler serves the team API and the token endpoint of the zone, which is a Keycloak.
func (r *Rover) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathRoverToken, r.token)
	mux.HandleFunc("POST "+PathRoverToken+"/introspect", r.introspect)
	mux.HandleFunc("PATCH "+PathRover+"/rovers/{id}/secret", r.admitted(r.rotate))
	mux.HandleFunc("GET "+PathRover+"/rovers/{id}/info", r.admitted(r.info))
	if !r.settings.NoStatus {
		mux.HandleFunc("GET "+PathRover+"/rovers/{id}/secret/status", r.admitted(r.status))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { problem(w, http.StatusNotFound, "NotFound", "Not Found") })
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		w.Header().Set("Date", r.now().UTC().Format(http.TimeFormat))
		mux.ServeHTTP(w, req)
	})
}

// problem writes an error as RFC 9457 has it.
func problem(w http.ResponseWriter, status int, kind, title string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the peer is gone: nobody is left to be told
		"type": kind, "title": title, "status": status, "detail": title, "instance": "sandbox",
	})
}

// admitted checks the team's token, finds the application and brings it up to date.
func (r *Rover) admitted(do func(http.ResponseWriter, *http.Request, *roverApp)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
		ends, ok := r.tokens[sha256.Sum256([]byte(token))]
		if !ok || !r.now().Before(ends) {
			problem(w, http.StatusUnauthorized, "Unauthorized", "Invalid token")
			return
		}
		a := r.apps[req.PathValue("id")]
		if a == nil {
			problem(w, http.StatusNotFound, "NotFound", "Rover not found")
			return
		}
		r.reconcile(a)
		do(w, req, a)
	}
}

// rotate notes the wish and answers before anything has happened. A wish that the controller has not seen yet is the
// same as the next one; while it works, another one is refused.
func (r *Rover) rotate(w http.ResponseWriter, _ *http.Request, a *roverApp) {
	switch r.state(a) {
	case working:
		problem(w, http.StatusConflict, "Conflict", "Secret rotation already in progress")
		return
	case settled:
		a.asked = r.now()
	case unseen:
	}
	answer(w, http.StatusAccepted, map[string]any{
		"clientId": a.id, "message": "Secret rotation initiated. Use the status link to track convergence.",
		"_links": map[string]string{"status": "/rovers/" + a.id + "/secret/status"},
	})
}

func (r *Rover) status(w http.ResponseWriter, _ *http.Request, a *roverApp) {
	if r.state(a) == working {
		answer(w, http.StatusOK, map[string]any{
			"clientId": "", "processingState": "processing", "overallStatus": "processing",
		})
		return
	}
	body := map[string]any{"clientId": a.id, "processingState": "done", "overallStatus": "complete"}
	r.dates(body, a)
	current, rotated := "clientSecret", "rotatedClientSecret"
	if r.settings.OldNames {
		current, rotated = "currentSecretValue", "rotatedSecretValue"
	}
	if !r.settings.Hidden {
		body[current] = a.secret
		if a.rotated != "" {
			body[rotated] = a.rotated
		}
	}
	answer(w, http.StatusOK, body)
}

func (r *Rover) dates(body map[string]any, a *roverApp) {
	for name, at := range map[string]time.Time{"currentExpiresAt": a.expires, "rotatedExpiresAt": a.rotatedExpires} {
		if !at.IsZero() || r.settings.ZeroTimes {
			body[name] = at.UTC().Format(time.RFC3339)
		}
	}
}

func (r *Rover) info(w http.ResponseWriter, req *http.Request, a *roverApp) {
	endpoint := r.settings.TokenURL
	if endpoint == "" {
		endpoint = "http://" + req.Host + PathRoverToken
	}
	answer(w, http.StatusOK, map[string]any{
		"environment": "sandbox", "hub": r.settings.Group, "team": r.settings.Team,
		"applications": []any{map[string]any{
			"name": a.Name, "irisClientId": a.id, "irisClientSecret": a.secret,
			"irisIssuerUrl":        strings.TrimSuffix(endpoint, "/protocol/openid-connect/token"),
			"irisTokenEndpointUrl": endpoint,
		}},
	})
}

// token is the token endpoint of the zone. A wrong secret is answered as Keycloak does.
func (r *Rover) token(w http.ResponseWriter, req *http.Request) {
	id, secret, _, wrong := credentials(w, req)
	if wrong != "" {
		refuse(w, http.StatusBadRequest, "invalid_request", wrong)
		return
	}
	a := r.apps[id]
	team := id == r.settings.Group+"--"+r.settings.Team && r.settings.TeamSecret != ""
	if a != nil {
		r.reconcile(a)
	}
	switch {
	case !team && a == nil:
		refuse(w, http.StatusUnauthorized, "invalid_client", badCredentials)
	case team && secret != r.settings.TeamSecret, !team && !a.accepts(r.now(), secret):
		refuse(w, http.StatusUnauthorized, "unauthorized_client", badCredentials)
	case req.PostForm.Get("grant_type") == "authorization_code":
		refuse(w, http.StatusBadRequest, "invalid_grant", "Code not valid")
	default:
		token := ""
		if team {
			token = r.grant()
		} else {
			token = r.value()
		}
		answer(w, http.StatusOK, tokenReply{AccessToken: token, TokenType: "Bearer", ExpiresIn: int(r.settings.TokenLife.Seconds())})
	}
}

// introspect answers a wrong secret with a code of its own, as Keycloak does.
func (r *Rover) introspect(w http.ResponseWriter, req *http.Request) {
	id, secret, _, wrong := credentials(w, req)
	if wrong != "" {
		refuse(w, http.StatusBadRequest, "invalid_request", wrong)
		return
	}
	a := r.apps[id]
	if a != nil {
		r.reconcile(a)
	}
	if a == nil || !a.accepts(r.now(), secret) {
		refuse(w, http.StatusUnauthorized, "invalid_request", "Authentication failed.")
		return
	}
	answer(w, http.StatusOK, map[string]bool{"active": false})
}
