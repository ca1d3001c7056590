package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Paths of the two token endpoints of a stand-in for Google Cloud, below the address that its Handler is served at; IAM stands below /v1.
const (
	PathGoogleToken      = "/token"           // of service accounts
	PathGoogleOAuthToken = "/v1/common/token" // of OAuth clients
)

// googleAudience is who assertions are for, wherever the stand-in is served.
const googleAudience = "https://oauth2.googleapis.com/token"

// GoogleSettings are those of a Google. The zero value is a project without limits of its own.
type GoogleSettings struct {
	KeyLife time.Duration // of a new key of a service account; 0 = it never ends
	Policy  bool          // a constraint of the organization forbids such keys
	Plain   bool          // an eleventh key is refused with FAILED_PRECONDITION and no word more
	Page    int           // most entries of a page; 0 = 100
}

// Google is a stand-in for one project of Google Cloud, written from its API reference: service accounts with up to ten keys, which
// log in by assertions (RFC 7523), and OAuth clients with up to two credentials. It is safe for concurrent use.
type Google struct {
	now      func() time.Time
	project  string
	settings GoogleSettings
	made     func(string)

	mu       sync.Mutex
	accounts []*googleAccount
	clients  []*googleClient
	tokens   map[string]*googleAccount
}

type googleAccount struct {
	email string
	admin bool
	off   bool
	keys  []*googleKey
	made  int
}

type googleKey struct {
	id         string
	public     *rsa.PublicKey
	start, end time.Time // end zero = never
	off        bool
}

// NewGoogle returns an empty project. now is its clock, and made is told of every secret that is made; nil = nobody.
func NewGoogle(now func() time.Time, project string, s GoogleSettings, made func(string)) *Google {
	if s.Page == 0 {
		s.Page = 100
	}
	return &Google{now: now, project: project, settings: s, made: made, tokens: map[string]*googleAccount{}}
}

// Email returns the address of a service account of the project.
func (g *Google) Email(name string) string {
	return name + "@" + g.project + ".iam.gserviceaccount.com"
}

// Register adds a service account with one key, and returns its credentials file. An admin may do everything, others only log in.
// ErrDuplicate: the name is taken.
func (g *Google) Register(name string, admin bool) (file string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.account(g.Email(name)) != nil {
		return "", fmt.Errorf("registering %q: %w", name, ErrDuplicate)
	}
	a := &googleAccount{email: g.Email(name), admin: admin}
	g.accounts = append(g.accounts, a)
	_, file, err = g.addKey(a)
	return file, err
}

func (g *Google) account(email string) *googleAccount {
	i := slices.IndexFunc(g.accounts, func(a *googleAccount) bool { return a.email == email })
	if i < 0 {
		return nil
	}
	return g.accounts[i]
}

// googleBits is how long keys are: as short as they are still made, for they keep nobody out.
const googleBits = 1024

func (g *Google) addKey(a *googleAccount) (k *googleKey, file string, err error) {
	private, err := rsa.GenerateKey(rand.Reader, googleBits)
	if err != nil {
		return nil, "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, "", err
	}
	name := make([]byte, 20)
	_, _ = rand.Read(name)
	k = &googleKey{id: hex.EncodeToString(name), public: &private.PublicKey, start: g.now().Truncate(time.Second)}
	if g.settings.KeyLife > 0 {
		k.end = k.start.Add(g.settings.KeyLife)
	}
	text := told(g.made, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	raw, err := json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": g.project, "private_key_id": k.id, "private_key": text, "client_email": a.email,
		"client_id": "100000000000000000001", "token_uri": googleAudience, "universe_domain": "googleapis.com",
	}, "", "  ")
	a.keys = append(a.keys, k)
	return k, string(raw), err
}

// Made returns how many keys a service account was given since it was registered.
func (g *Google) Made(name string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a := g.account(g.Email(name)); a != nil {
		return a.made
	}
	return 0
}

// SwitchOff disables a service account: it logs in no more, whatever its keys are.
func (g *Google) SwitchOff(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.account(g.Email(name)).off = true
}

// DisableKey switches a key off. It keeps its place.
func (g *Google) DisableKey(name, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.account(g.Email(name)).keys {
		k.off = k.off || k.id == id
	}
}

// Lives says whether a key of a service account is one that it could log in with now.
func (g *Google) Lives(name, id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.account(g.Email(name)).keys, func(k *googleKey) bool { return k.id == id && k.lives(g.now()) })
}

func (k *googleKey) lives(now time.Time) bool { return !k.off && (k.end.IsZero() || now.Before(k.end)) }

// Handler serves IAM and the token endpoints.
func (g *Google) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathGoogleToken, g.grant)
	mux.HandleFunc("POST "+PathGoogleOAuthToken, g.oauthToken)
	mux.HandleFunc("GET "+metadataPath, g.metadata)
	project := "/v1/projects/{project}"
	mux.HandleFunc("GET "+project+"/serviceAccounts", g.admin(g.listAccounts))
	mux.HandleFunc("POST "+project+"/serviceAccounts/{call}", g.rights)
	mux.HandleFunc("GET "+project+"/serviceAccounts/{account}/keys", g.admin(g.ofAccount(g.listKeys)))
	mux.HandleFunc("POST "+project+"/serviceAccounts/{account}/keys", g.admin(g.ofAccount(g.createKey)))
	mux.HandleFunc("DELETE "+project+"/serviceAccounts/{account}/keys/{key}", g.admin(g.ofAccount(g.deleteKey)))
	g.oauthRoutes(mux, project+"/locations/global/oauthClients")
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { googleError(w, http.StatusNotFound, "NOT_FOUND", "") })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", g.now().UTC().Format(http.TimeFormat))
		g.mu.Lock()
		defer g.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// googleError answers as google.aip.dev/193 has it.
func googleError(w http.ResponseWriter, status int, code, message string, details ...any) {
	answer(w, status, map[string]any{"error": map[string]any{"code": status, "message": message, "status": code, "details": details}})
}

// caller returns who a bearer token belongs to; nil = nobody.
func (g *Google) caller(r *http.Request) *googleAccount {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return g.tokens[token]
}

// admin lets requests through of an account that may do everything in this project.
func (g *Google) admin(do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch caller := g.caller(r); {
		case caller == nil:
			googleError(w, http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
		case !caller.admin || r.PathValue("project") != g.project:
			googleError(w, http.StatusForbidden, "PERMISSION_DENIED", "The caller does not have permission")
		default:
			do(w, r)
		}
	}
}

func (g *Google) ofAccount(do func(http.ResponseWriter, *http.Request, *googleAccount)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a := g.account(r.PathValue("account")); a != nil {
			do(w, r, a)
			return
		}
		googleError(w, http.StatusNotFound, "NOT_FOUND", "Unknown service account")
	}
}

// rights answers which permissions a caller has: who has no account may ask as well, and has none.
func (g *Google) rights(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Permissions []string `json:"permissions"`
	}
	email, ours := strings.CutSuffix(r.PathValue("call"), ":testIamPermissions")
	caller := g.caller(r)
	switch {
	case caller == nil:
		googleError(w, http.StatusUnauthorized, "UNAUTHENTICATED", "")
	case !ours || g.account(email) == nil:
		googleError(w, http.StatusNotFound, "NOT_FOUND", "Unknown service account")
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&asked) != nil:
		googleError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "")
	case !caller.admin:
		answer(w, http.StatusOK, map[string]any{})
	default:
		answer(w, http.StatusOK, map[string]any{"permissions": asked.Permissions})
	}
}

// googlePage cuts a page out of a list. Its token is the number of the first entry of the next one.
func googlePage(w http.ResponseWriter, r *http.Request, name string, all []any, most int) {
	from, size := 0, most
	if text := r.URL.Query().Get("pageToken"); text != "" {
		at, err := strconv.Atoi(text)
		if err != nil || at < 1 || at >= len(all) {
			googleError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "Invalid page token")
			return
		}
		from = at
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("pageSize")); err == nil && n > 0 {
		size = min(size, n)
	}
	body := map[string]any{}
	if page := all[from:min(from+size, len(all))]; len(page) > 0 {
		body[name] = page
	}
	if from+size < len(all) {
		body["nextPageToken"] = strconv.Itoa(from + size)
	}
	answer(w, http.StatusOK, body)
}
