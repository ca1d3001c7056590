package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Errors of the operations of an IdP.
var (
	ErrNoClient  = errors.New("no such client")
	ErrNoSecret  = errors.New("no such secret")
	ErrDuplicate = errors.New("a client with this id exists")

	errNoAnswer = errors.New("the provider gave no answer")
)

// Settings are what the whole identity provider works with. The zero value is usable.
type Settings struct {
	AdminToken string       // static bearer token of the admin APIs; empty = only tokens of admin clients
	Random     func([]byte) // fills a slice; nil = crypto/rand, which never fails
	Made       func(string) // told of every secret and token that is made, before anybody else; nil = nobody
	Telicent   Telicent
	Graph      Graph
	PortalTTL  time.Duration // life of a secret made in the portal; 0 = 90 days
}

// Registration is a client as somebody registers it.
type Registration struct {
	ClientID string
	ObjectID string        // what Graph calls it; empty = "obj-" + ClientID
	Name     string        // for people; empty = ClientID
	Secret   string        // its first secret; empty = none
	TTL      time.Duration // life of that first secret; 0 = it never expires
	Auth     string        // basic | post | "" = both are accepted (RFC 6749 section 2.3.1)
	Audience string        // signInAudience of Graph; empty = AzureADMyOrg
	Tags     []string      // of Graph
	Owners   []string      // user principal names of Graph's owners
	Disabled bool          // every login is refused
	Admin    bool          // its access tokens open the admin APIs
	NoGrant  bool          // client_credentials is answered with unauthorized_client, although the secret is right

	Roles          []string // application permissions that its tokens name; nil, as well as DirectoryRoles = its tokens say nothing
	DirectoryRoles []string // ids of directory roles that its tokens name
	OwnedBy        []string // object ids of the service principals among the owners
}

// IdP is an identity provider with several dialects. It is safe for concurrent use.
type IdP struct {
	now      func() time.Time
	random   func([]byte)
	settings Settings
	admin    [sha256.Size]byte // of the static token; all zero = none

	mu      sync.RWMutex
	clients map[string]*client // by client id
	objects map[string]*client // by Graph's object id
	bearers map[[sha256.Size]byte]bearer
}

// bearer is an access token that opens the admin APIs. Others are handed out and forgotten, so that a million logins
// cost no memory.
type bearer struct {
	client  string
	expires time.Time
}

// NewIdP returns an identity provider without clients. now is its clock.
func NewIdP(now func() time.Time, s Settings) *IdP {
	if s.Random == nil {
		s.Random = func(b []byte) { _, _ = rand.Read(b) }
	}
	p := &IdP{
		now:      now,
		random:   s.Random,
		settings: s.withDefaults(),
		clients:  map[string]*client{},
		objects:  map[string]*client{},
		bearers:  map[[sha256.Size]byte]bearer{},
	}
	if s.AdminToken != "" {
		p.admin = sha256.Sum256([]byte(s.AdminToken))
	}
	return p
}

func (s Settings) withDefaults() Settings {
	s.Telicent = s.Telicent.withDefaults()
	s.Graph = s.Graph.withDefaults()
	if s.PortalTTL == 0 {
		s.PortalTTL = 90 * day
	}
	return s
}

const day = 24 * time.Hour

// Register adds a client. ErrDuplicate: its client id or object id is taken.
func (p *IdP) Register(r Registration) error {
	if r.ObjectID == "" {
		r.ObjectID = "obj-" + r.ClientID
	}
	if r.Name == "" {
		r.Name = r.ClientID
	}
	c := &client{Registration: r}
	c.Secret = "" // only the verifier is kept
	if r.Secret != "" {
		v := c.add(p.now(), p.id(), r.Secret)
		if r.TTL > 0 {
			v.expires = v.start.Add(r.TTL)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clients[r.ClientID] != nil || p.objects[r.ObjectID] != nil {
		return fmt.Errorf("registering %q: %w", r.ClientID, ErrDuplicate)
	}
	p.clients[r.ClientID], p.objects[r.ObjectID] = c, c
	return nil
}

// Unregister removes a client; one that is not there is no error.
func (p *IdP) Unregister(clientID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.clients[clientID]; c != nil {
		delete(p.clients, clientID)
		delete(p.objects, c.ObjectID)
	}
}

// Disable switches the logins of a client off or on again.
func (p *IdP) Disable(clientID string, off bool) error {
	c, err := p.client(clientID)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Disabled = off
	return nil
}

func (p *IdP) client(clientID string) (*client, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if c := p.clients[clientID]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%q: %w", clientID, ErrNoClient)
}

// id returns a fresh identifier in the shape of a UUID, as Graph's key ids have it.
func (p *IdP) id() string {
	var b [16]byte
	p.random(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// value returns a fresh secret: 256 bits, in characters that need no escaping anywhere (RFC 3986 section 2.3).
func (p *IdP) value() string {
	var b [32]byte
	p.random(b[:])
	return told(p.settings.Made, base64.RawURLEncoding.EncodeToString(b[:]))
}

// told tells whoever wants to know of a clear value, and returns it.
func told(made func(string), value string) string {
	if made != nil {
		made(value)
	}
	return value
}

// grantBearer makes an access token. Only a token of an admin client is remembered.
func (p *IdP) grantBearer(c *client, now time.Time) string {
	token := c.claimed(p.value())
	if !c.Admin {
		return token
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, b := range p.bearers {
		if !now.Before(b.expires) {
			delete(p.bearers, key)
		}
	}
	p.bearers[sha256.Sum256([]byte(token))] = bearer{client: c.ClientID, expires: now.Add(tokenLife)}
	return token
}

// tokenLife is how long an access token lives.
const tokenLife = 30 * time.Minute

// admits says whether an Authorization header opens the admin APIs (RFC 6750 section 2.1).
func (p *IdP) admits(header string) bool {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return false
	}
	sum := sha256.Sum256([]byte(token))
	if p.admin != [sha256.Size]byte{} && subtle.ConstantTimeCompare(sum[:], p.admin[:]) == 1 {
		return true
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	b, ok := p.bearers[sum]
	return ok && p.now().Before(b.expires)
}
