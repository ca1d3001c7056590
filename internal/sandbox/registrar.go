package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// PathRegister is the registration endpoint of a Registrar.
const PathRegister = "/register"

// RegistrarSettings are what a stand-in for a server with client registration works with. The zero value keeps secrets and
// registration access tokens at an update.
type RegistrarSettings struct {
	Rotates      bool          // an update makes a new secret (go-oidc does); else it keeps the old one (oidc-provider, Hydra)
	RotatesToken bool          // an update makes a new registration access token (Keycloak, Hydra, oidc-provider if told so)
	ReadsReplace bool          // a read makes a new token as well, which RFC 7592 appendix A.1 leaves open
	ReadsResign  bool          // a read answers with another token for the same right; both are good
	RefusesValue bool          // an update that sends the secret is refused, even with the right one (Hydra)
	Hidden       bool          // reads do not show the secret
	Silent       bool          // an update does not answer with the secret
	Early        bool          // an update makes a new secret only within a tenth of its life before it ends (Keycloak with a policy)
	Life         time.Duration // of a secret; 0 = for ever
	ByQuery      bool          // registration_client_uri is /register?client_id=... in place of /register/...
	Inner        string        // the server's name of itself in registration_client_uri; empty = as it was asked
	Made         func(string)  // told of every secret and token that is made; nil = nobody
}

// Registrar is a stand-in for the client registration of an OAuth server (RFC 7591, RFC 7592) with its token endpoint. It
// keeps clear values, because such servers show them. It is safe for concurrent use.
type Registrar struct {
	now      func() time.Time
	settings RegistrarSettings

	mu      sync.Mutex
	clients map[string]*registered
}

type registered struct {
	id       string
	metadata map[string]any
	secret   string
	expires  time.Time // zero = never
	tokens   []string  // that open the registration
	made     int       // secrets
}

// NewRegistrar returns a server without clients. now is its clock.
func NewRegistrar(now func() time.Time, s RegistrarSettings) *Registrar {
	return &Registrar{now: now, settings: s, clients: map[string]*registered{}}
}

// Register adds a client with some metadata, and returns its first secret and its registration access token.
func (g *Registrar) Register(clientID string, metadata map[string]any) (secret, token string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.clients[clientID] != nil {
		return "", "", fmt.Errorf("registering %q: %w", clientID, ErrDuplicate)
	}
	c := &registered{id: clientID, metadata: maps.Clone(metadata)}
	if c.metadata == nil {
		c.metadata = map[string]any{}
	}
	g.clients[clientID] = c
	g.newSecret(c)
	return c.secret, g.newToken(c), nil
}

// Reissue is an administrator who makes a new token for a client; the ones before it are good for nothing.
func (g *Registrar) Reissue(clientID string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.newToken(g.clients[clientID])
}

// Metadata returns what a client has registered, without secret and token.
func (g *Registrar) Metadata(clientID string) map[string]any {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.clients[clientID].metadata)
}

// Made returns how many secrets have been made for a client.
func (g *Registrar) Made(clientID string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clients[clientID].made
}

// Accepts says whether a client can log in with a secret now.
func (g *Registrar) Accepts(clientID, secret string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.accepts(clientID, secret)
}

// Opens says whether a token opens a client's registration now.
func (g *Registrar) Opens(clientID, token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clients[clientID].opened(token)
}

func (g *Registrar) accepts(clientID, secret string) bool {
	c := g.clients[clientID]
	return c != nil && secret == c.secret && (c.expires.IsZero() || g.now().Before(c.expires))
}

func (c *registered) opened(token string) bool {
	for _, t := range c.tokens {
		if t == token && token != "" {
			return true
		}
	}
	return false
}

func (g *Registrar) value() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	value := base64.RawURLEncoding.EncodeToString(raw)
	if g.settings.Made != nil {
		g.settings.Made(value)
	}
	return value
}

func (g *Registrar) newSecret(c *registered) {
	c.secret, c.made = g.value(), c.made+1
	if g.settings.Life > 0 {
		c.expires = g.now().Add(g.settings.Life)
	}
}

func (g *Registrar) newToken(c *registered) string {
	c.tokens = []string{g.value()}
	return c.tokens[0]
}

// Handler serves the registration endpoint, the token endpoint and the introspection endpoint.
func (g *Registrar) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathToken, g.token)
	mux.HandleFunc("POST "+PathIntrospect, g.introspect)
	for _, path := range []string{PathRegister, PathRegister + "/{id}"} {
		mux.HandleFunc("GET "+path, g.admitted(g.read))
		mux.HandleFunc("PUT "+path, g.admitted(g.update))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		w.Header().Set("Date", g.now().UTC().Format(http.TimeFormat))
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// admitted lets requests through that have the token of the client they are about. An unknown client is answered like a
// wrong token (RFC 7592 section 2.1).
func (g *Registrar) admitted(next func(http.ResponseWriter, *http.Request, *registered)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if id == "" {
			id = r.URL.Query().Get("client_id")
		}
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if c := g.clients[id]; c != nil && c.opened(token) {
			next(w, r, c)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "invalid_token", "the access token is not good for this client")
	}
}

func (g *Registrar) read(w http.ResponseWriter, r *http.Request, c *registered) {
	switch {
	case g.settings.ReadsReplace:
		g.newToken(c)
	case g.settings.ReadsResign:
		c.tokens = append(c.tokens, g.value())
	}
	answer(w, http.StatusOK, g.show(r, c, !g.settings.Hidden))
}

// update replaces the whole registration: what is not sent is gone.
func (g *Registrar) update(w http.ResponseWriter, r *http.Request, c *registered) {
	var sent map[string]any
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&sent); err != nil || sent == nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "the body is no JSON object")
		return
	}
	if status, code, why := g.objection(c, sent); why != "" {
		refuse(w, status, code, why)
		return
	}
	delete(sent, "client_id")
	delete(sent, "client_secret")
	c.metadata = sent
	if g.settings.Rotates || g.settings.Early && !g.now().Before(c.expires.Add(-g.settings.Life/10)) {
		g.newSecret(c)
	}
	if g.settings.RotatesToken {
		g.newToken(c)
	}
	answer(w, http.StatusOK, g.show(r, c, !g.settings.Silent))
}

// objection says what a client must not send; empty = nothing of it was sent.
func (g *Registrar) objection(c *registered, sent map[string]any) (status int, code, why string) {
	for _, name := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		if _, ok := sent[name]; ok {
			return http.StatusBadRequest, "invalid_request", "request MUST NOT include the " + name + " field"
		}
	}
	secret, valued := sent["client_secret"]
	switch {
	case sent["client_id"] != c.id:
		return http.StatusBadRequest, "invalid_request", "provided client_id does not match the authenticated client's one"
	case valued && g.settings.RefusesValue:
		return http.StatusForbidden, "request_forbidden", "It is not allowed to choose your own OAuth2 Client secret."
	case valued && secret != c.secret:
		return http.StatusBadRequest, "invalid_request", "provided client_secret does not match the authenticated client's one"
	}
	return 0, "", ""
}

// show writes a registration as RFC 7592 section 3 has it.
func (g *Registrar) show(r *http.Request, c *registered, secret bool) map[string]any {
	host := g.settings.Inner
	if host == "" {
		host = "http://" + r.Host
	}
	body := maps.Clone(c.metadata)
	body["client_id"], body["client_id_issued_at"] = c.id, 1772366400
	body["registration_access_token"] = c.tokens[len(c.tokens)-1]
	body["registration_client_uri"] = host + PathRegister + "/" + c.id
	if g.settings.ByQuery {
		body["registration_client_uri"] = host + PathRegister + "?client_id=" + c.id
	}
	if secret {
		body["client_secret"], body["client_secret_expires_at"] = c.secret, int64(0)
		if !c.expires.IsZero() {
			body["client_secret_expires_at"] = c.expires.Unix()
		}
	}
	return body
}

func (g *Registrar) token(w http.ResponseWriter, r *http.Request) {
	if !g.authenticated(w, r) {
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		answer(w, http.StatusOK, tokenReply{AccessToken: g.value(), TokenType: "Bearer", ExpiresIn: 300})
	case "authorization_code":
		refuse(w, http.StatusBadRequest, "invalid_grant", "grant request is invalid")
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "unsupported grant_type requested")
	}
}

func (g *Registrar) introspect(w http.ResponseWriter, r *http.Request) {
	if g.authenticated(w, r) {
		answer(w, http.StatusOK, map[string]bool{"active": false})
	}
}

// authenticated logs a client in. When that fails, it has answered.
func (g *Registrar) authenticated(w http.ResponseWriter, r *http.Request) bool {
	id, secret, _, problem := credentials(w, r)
	switch {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case !g.accepts(id, secret):
		refuse(w, http.StatusUnauthorized, "invalid_client", "client authentication failed")
	default:
		return true
	}
	return false
}
