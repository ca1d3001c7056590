package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Paths of a stand-in for Casdoor below the address that its Handler is served at.
const (
	PathCasdoorGet    = "/api/get-application"
	PathCasdoorList   = "/api/get-applications"
	PathCasdoorUpdate = "/api/update-application"
	PathCasdoorToken  = "/api/login/oauth/access_token" //nolint:gosec // a path
)

// Casdoor is a stand-in for Casdoor, made like the real one, which the tests against real servers ask as well: an update writes every
// column, so what it leaves out is emptied; an application without a secret lets everybody in; and what goes wrong has the status
// 200. It shows secrets, so it keeps clear values. It is safe for concurrent use.
type Casdoor struct {
	now        func() time.Time
	id, secret string // of rotad's own application
	made       func(string)

	mu   sync.Mutex
	apps map[string]map[string]any // by owner/name
	sets map[string]int
}

// NewCasdoor returns a server without applications. now is its clock, id and secret open its API, and made is told of every secret that
// is set and every token that is made; nil = nobody.
func NewCasdoor(now func() time.Time, id, secret string, made func(string)) *Casdoor {
	return &Casdoor{now: now, id: id, secret: secret, made: made, apps: map[string]map[string]any{}, sets: map[string]int{}}
}

// Register adds an application of the owner admin; its client id is "id-of-" and its name. ErrDuplicate: the name is taken.
func (c *Casdoor) Register(name, secret string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := "admin/" + name
	if c.apps[id] != nil {
		return fmt.Errorf("registering %q: %w", name, ErrDuplicate)
	}
	c.apps[id] = map[string]any{
		"owner": "admin", "name": name, "createdTime": "2026-01-01T12:00:00+01:00", "displayName": `A <b> & "c"`, "organization": "built-in",
		"clientId": "id-of-" + name, "clientSecret": secret, "grantTypes": []any{"client_credentials"}, "expireInHours": json.Number("168.5"),
		"redirectUris": []any{"https://example.com/callback"}, "organizationObj": map[string]any{"masterPassword": "***"},
	}
	return nil
}

// Forget deletes an application, as somebody else would.
func (c *Casdoor) Forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.apps, "admin/"+name)
}

// Shown returns a member of an application as the server keeps it; nil = it was emptied.
func (c *Casdoor) Shown(name, member string) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.apps["admin/"+name][member]
}

// Change sets a member of an application.
func (c *Casdoor) Change(name, member string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apps["admin/"+name][member] = value
}

// Made returns how often the secret of an application has been set since it was registered.
func (c *Casdoor) Made(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sets["admin/"+name]
}

// Accepts says whether a login with this secret would succeed now.
func (c *Casdoor) Accepts(name, secret string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	app := c.apps["admin/"+name]
	return app != nil && admits(app, secret)
}

func admits(app map[string]any, secret string) bool {
	kept, _ := app["clientSecret"].(string)
	return kept == "" || kept == secret
}

// Handler serves the API and the token endpoint.
func (c *Casdoor) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathCasdoorGet, c.get)
	mux.HandleFunc("GET "+PathCasdoorList, c.list)
	mux.HandleFunc("POST "+PathCasdoorUpdate, c.update)
	mux.HandleFunc("POST "+PathCasdoorToken, c.login)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", c.now().UTC().Format(http.TimeFormat))
		c.mu.Lock()
		defer c.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// refused says why a login is refused; empty = it is that of rotad's own application, or there is none.
func (c *Casdoor) refused(r *http.Request) string {
	switch id, secret, shown := r.BasicAuth(); {
	case !shown:
		return ""
	case id != c.id:
		return "Application not found for client ID: " + id
	case secret != c.secret:
		return "Incorrect client secret for application: app-built-in"
	}
	return ""
}

func casdoorOK(w http.ResponseWriter, data any) {
	answer(w, http.StatusOK, map[string]any{"status": "ok", "msg": "", "data": data})
}

func casdoorError(w http.ResponseWriter, message string) {
	answer(w, http.StatusOK, map[string]any{"status": "error", "msg": message, "data": nil})
}

// get shows an application to anybody, and its secret to rotad's own.
func (c *Casdoor) get(w http.ResponseWriter, r *http.Request) {
	if why := c.refused(r); why != "" {
		casdoorError(w, why)
		return
	}
	app := c.apps[r.URL.Query().Get("id")]
	if app == nil {
		casdoorOK(w, nil)
		return
	}
	casdoorOK(w, shownTo(r, app))
}

// shownTo is an application as the account of a request is shown it.
func shownTo(r *http.Request, app map[string]any) map[string]any {
	app = maps.Clone(app)
	if r.Header.Get("Authorization") == "" {
		app["clientSecret"] = "***"
	}
	return app
}

// list shows a page in the order of names. Behind the last one there is no empty page: it is shown again.
func (c *Casdoor) list(w http.ResponseWriter, r *http.Request) {
	if why := c.refused(r); why != "" {
		casdoorError(w, why)
		return
	}
	query := r.URL.Query()
	number, err := strconv.Atoi(query.Get("p"))
	size, sizeErr := strconv.Atoi(query.Get("pageSize"))
	if err != nil || sizeErr != nil || size < 1 || query.Get("sortField") != "name" || query.Get("sortOrder") != "ascend" {
		casdoorError(w, "the sandbox lists in pages, by names")
		return
	}
	ids := slices.Sorted(maps.Keys(c.apps))
	number = max(1, min(number, (len(ids)+size-1)/size))
	shown := []map[string]any{}
	for _, id := range ids[min((number-1)*size, len(ids)):min(number*size, len(ids))] {
		app := shownTo(r, c.apps[id])
		delete(app, "organizationObj")
		shown = append(shown, app)
	}
	answer(w, http.StatusOK, map[string]any{"status": "ok", "msg": "", "data": shown, "data2": len(ids)})
}

func (c *Casdoor) update(w http.ResponseWriter, r *http.Request) {
	why := c.refused(r)
	if r.Header.Get("Authorization") == "" {
		why = "Unauthorized operation"
	}
	if why != "" {
		casdoorError(w, why)
		return
	}
	id := r.URL.Query().Get("id")
	old := c.apps[id]
	var sent map[string]any
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm))
	d.UseNumber()
	if err := d.Decode(&sent); err != nil {
		casdoorError(w, err.Error())
		return
	}
	if old == nil {
		casdoorOK(w, "Unaffected")
		return
	}
	if sent["clientSecret"] == "***" {
		sent["clientSecret"] = old["clientSecret"]
	}
	value, _ := sent["clientSecret"].(string)
	_ = told(c.made, value)
	c.apps[id] = sent
	c.sets[id]++
	casdoorOK(w, "Affected")
}

// login is the token endpoint. It looks at the grant before it looks at the secret, and takes what HTTP Basic shows as it stands.
func (c *Casdoor) login(w http.ResponseWriter, r *http.Request) {
	id, secret, shown := r.BasicAuth()
	problem := ""
	if !shown {
		id, secret, _, problem = credentials(w, r)
	} else if r.ParseForm() != nil {
		problem = "the form cannot be read"
	}
	app := c.apps["admin/"+strings.TrimPrefix(id, "id-of-")]
	switch {
	case problem != "":
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
	case app == nil:
		refuse(w, http.StatusUnauthorized, "invalid_client", "client_id is invalid")
	case r.PostForm.Get("grant_type") != "client_credentials":
		refuse(w, http.StatusBadRequest, "invalid_grant", "authorization code is invalid")
	case app["grantTypes"] == nil:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "grant_type: client_credentials is not supported in this application")
	case !admits(app, secret):
		refuse(w, http.StatusUnauthorized, "invalid_client", "client_secret is invalid")
	default:
		answer(w, http.StatusOK, tokenReply{AccessToken: told(c.made, rand.Text()), TokenType: "Bearer", ExpiresIn: 300})
	}
}
