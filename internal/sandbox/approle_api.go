package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// routes are the endpoints, with the answers of the real server, odd ones included.
func (a *AppRole) routes(mux *http.ServeMux, base string) {
	role := base + "/role/{role}"
	mux.HandleFunc("POST "+base+"/login", a.login)
	mux.HandleFunc("POST /v1/auth/token/revoke-self", a.admitted(func(w http.ResponseWriter, r *http.Request, _ vaultBody) {
		delete(a.tokens, sha256.Sum256([]byte(r.Header.Get("X-Vault-Token"))))
		w.WriteHeader(http.StatusNoContent)
	}))
	mux.HandleFunc("GET "+role, a.admitted(a.readRole))
	mux.HandleFunc("GET "+role+"/role-id", a.admitted(a.readRoleID))
	mux.HandleFunc("LIST "+role+"/secret-id", a.admitted(a.listSecrets))
	mux.HandleFunc("POST "+role+"/secret-id", a.admitted(func(w http.ResponseWriter, r *http.Request, b vaultBody) {
		a.create(w, r, b, a.uuid())
	}))
	mux.HandleFunc("POST "+role+"/custom-secret-id", a.admitted(func(w http.ResponseWriter, r *http.Request, b vaultBody) {
		a.create(w, r, b, b.SecretID)
	}))
	mux.HandleFunc("POST "+role+"/secret-id/lookup", a.admitted(a.lookup))
	mux.HandleFunc("POST "+role+"/secret-id-accessor/lookup", a.admitted(a.lookupAccessor))
	mux.HandleFunc("POST "+role+"/secret-id-accessor/destroy", a.admitted(a.destroy))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		vaultErrors(w, http.StatusNotFound, fmt.Sprintf("no handler for route %q. route entry not found.",
			strings.TrimPrefix(r.URL.Path, "/v1/")))
	})
}

// vaultBody holds every parameter that the endpoints take.
type vaultBody struct {
	RoleID   string `json:"role_id"`
	SecretID string `json:"secret_id"`
	Accessor string `json:"secret_id_accessor"`
	Metadata string `json:"metadata"`
	TTL      any    `json:"ttl"`
	NumUses  *int   `json:"num_uses"`
}

func vaultErrors(w http.ResponseWriter, status int, texts ...string) {
	if texts == nil {
		texts = []string{}
	}
	answer(w, status, map[string]any{"errors": texts})
}

func (a *AppRole) data(w http.ResponseWriter, data map[string]any) {
	answer(w, http.StatusOK, map[string]any{"request_id": a.uuid(), "data": data, "warnings": nil, "auth": nil})
}

// admitted lets requests with an admitted token through.
func (a *AppRole) admitted(next func(http.ResponseWriter, *http.Request, vaultBody)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("X-Vault-Token")
		if token == "" || (token != a.settings.Token && !a.tokens[sha256.Sum256([]byte(token))]) {
			vaultErrors(w, http.StatusForbidden, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
			return
		}
		var b vaultBody
		if r.Method == http.MethodPost && r.ContentLength != 0 {
			if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&b); err != nil {
				vaultErrors(w, http.StatusBadRequest, "failed to parse JSON input")
				return
			}
		}
		next(w, r, b)
	}
}

func (a *AppRole) readRole(w http.ResponseWriter, r *http.Request, _ vaultBody) {
	role := a.roles[r.PathValue("role")]
	if role == nil {
		vaultErrors(w, http.StatusNotFound)
		return
	}
	a.data(w, map[string]any{
		"bind_secret_id": !role.Unbound, "secret_id_num_uses": role.NumUses,
		"secret_id_ttl": int(role.SecretIDTTL.Seconds()), "secret_id_bound_cidrs": nil,
	})
}

func (a *AppRole) readRoleID(w http.ResponseWriter, r *http.Request, _ vaultBody) {
	role := a.roles[r.PathValue("role")]
	if role == nil {
		vaultErrors(w, http.StatusNotFound)
		return
	}
	a.data(w, map[string]any{"role_id": role.roleID})
}

func (a *AppRole) listSecrets(w http.ResponseWriter, r *http.Request, _ vaultBody) {
	role := a.roles[r.PathValue("role")]
	switch {
	case role == nil:
		vaultErrors(w, http.StatusBadRequest, fmt.Sprintf("role %q does not exist", r.PathValue("role")))
	case len(role.order) == 0:
		vaultErrors(w, http.StatusNotFound)
	default:
		keys := make([]string, 0, len(role.order))
		for _, s := range role.order {
			keys = append(keys, s.accessor)
		}
		a.data(w, map[string]any{"keys": keys})
	}
}

func (a *AppRole) create(w http.ResponseWriter, r *http.Request, b vaultBody, value string) {
	role := a.roles[r.PathValue("role")]
	if role == nil {
		vaultErrors(w, http.StatusNotFound, fmt.Sprintf("role %q does not exist", r.PathValue("role")))
		return
	}
	ttl, problem := role.life(b)
	if problem != "" {
		vaultErrors(w, http.StatusBadRequest, problem)
		return
	}
	metadata := map[string]string{}
	if b.Metadata != "" && json.Unmarshal([]byte(b.Metadata), &metadata) != nil {
		vaultErrors(w, http.StatusBadRequest, "failed to parse metadata")
		return
	}
	s := a.add(role, value, ttl, metadata)
	if s == nil {
		vaultErrors(w, http.StatusInternalServerError,
			"1 error occurred:\n\t* failed to store secret_id: SecretID is already registered\n\n")
		return
	}
	a.data(w, map[string]any{
		"secret_id": value, "secret_id_accessor": s.accessor, "secret_id_ttl": int(s.ttl.Seconds()),
		"secret_id_num_uses": role.NumUses,
	})
}

// life returns the life that a SecretID gets, or why it is refused.
func (r *appRole) life(b vaultBody) (ttl time.Duration, problem string) {
	if b.NumUses != nil && *b.NumUses == 0 && r.NumUses > 0 {
		return 0, "num_uses cannot be higher than the role's secret_id_num_uses"
	}
	switch v := b.TTL.(type) {
	case nil:
		return r.SecretIDTTL, ""
	case float64:
		ttl = time.Duration(v) * time.Second
	case string:
		seconds, err := strconv.Atoi(strings.TrimSuffix(v, "s"))
		if err != nil {
			return 0, "error converting input for field \"ttl\""
		}
		ttl = time.Duration(seconds) * time.Second
	}
	if r.SecretIDTTL > 0 && (ttl == 0 || ttl > r.SecretIDTTL) {
		return 0, "ttl cannot be longer than the role's secret_id_ttl"
	}
	return ttl, ""
}

func (s *secretID) show() map[string]any {
	expires := "0001-01-01T00:00:00Z"
	if !s.expires.IsZero() {
		expires = s.expires.UTC().Format(time.RFC3339Nano)
	}
	return map[string]any{
		"secret_id_accessor": s.accessor, "creation_time": s.created.UTC().Format(time.RFC3339Nano),
		"expiration_time": expires, "metadata": s.metadata, "secret_id_ttl": int(s.ttl.Seconds()),
		"secret_id_num_uses": 0, "cidr_list": []string{},
	}
}

func (a *AppRole) lookup(w http.ResponseWriter, r *http.Request, b vaultBody) {
	role := a.roles[r.PathValue("role")]
	if role == nil {
		vaultErrors(w, http.StatusInternalServerError, "1 error occurred:\n\t* role does not exist\n\n")
		return
	}
	if s := role.secrets[sha256.Sum256([]byte(b.SecretID))]; s != nil {
		a.data(w, s.show())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// byAccessor finds a SecretID of the role that a request names; both are nil where there is none.
func (a *AppRole) byAccessor(r *http.Request, accessor string) (*appRole, *secretID) {
	role := a.roles[r.PathValue("role")]
	if role == nil {
		return nil, nil
	}
	for _, s := range role.order {
		if s.accessor == accessor {
			return role, s
		}
	}
	return nil, nil
}

func (a *AppRole) lookupAccessor(w http.ResponseWriter, r *http.Request, b vaultBody) {
	if _, s := a.byAccessor(r, b.Accessor); s != nil {
		a.data(w, s.show())
		return
	}
	answer(w, http.StatusNotFound, map[string]any{
		"request_id": a.uuid(),
		"data":       map[string]string{"error": "failed to find accessor entry for secret_id_accessor"},
	})
}

func (a *AppRole) destroy(w http.ResponseWriter, r *http.Request, b vaultBody) {
	role, s := a.byAccessor(r, b.Accessor)
	if s == nil {
		vaultErrors(w, http.StatusInternalServerError,
			"1 error occurred:\n\t* failed to find accessor entry for secret_id_accessor\n\n")
		return
	}
	delete(role.secrets, s.verifier)
	role.order = slices.DeleteFunc(role.order, func(o *secretID) bool { return o == s })
	w.WriteHeader(http.StatusNoContent)
}

// login answers a wrong role and a wrong SecretID alike.
func (a *AppRole) login(w http.ResponseWriter, r *http.Request) {
	var b vaultBody
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&b); err != nil {
		vaultErrors(w, http.StatusBadRequest, "failed to parse JSON input")
		return
	}
	for _, role := range a.roles {
		if role.roleID == b.RoleID && a.admits(role, strings.TrimSpace(b.SecretID)) {
			token := told(a.settings.Made, a.uuid())
			if role.admin {
				a.tokens[sha256.Sum256([]byte(token))] = true
			}
			answer(w, http.StatusOK, map[string]any{
				"request_id": a.uuid(), "data": nil,
				"auth": map[string]any{"client_token": token, "lease_duration": 300, "renewable": true},
			})
			return
		}
	}
	vaultErrors(w, http.StatusBadRequest, "invalid role or secret ID")
}
