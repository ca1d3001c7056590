package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Auth0Keys is a stand-in for a tenant of Auth0 whose applications log in with keys, written from its documentation: two keys for each, those
// that were uploaded and of them those that are in use; what is in use is not deleted. It keeps public halves alone. It is safe for
// concurrent use.
type Auth0Keys struct {
	now        func() time.Time
	id, secret string // of rotad's own application
	issuer     func() string

	mu     sync.Mutex
	scope  string // that rotad's application is granted
	apps   map[string]*auth0App
	proofs map[string]bool
	token  string
}

type auth0App struct {
	keys []*auth0Key
	used []string // ids of those in use; nil = it logs in with a secret
	made int
}

type auth0Key struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	KeyID   string     `json:"kid"`
	Alg     string     `json:"alg"`
	Type    string     `json:"credential_type"`
	Created time.Time  `json:"created_at"`
	Updated time.Time  `json:"updated_at"`
	Expires *time.Time `json:"expires_at,omitempty"`

	public *rsa.PublicKey
}

// Auth0KeyScopes are what rotad's application is granted, unless Grant says otherwise.
const Auth0KeyScopes = "read:clients read:client_credentials create:client_credentials update:clients delete:client_credentials"

// NewAuth0Keys returns a tenant without applications. now is its clock, id and secret are those of rotad's own application, and issuer is what
// proofs have to be made for.
func NewAuth0Keys(now func() time.Time, id, secret string, issuer func() string) *Auth0Keys {
	return &Auth0Keys{
		now: now, id: id, secret: secret, issuer: issuer, scope: Auth0KeyScopes, apps: map[string]*auth0App{}, proofs: map[string]bool{}, token: rand.Text(),
	}
}

// Grant says what rotad's application is granted from its next login on.
func (a *Auth0Keys) Grant(scope string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.scope = scope
}

// Register adds an application that logs in with a key in PEM; without one it logs in with a secret. ErrDuplicate: its id is taken.
func (a *Auth0Keys) Register(id, kid, key string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.apps[id] != nil {
		return fmt.Errorf("registering %q: %w", id, ErrDuplicate)
	}
	app := &auth0App{}
	a.apps[id] = app
	if key == "" {
		return nil
	}
	k, problem := app.add(a.now(), auth0Upload{Type: "public_key", Name: "first", KeyID: kid, Alg: "RS256", PEM: key})
	if problem != "" {
		return fmt.Errorf("registering %q: %w", problem, ErrDuplicate)
	}
	app.used = []string{k.ID}
	return nil
}

// Made returns how many keys were taken into use since an application was registered.
func (a *Auth0Keys) Made(id string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.apps[id].made
}

// Keys returns the names of an application's keys, in use or not.
func (a *Auth0Keys) Keys(id string) (names []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range a.apps[id].keys {
		names = append(names, k.Name)
	}
	return names
}

// Handler serves the Management API and the token endpoint.
func (a *Auth0Keys) Handler() http.Handler {
	mux := http.NewServeMux()
	const one = "/api/v2/clients/{id}"
	mux.HandleFunc("GET "+one, a.admitted("read:clients", a.show))
	mux.HandleFunc("PATCH "+one, a.admitted("update:clients", a.change))
	mux.HandleFunc("GET "+one+"/credentials", a.admitted("read:client_credentials", func(w http.ResponseWriter, _ *http.Request, app *auth0App) {
		answer(w, http.StatusOK, append([]*auth0Key{}, app.keys...))
	}))
	mux.HandleFunc("POST "+one+"/credentials", a.admitted("create:client_credentials", a.upload))
	mux.HandleFunc("DELETE "+one+"/credentials/{key}", a.admitted("delete:client_credentials", a.remove))
	mux.HandleFunc("POST /oauth/token", a.login)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", a.now().UTC().Format(http.TimeFormat))
		a.mu.Lock()
		defer a.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func auth0Error(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"statusCode": status, "error": http.StatusText(status), "message": message})
}

func (a *Auth0Keys) admitted(scope string, do func(http.ResponseWriter, *http.Request, *auth0App)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		app := a.apps[r.PathValue("id")]
		switch {
		case r.Header.Get("Authorization") != "Bearer "+a.token:
			auth0Error(w, http.StatusUnauthorized, "Invalid token")
		case !slices.Contains(strings.Fields(a.scope), scope):
			auth0Error(w, http.StatusForbidden, "Insufficient scope, expected any of: "+scope)
		case app == nil:
			auth0Error(w, http.StatusNotFound, "The client does not exist")
		default:
			do(w, r, app)
		}
	}
}

func (a *Auth0Keys) show(w http.ResponseWriter, r *http.Request, app *auth0App) {
	body := map[string]any{"client_id": r.PathValue("id")}
	if app.used != nil {
		list := []map[string]string{}
		for _, id := range app.used {
			list = append(list, map[string]string{"id": id})
		}
		body["client_authentication_methods"] = map[string]any{"private_key_jwt": map[string]any{"credentials": list}}
	}
	answer(w, http.StatusOK, body)
}

func (a *Auth0Keys) change(w http.ResponseWriter, r *http.Request, app *auth0App) {
	var body struct {
		Methods struct {
			Keys struct {
				Credentials []struct{ ID string } `json:"credentials"`
			} `json:"private_key_jwt"`
		} `json:"client_authentication_methods"`
	}
	list := []string{}
	if decode(w, r, &body) {
		for _, one := range body.Methods.Keys.Credentials {
			list = append(list, one.ID)
		}
	}
	for _, id := range list {
		if !slices.ContainsFunc(app.keys, func(k *auth0Key) bool { return k.ID == id }) {
			auth0Error(w, http.StatusBadRequest, "The credential does not exist")
			return
		}
		if !slices.Contains(app.used, id) {
			app.made++
		}
	}
	if len(list) == 0 {
		auth0Error(w, http.StatusBadRequest, "Payload validation error")
		return
	}
	app.used = list
	a.show(w, r, app)
}

// auth0Upload is what adds a key.
type auth0Upload struct {
	Type    string     `json:"credential_type"`
	Name    string     `json:"name"`
	PEM     string     `json:"pem"`
	Alg     string     `json:"alg"`
	KeyID   string     `json:"kid"`
	Expires *time.Time `json:"expires_at"`
}

func (a *auth0App) add(now time.Time, u auth0Upload) (k *auth0Key, problem string) {
	block, _ := pem.Decode([]byte(u.PEM))
	const shortest, longest = 10, 64 // of a kid
	switch {
	case len(a.keys) >= 2:
		return nil, "The application has reached the limit of credentials"
	case block == nil || u.Type != "public_key" || len(u.KeyID) < shortest || len(u.KeyID) > longest:
		return nil, "Payload validation error"
	case slices.ContainsFunc(a.keys, func(k *auth0Key) bool { return k.KeyID == u.KeyID }):
		return nil, "The credential exists already"
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	public, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, "Payload validation error: no RSA key"
	}
	at := now.UTC().Truncate(time.Millisecond)
	k = &auth0Key{
		ID: "cred_" + rand.Text()[:20], Name: u.Name, KeyID: u.KeyID, Alg: u.Alg, Type: u.Type, Created: at, Updated: at, Expires: u.Expires, public: public,
	}
	a.keys = append(a.keys, k)
	return k, ""
}

func (a *Auth0Keys) upload(w http.ResponseWriter, r *http.Request, app *auth0App) {
	var u auth0Upload
	if !decode(w, r, &u) {
		auth0Error(w, http.StatusBadRequest, "Payload validation error")
		return
	}
	k, problem := app.add(a.now(), u)
	if problem != "" {
		auth0Error(w, http.StatusBadRequest, problem)
		return
	}
	answer(w, http.StatusCreated, k)
}

func (a *Auth0Keys) remove(w http.ResponseWriter, r *http.Request, app *auth0App) {
	i := slices.IndexFunc(app.keys, func(k *auth0Key) bool { return k.ID == r.PathValue("key") })
	switch {
	case i < 0:
		auth0Error(w, http.StatusNotFound, "The credential does not exist")
	case slices.Contains(app.used, app.keys[i].ID):
		auth0Error(w, http.StatusBadRequest, "The credential is in use")
	default:
		app.keys = slices.Delete(app.keys, i, i+1)
		w.WriteHeader(http.StatusNoContent)
	}
}

// login is the token endpoint: rotad's own application shows a secret, all others sign.
func (a *Auth0Keys) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "")
		return
	}
	form := r.PostForm
	switch {
	case form.Get("client_assertion") == "" && form.Get("client_id") == a.id && form.Get("client_secret") == a.secret:
		a.token = rand.Text()
		answer(w, http.StatusOK, map[string]any{"access_token": a.token, "token_type": "Bearer", "expires_in": 86400, "scope": a.scope})
	case !a.proved(r):
		refuse(w, http.StatusUnauthorized, "invalid_client", "Unauthorized")
	case form.Get("audience") == "":
		refuse(w, http.StatusForbidden, "access_denied", "No audience parameter was provided")
	default:
		answer(w, http.StatusOK, tokenReply{AccessToken: rand.Text(), TokenType: "Bearer", ExpiresIn: 300})
	}
}

// proved says whether a request is signed with a key that its application uses.
func (a *Auth0Keys) proved(r *http.Request) bool {
	p, ok := readProof(r)
	said, now := p.claims, a.now()
	app := a.apps[said.Sub]
	if !ok || app == nil || said.Iss != said.Sub || a.proofs[said.Jti] || said.Exp <= now.Unix() || !strings.Contains(string(said.Aud), `"`+a.issuer()+`"`) {
		return false
	}
	i := slices.IndexFunc(app.keys, func(k *auth0Key) bool { return k.KeyID == p.head.ID })
	if i < 0 {
		return false
	}
	k := app.keys[i]
	if !slices.Contains(app.used, k.ID) || k.Expires != nil && !now.Before(*k.Expires) {
		return false
	}
	a.proofs[said.Jti] = true
	return k.signed(p)
}

func (k *auth0Key) signed(p proof) bool {
	sum := sha256.Sum256([]byte(p.text))
	switch {
	case p.head.Alg != k.Alg:
		return false
	case k.Alg == "PS256":
		return rsa.VerifyPSS(k.public, crypto.SHA256, sum[:], p.signature, nil) == nil
	}
	return rsa.VerifyPKCS1v15(k.public, crypto.SHA256, sum[:], p.signature) == nil
}
