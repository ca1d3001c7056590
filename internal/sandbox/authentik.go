package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Paths of a stand-in for authentik below the address that its Handler is served at.
const (
	PathAuthentik      = "/api/v3/providers/oauth2/"
	PathAuthentikToken = "/application/o/token/"
)

// AuthentikClient is an OAuth2 provider of authentik as somebody registers it.
type AuthentikClient struct {
	ClientID string
	Secret   string // its first secret; empty = a random one
	Public   bool
	Hidden   bool // the account may not see its secret
}

// Authentik is a stand-in for authentik, written from its OpenAPI description: a list of OAuth2 providers that can be
// filtered and updated in part, and a token endpoint. Like the original it shows secrets, so it keeps clear values. It is
// safe for concurrent use.
type Authentik struct {
	now   func() time.Time
	token [sha256.Size]byte
	made  func(string)

	mu      sync.Mutex
	clients []*authentikClient // by pk, from 1
}

type authentikClient struct {
	AuthentikClient
	pk   int
	made int
}

// NewAuthentik returns a server without clients. now is its clock, token opens its API, and made is told of every secret
// that is set and every token that is made; nil = nobody.
func NewAuthentik(now func() time.Time, token string, made func(string)) *Authentik {
	return &Authentik{now: now, token: sha256.Sum256([]byte(token)), made: made}
}

// Register adds a client. ErrDuplicate: its client id is taken.
func (a *Authentik) Register(c AuthentikClient) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.find(c.ClientID) != nil {
		return fmt.Errorf("registering %q: %w", c.ClientID, ErrDuplicate)
	}
	if c.Secret == "" {
		c.Secret = told(a.made, rand.Text())
	}
	a.clients = append(a.clients, &authentikClient{AuthentikClient: c, pk: len(a.clients) + 1})
	return nil
}

// Made returns how often the secret of a client has been set since it was registered.
func (a *Authentik) Made(clientID string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.find(clientID); c != nil {
		return c.made
	}
	return 0
}

// Accepts says whether a login with this secret would succeed now.
func (a *Authentik) Accepts(clientID, secret string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.find(clientID)
	return c != nil && c.Secret == secret
}

func (a *Authentik) find(clientID string) *authentikClient {
	for _, c := range a.clients {
		if c.ClientID == clientID {
			return c
		}
	}
	return nil
}

// Handler serves the API and the token endpoint.
func (a *Authentik) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathAuthentik+"{$}", a.admitted(a.list))
	mux.HandleFunc("PATCH "+PathAuthentik+"{pk}/{$}", a.admitted(a.update))
	mux.HandleFunc("POST "+PathAuthentikToken+"{$}", a.login)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", a.now().UTC().Format(http.TimeFormat))
		a.mu.Lock()
		defer a.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// admitted lets requests with the API token through. Without one authentik says 403.
func (a *Authentik) admitted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || sha256.Sum256([]byte(token)) != a.token {
			answer(w, http.StatusForbidden, map[string]string{"detail": "Token invalid/expired"})
			return
		}
		next(w, r)
	}
}

func (a *Authentik) list(w http.ResponseWriter, r *http.Request) {
	rows := []map[string]any{}
	for _, c := range a.clients {
		if wanted := r.URL.Query().Get("client_id"); wanted == "" || wanted == c.ClientID {
			rows = append(rows, c.row())
		}
	}
	answer(w, http.StatusOK, map[string]any{"pagination": map[string]int{"count": len(rows)}, "results": rows})
}

func (c *authentikClient) row() map[string]any {
	row := map[string]any{"pk": c.pk, "name": c.ClientID, "client_id": c.ClientID, "client_type": "confidential", "client_secret": c.Secret}
	if c.Public {
		row["client_type"] = "public"
	}
	if c.Hidden {
		delete(row, "client_secret")
	}
	return row
}

// update changes what is written and nothing else.
func (a *Authentik) update(w http.ResponseWriter, r *http.Request) {
	pk, err := strconv.Atoi(r.PathValue("pk"))
	if err != nil || pk < 1 || pk > len(a.clients) {
		answer(w, http.StatusNotFound, map[string]string{"detail": "No OAuth2 Provider matches the given query."})
		return
	}
	var body struct {
		Secret *string `json:"client_secret"`
	}
	const longest = 255
	err = json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&body)
	if err != nil || body.Secret != nil && len(*body.Secret) > longest {
		answer(w, http.StatusBadRequest, map[string][]string{"client_secret": {"Ensure this field has no more than 255 characters."}})
		return
	}
	c := a.clients[pk-1]
	if body.Secret != nil {
		c.Secret = told(a.made, *body.Secret)
		c.made++
	}
	answer(w, http.StatusOK, c.row())
}

// login is the token endpoint: a wrong secret is invalid_client with status 400.
func (a *Authentik) login(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	c := a.find(id)
	switch {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case c == nil, c.Secret != secret:
		refuse(w, http.StatusBadRequest, "invalid_client", "Client authentication failed")
	case r.PostForm.Get("grant_type") == "authorization_code":
		refuse(w, http.StatusBadRequest, "invalid_grant", "The code is invalid")
	default:
		answer(w, http.StatusOK, tokenReply{AccessToken: told(a.made, rand.Text()), TokenType: "Bearer", ExpiresIn: 300})
	}
}
