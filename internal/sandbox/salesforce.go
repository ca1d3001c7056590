package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// stagedLife is how long staged credentials live, and replaced ones after them.
const stagedLife = 30 * day

// SalesforceConsumer is an OAuth consumer of an External Client App as somebody registers it.
type SalesforceConsumer struct {
	App, ID     string
	Key, Secret string
}

// Salesforce is a stand-in for the Connect REST API of an org, written from its documentation: consumers of External Client Apps,
// the pair of key and secret that is staged beside their own, and the token endpoint of My Domain. Like the original it can show
// secrets, so it keeps clear values. It is safe for concurrent use.
type Salesforce struct {
	now   func() time.Time
	token [sha256.Size]byte
	made  func(string)

	mu        sync.Mutex
	consumers []*salesforceConsumer
}

type salesforceConsumer struct {
	app, id string
	own     salesforcePair
	staged  *salesforcePair // nil = nothing is staged
	count   int             // of pairs that were ever staged
}

// salesforcePair is a consumer key and its secret. A staged one has a handle, a state and an end.
type salesforcePair struct {
	key, secret string
	handle      string
	state       string // Active, or Rotated
	created     time.Time
	expires     time.Time // zero = never
}

// NewSalesforce returns an org without apps. now is its clock, token opens its API, and made is told of every secret and every
// token that is made; nil = nobody.
func NewSalesforce(now func() time.Time, token string, made func(string)) *Salesforce {
	return &Salesforce{now: now, token: sha256.Sum256([]byte(token)), made: made}
}

// Register adds a consumer. ErrDuplicate: the app has one with this id.
func (s *Salesforce) Register(c SalesforceConsumer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(c.App, c.ID) != nil {
		return fmt.Errorf("registering %q: %w", c.ID, ErrDuplicate)
	}
	s.consumers = append(s.consumers, &salesforceConsumer{app: c.App, id: c.ID, own: salesforcePair{key: c.Key, secret: c.Secret}})
	return nil
}

// Made returns how many pairs were ever staged for a consumer.
func (s *Salesforce) Made(app, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(app, id); c != nil {
		return c.count
	}
	return 0
}

// Accepts says whether a login with this pair would succeed now.
func (s *Salesforce) Accepts(key, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pair(key)
	return p != nil && p.secret == secret
}

func (s *Salesforce) find(app, id string) *salesforceConsumer {
	for _, c := range s.consumers {
		if c.app == app && c.id == id {
			return c
		}
	}
	return nil
}

// pair finds what a consumer key stands for now.
func (s *Salesforce) pair(key string) *salesforcePair {
	now := s.now()
	for _, c := range s.consumers {
		if c.own.key == key {
			return &c.own
		}
		if p := c.waiting(now); p != nil && p.key == key {
			return p
		}
	}
	return nil
}

// waiting returns what is staged, unless its time is over.
func (c *salesforceConsumer) waiting(now time.Time) *salesforcePair {
	if c.staged != nil && !now.Before(c.staged.expires) {
		c.staged = nil
	}
	return c.staged
}

// Handler serves the API and the token endpoint.
func (s *Salesforce) Handler() http.Handler {
	const one = "/services/data/{version}/apps/oauth/credentials/{app}/{consumer}"
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/oauth2/token", s.login)
	mux.HandleFunc("GET "+one, s.with(s.show))
	mux.HandleFunc("GET "+one+"/staged", s.with(s.list))
	mux.HandleFunc("POST "+one+"/staged", s.with(s.stage))
	mux.HandleFunc("PATCH "+one+"/staged/{handle}", s.with(s.rotate))
	mux.HandleFunc("DELETE "+one+"/staged/{handle}", s.with(s.remove))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		s.mu.Lock()
		defer s.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func salesforceError(w http.ResponseWriter, status int, code string) {
	answer(w, status, []any{map[string]any{"errorCode": code, "message": code}})
}

// with checks the login and finds the consumer.
func (s *Salesforce) with(do func(http.ResponseWriter, *http.Request, *salesforceConsumer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		c := s.find(r.PathValue("app"), r.PathValue("consumer"))
		switch {
		case !ok || sha256.Sum256([]byte(token)) != s.token:
			salesforceError(w, http.StatusUnauthorized, "INVALID_SESSION_ID")
		case c == nil:
			salesforceError(w, http.StatusNotFound, "NOT_FOUND")
		default:
			do(w, r, c)
		}
	}
}

// show shows the key; the secret stays out of an answer that did not ask for it.
func (s *Salesforce) show(w http.ResponseWriter, r *http.Request, c *salesforceConsumer) {
	shown := map[string]any{"id": c.id, "url": r.URL.Path, "stagedCredentialsUrl": r.URL.Path + "/staged"}
	part := r.URL.Query().Get("part")
	if part != "secret" {
		shown["key"] = c.own.key
	}
	if part == "secret" || part == "keyandsecret" {
		shown["secret"] = c.own.secret
	}
	answer(w, http.StatusOK, shown)
}

func (p *salesforcePair) show(path string) map[string]any {
	return map[string]any{
		"id": p.handle, "key": p.key, "secret": p.secret, "state": p.state, "url": path, "createdBy": "sandbox",
		"createdDate": stamp(p.created), "expirationDate": stamp(p.expires),
	}
}

func (s *Salesforce) list(w http.ResponseWriter, r *http.Request, c *salesforceConsumer) {
	all := []any{}
	if p := c.waiting(s.now()); p != nil {
		all = append(all, p.show(r.URL.Path+"/"+p.handle))
	}
	answer(w, http.StatusOK, map[string]any{"stagedCredentials": all, "url": r.URL.Path})
}

// stage makes a pair beside the consumer's own. There is room for one; how a second is refused is not documented.
func (s *Salesforce) stage(w http.ResponseWriter, r *http.Request, c *salesforceConsumer) {
	now := s.now()
	if c.waiting(now) != nil {
		salesforceError(w, http.StatusBadRequest, "INVALID_OPERATION")
		return
	}
	c.count++
	c.staged = &salesforcePair{
		key: "3MVG9" + rand.Text(), secret: told(s.made, rand.Text()), handle: "0Sk" + rand.Text()[:12], state: "Active",
		created: now, expires: now.Add(stagedLife),
	}
	s.list(w, r, c)
}

// rotate lets the staged pair take the own one's place. That becomes the staged one, and ends by a timer.
func (s *Salesforce) rotate(w http.ResponseWriter, r *http.Request, c *salesforceConsumer) {
	now := s.now()
	var body struct {
		Command string `json:"command"`
	}
	p := c.waiting(now)
	switch {
	case p == nil || p.handle != r.PathValue("handle"):
		salesforceError(w, http.StatusNotFound, "NOT_FOUND")
	case !decode(w, r, &body) || body.Command != "rotate" || p.state == "Rotated":
		salesforceError(w, http.StatusBadRequest, "INVALID_OPERATION")
	default:
		old := salesforcePair{
			key: c.own.key, secret: c.own.secret, handle: "0Sk" + rand.Text()[:12], state: "Rotated", created: now, expires: now.Add(stagedLife),
		}
		c.own, c.staged = salesforcePair{key: p.key, secret: p.secret}, &old
		answer(w, http.StatusOK, old.show(r.URL.Path))
	}
}

func (s *Salesforce) remove(w http.ResponseWriter, r *http.Request, c *salesforceConsumer) {
	if p := c.waiting(s.now()); p == nil || p.handle != r.PathValue("handle") {
		salesforceError(w, http.StatusNotFound, "NOT_FOUND")
		return
	}
	c.staged = nil
	w.WriteHeader(http.StatusNoContent)
}

// login is the client credentials flow. A key that stands for nothing is told from a wrong secret, as the original does.
func (s *Salesforce) login(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	switch p := s.pair(id); {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case p == nil:
		refuse(w, http.StatusBadRequest, "invalid_client_id", "client identifier invalid")
	case p.secret != secret:
		refuse(w, http.StatusBadRequest, "invalid_client", "invalid client credentials")
	case r.PostForm.Get("grant_type") != "client_credentials":
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "grant type not supported")
	default:
		answer(w, http.StatusOK, tokenReply{AccessToken: told(s.made, rand.Text()), TokenType: "Bearer"})
	}
}
