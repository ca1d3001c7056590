package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// AppRoleSettings are what a stand-in for Vault's AppRole method works with. Zero values are usable.
type AppRoleSettings struct {
	Mount  string        // empty = "approle"
	Token  string        // the token that may do everything; empty = none
	MaxTTL time.Duration // a longer life is shortened to this without a word; 0 = 768 hours
	Random func([]byte)  // fills a slice; nil = crypto/rand
	Made   func(string)  // told of every SecretID and token that is made or taken; nil = nobody
}

// AppRoleRole is a role as somebody creates it.
type AppRoleRole struct {
	Name        string
	SecretIDTTL time.Duration // longest life of a SecretID; 0 = not limited
	NumUses     int           // of a SecretID; 0 = not limited
	Unbound     bool          // no SecretID is needed to log in
}

// AppRole is a stand-in for the AppRole auth method of Vault 1.21: roles, SecretIDs with accessors, logins. It stores
// verifiers only, and is safe for concurrent use.
type AppRole struct {
	now      func() time.Time
	settings AppRoleSettings

	mu     sync.Mutex
	roles  map[string]*appRole
	tokens map[[sha256.Size]byte]bool // of rotad's own logins
}

type appRole struct {
	AppRoleRole
	roleID  string
	secrets map[[sha256.Size]byte]*secretID
	order   []*secretID // in the order of creation
	admin   bool        // its logins open everything
	created int
}

// secretID is one SecretID: everything but the value.
type secretID struct {
	accessor string
	verifier [sha256.Size]byte
	created  time.Time
	expires  time.Time // zero = never
	ttl      time.Duration
	metadata map[string]string
}

// NewAppRole returns a method without roles. now is its clock.
func NewAppRole(now func() time.Time, s AppRoleSettings) *AppRole {
	if s.Mount == "" {
		s.Mount = "approle"
	}
	if s.MaxTTL == 0 {
		s.MaxTTL = 768 * time.Hour
	}
	if s.Random == nil {
		s.Random = func(b []byte) { _, _ = rand.Read(b) }
	}
	return &AppRole{now: now, settings: s, roles: map[string]*appRole{}, tokens: map[[sha256.Size]byte]bool{}}
}

// AddRole adds a role and returns its role id. ErrDuplicate: the name is taken.
func (a *AppRole) AddRole(r AppRoleRole) (roleID string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.roles[r.Name] != nil {
		return "", fmt.Errorf("adding the role %q: %w", r.Name, ErrDuplicate)
	}
	kept := &appRole{AppRoleRole: r, roleID: a.uuid(), secrets: map[[sha256.Size]byte]*secretID{}}
	a.roles[r.Name] = kept
	return kept.roleID, nil
}

// AddAdmin adds a role whose logins open everything, with a SecretID of the given value, and returns its role id.
func (a *AppRole) AddAdmin(name, secret string) (roleID string, err error) {
	if roleID, err = a.AddRole(AppRoleRole{Name: name}); err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roles[name].admin = true
	a.add(a.roles[name], secret, 0, nil)
	return roleID, nil
}

// Issue makes a SecretID, as an administrator would, and returns the value and its accessor.
func (a *AppRole) Issue(role string) (secret, accessor string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.roles[role]
	if r == nil {
		return "", "", fmt.Errorf("issuing for the role %q: %w", role, ErrNoClient)
	}
	secret = a.uuid()
	return secret, a.add(r, secret, r.SecretIDTTL, nil).accessor, nil
}

// Accepts says whether a login with this SecretID would succeed now.
func (a *AppRole) Accepts(role string, secret credential.Sensitive) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.roles[role]
	return r != nil && a.admits(r, secret.Reveal())
}

// Created returns how many SecretIDs of a role have ever been made.
func (a *AppRole) Created(role string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.roles[role]; r != nil {
		return r.created
	}
	return 0
}

func (a *AppRole) admits(r *appRole, secret string) bool {
	s := r.secrets[sha256.Sum256([]byte(secret))]
	return s != nil && (s.expires.IsZero() || a.now().Before(s.expires))
}

// add registers a SecretID; nil if the value is registered already.
func (a *AppRole) add(r *appRole, secret string, ttl time.Duration, metadata map[string]string) *secretID {
	sum := sha256.Sum256([]byte(told(a.settings.Made, secret)))
	if r.secrets[sum] != nil {
		return nil
	}
	s := &secretID{
		accessor: a.uuid(), verifier: sum, created: a.now(), ttl: min(ttl, a.settings.MaxTTL), metadata: metadata,
	}
	if s.ttl > 0 {
		s.expires = s.created.Add(s.ttl)
	}
	r.secrets[sum] = s
	r.order = append(r.order, s)
	r.created++
	return s
}

func (a *AppRole) uuid() string {
	var b [16]byte
	a.settings.Random(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Handler serves the method under /v1/auth/MOUNT, and revoke-self of the token method.
func (a *AppRole) Handler() http.Handler {
	mux := http.NewServeMux()
	a.routes(mux, "/v1/auth/"+a.settings.Mount)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", a.now().UTC().Format(http.TimeFormat))
		a.mu.Lock()
		defer a.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}
