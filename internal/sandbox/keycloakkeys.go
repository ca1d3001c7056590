package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// KeycloakKeys is a stand-in for a realm of Keycloak whose clients log in with a signed JWT and keep their keys in the attribute jwks.string, made
// like the real one: an update without a secret leaves that as it is, and a change has no body. It is safe for concurrent use.
type KeycloakKeys struct {
	now        func() time.Time
	id, secret string // of rotad's own client
	issuer     func() string
	token      string

	mu      sync.Mutex
	clients map[string]map[string]any // by clientId, as they are shown
	proofs  map[string]bool
	made    map[string]int
}

// NewKeycloakKeys returns a realm named sandbox without clients. now is its clock, id and secret are those of rotad's own client, and issuer is
// what proofs have to be made for.
func NewKeycloakKeys(now func() time.Time, id, secret string, issuer func() string) *KeycloakKeys {
	return &KeycloakKeys{
		now: now, id: id, secret: secret, issuer: issuer, token: rand.Text(), clients: map[string]map[string]any{}, proofs: map[string]bool{}, made: map[string]int{},
	}
}

// Register adds a client with an authenticator and attributes. ErrDuplicate: its id is taken.
func (k *KeycloakKeys) Register(id, authenticator string, attributes map[string]any) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.clients[id] != nil {
		return fmt.Errorf("registering %q: %w", id, ErrDuplicate)
	}
	k.clients[id] = map[string]any{ //nolint:gosec // no secret of anybody
		"id": "uuid-of-" + id, "clientId": id, "name": `A <b> & "c"`, "enabled": true, "clientAuthenticatorType": authenticator, "secret": "kept-by-keycloak",
		"redirectUris": []any{"https://example.com/callback"}, "nodeReRegistrationTimeout": json.Number("-1"), "attributes": attributes,
	}
	return nil
}

// Shown returns a member of a client as the server keeps it.
func (k *KeycloakKeys) Shown(id, member string) any {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clients[id][member]
}

// Made returns how many keys were added to a client's set since it was registered.
func (k *KeycloakKeys) Made(id string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.made[id]
}

// set returns the keys of a client.
func (k *KeycloakKeys) set(id string) []jwk {
	attributes, _ := k.clients[id]["attributes"].(map[string]any)
	text, _ := attributes["jwks.string"].(string)
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if attributes["use.jwks.string"] != "true" || json.Unmarshal([]byte(text), &set) != nil {
		return nil
	}
	return set.Keys
}

// Handler serves the realm.
func (k *KeycloakKeys) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/realms/sandbox/clients", k.admitted(k.list))
	mux.HandleFunc("PUT /admin/realms/sandbox/clients/{uuid}", k.admitted(k.update))
	mux.HandleFunc("/admin/", k.admitted(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, keycloakError("Realm not found."))
	}))
	mux.HandleFunc("POST /realms/sandbox/protocol/openid-connect/token", k.login)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", k.now().UTC().Format(http.TimeFormat))
		k.mu.Lock()
		defer k.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func (k *KeycloakKeys) admitted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+k.token {
			answer(w, http.StatusUnauthorized, keycloakError("HTTP 401 Unauthorized"))
			return
		}
		next(w, r)
	}
}

func (k *KeycloakKeys) list(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	if c := k.clients[r.URL.Query().Get("clientId")]; c != nil {
		list = append(list, c)
	}
	answer(w, http.StatusOK, list)
}

func (k *KeycloakKeys) update(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.PathValue("uuid"), "uuid-of-")
	old := k.clients[id]
	var sent map[string]any
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm))
	d.UseNumber()
	switch {
	case old == nil:
		answer(w, http.StatusNotFound, keycloakError("Could not find client"))
		return
	case d.Decode(&sent) != nil || sent["clientId"] != id:
		answer(w, http.StatusBadRequest, keycloakError("unable to read contents from stream"))
		return
	}
	if _, shown := sent["secret"]; !shown {
		sent["secret"] = old["secret"]
	}
	before := k.set(id)
	k.clients[id] = sent
	for _, key := range k.set(id) {
		if !slices.ContainsFunc(before, func(o jwk) bool { return o.ID == key.ID }) {
			k.made[id]++
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// login is the token endpoint: rotad's own client shows a secret, all others sign.
func (k *KeycloakKeys) login(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := "", "", "", ""
	if r.Body = http.MaxBytesReader(w, r.Body, maxForm); r.Header.Get("Authorization") != "" {
		id, secret, _, problem = credentials(w, r)
	} else if r.ParseForm() != nil {
		problem = "the form cannot be read"
	}
	switch {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case id == k.id && secret == k.secret:
		answer(w, http.StatusOK, tokenReply{AccessToken: k.token, TokenType: "Bearer", ExpiresIn: 300})
	case !k.proved(r):
		refuse(w, http.StatusUnauthorized, "invalid_client", "Client authentication with signed JWT failed")
	default:
		answer(w, http.StatusOK, tokenReply{AccessToken: rand.Text(), TokenType: "Bearer", ExpiresIn: 300})
	}
}

// proved says whether a request is signed with a key of its client's set.
func (k *KeycloakKeys) proved(r *http.Request) bool {
	p, ok := readProof(r)
	said := p.claims
	if !ok || k.clients[said.Sub] == nil || said.Iss != said.Sub || k.proofs[said.Jti] || said.Exp <= k.now().Unix() || !strings.Contains(string(said.Aud), `"`+k.issuer()+`"`) {
		return false
	}
	set := k.set(said.Sub)
	i := slices.IndexFunc(set, func(key jwk) bool { return key.ID == p.head.ID })
	if i < 0 || !set[i].verifies(p.head.Alg, p.text, p.signature) {
		return false
	}
	k.proofs[said.Jti] = true
	return true
}
