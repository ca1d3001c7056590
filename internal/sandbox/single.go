package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Single is a stand-in for servers that show one secret per client: Auth0, FusionAuth, Ory Hydra and ZITADEL replace it at once, and
// Hydra's newer request and VMware's identity broker let the replaced one live on. Each has a path of its own and
// is written from its documentation. Some of the originals show the secret, so it keeps clear values. It is safe for concurrent use.
type Single struct {
	now   func() time.Time
	token [sha256.Size]byte
	made  func(string)

	mu      sync.Mutex
	clients map[string]*singleClient
}

type singleClient struct {
	id, secret string // secret: empty = it has none
	replaced   []replacedSecret
	made       int
}

// replacedSecret is one that a dialect lets live on.
type replacedSecret struct {
	secret string
	until  time.Time // zero = until somebody deletes it
}

// NewSingle returns a server without clients. now is its clock, token opens its APIs, and made is told of every secret that is set
// and every token that is made; nil = nobody.
func NewSingle(now func() time.Time, token string, made func(string)) *Single {
	return &Single{now: now, token: sha256.Sum256([]byte(token)), made: made, clients: map[string]*singleClient{}}
}

// Register adds a client; without a secret it has none. ErrDuplicate: its id is taken.
func (s *Single) Register(id, secret string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[id] != nil {
		return fmt.Errorf("registering %q: %w", id, ErrDuplicate)
	}
	s.clients[id] = &singleClient{id: id, secret: secret}
	return nil
}

// Made returns how often the secret of a client has been set since it was registered.
func (s *Single) Made(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[id]; c != nil {
		return c.made
	}
	return 0
}

// Accepts says whether a login with this secret would succeed now.
func (s *Single) Accepts(id, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[id]
	return c != nil && s.admits(c, secret)
}

func (s *Single) admits(c *singleClient, secret string) bool {
	if secret == "" {
		return false
	}
	return c.secret == secret || slices.ContainsFunc(s.living(c), func(r replacedSecret) bool { return r.secret == secret })
}

// living drops the replaced secrets whose time is over, and returns the others.
func (s *Single) living(c *singleClient) []replacedSecret {
	now := s.now()
	c.replaced = slices.DeleteFunc(c.replaced, func(r replacedSecret) bool { return !r.until.IsZero() && !now.Before(r.until) })
	return c.replaced
}

// Handler serves every dialect.
func (s *Single) Handler() http.Handler {
	mux := http.NewServeMux()
	s.auth0Routes(mux)
	s.fusionAuthRoutes(mux)
	s.hydraRoutes(mux)
	s.zitadelRoutes(mux)
	s.hydraRotateRoutes(mux)
	s.brokerRoutes(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		s.mu.Lock()
		defer s.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// admitted says whether a request carries the token that opens the APIs, after this scheme.
func (s *Single) admitted(r *http.Request, scheme string) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme)
	return ok && sha256.Sum256([]byte(token)) == s.token
}

// set replaces the secret; an empty value makes one.
func (s *Single) set(c *singleClient, value string) string {
	if value == "" {
		value = rand.Text()
	}
	c.secret = told(s.made, value)
	c.made++
	return value
}

// login is a token endpoint as RFC 6749 has it: client_credentials, and authorization_code with codes that never exist.
func (s *Single) login(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	c := s.clients[id]
	switch {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case c == nil, !s.admits(c, secret):
		refuse(w, http.StatusUnauthorized, "invalid_client", "client authentication failed")
	case r.PostForm.Get("grant_type") == "authorization_code":
		refuse(w, http.StatusBadRequest, "invalid_grant", "the code is not known")
	default:
		s.grant(w)
	}
}

func (s *Single) grant(w http.ResponseWriter) {
	answer(w, http.StatusOK, tokenReply{AccessToken: told(s.made, rand.Text()), TokenType: "Bearer", ExpiresIn: int(tokenLife.Seconds())})
}

// decode reads a JSON body.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	return json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(into) == nil
}
