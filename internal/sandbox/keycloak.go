package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// KeycloakSettings are what a stand-in for a Keycloak realm works with. Zero values are usable.
type KeycloakSettings struct {
	Realm       string          // empty = "sandbox"
	AdminID     string          // service account that opens the admin API; empty = "rotad"
	AdminSecret string          // its secret; empty = no admin login works
	Policy      *KeycloakPolicy // nil = no policy: a new secret kills the old one at once
	NoViewRealm bool            // the account may not read client policies
	ReadOnly    bool            // the account may read clients and not replace secrets
	AdminRoles  []string        // that the account's tokens name, as "client/role"; nil = they say nothing
	TokenLife   time.Duration   // of the account's token; 0 = five minutes
	Random      func([]byte)    // fills a slice; nil = crypto/rand
	Made        func(string)    // told of every secret and token that is made; nil = nobody
}

// KeycloakPolicy is a client policy with the executor secret-rotation that covers every confidential client.
type KeycloakPolicy struct {
	Expiration time.Duration // of a new secret; 0 = 30 days
	Rotated    time.Duration // how long the replaced one lives on; 0 = 48 hours
}

// KeycloakClient is a client as somebody registers it.
type KeycloakClient struct {
	ClientID       string
	Secret         string // its first secret; empty = a random one
	Public         bool
	BearerOnly     bool
	Disabled       bool
	ServiceAccount bool              // client_credentials is allowed
	Authenticator  string            // empty = "client-secret"
	Attributes     map[string]string // shown beside those of the secret
}

// Keycloak is a stand-in for one realm of a Keycloak server: clients, their secrets, client policies and the token endpoint, with the
// answers of version 26.5. Unlike the other dialects it keeps clear values, because Keycloak shows them. It is safe
// for concurrent use.
type Keycloak struct {
	now      func() time.Time
	settings KeycloakSettings

	mu      sync.Mutex
	clients map[string]*keycloakClient // by UUID
	names   map[string]*keycloakClient // by client id
	tokens  map[[sha256.Size]byte]time.Time
	posts   map[string]int // replaced secrets, by client id
}

type keycloakClient struct {
	KeycloakClient
	uuid           string
	secret         string
	created        int64 // epoch seconds; 0 = no attribute
	expires        int64
	rotated        string
	rotatedAt      int64
	rotatedExpires int64
}

// NewKeycloak returns a realm without clients. now is its clock.
func NewKeycloak(now func() time.Time, s KeycloakSettings) *Keycloak {
	if s.Realm == "" {
		s.Realm = "sandbox"
	}
	if s.AdminID == "" {
		s.AdminID = "rotad"
	}
	if s.TokenLife == 0 {
		s.TokenLife = 5 * time.Minute
	}
	if s.Random == nil {
		s.Random = func(b []byte) { _, _ = rand.Read(b) }
	}
	s.Policy = s.Policy.withDefaults()
	return &Keycloak{
		now: now, settings: s, clients: map[string]*keycloakClient{}, names: map[string]*keycloakClient{},
		posts: map[string]int{}, tokens: map[[sha256.Size]byte]time.Time{},
	}
}

func (p *KeycloakPolicy) withDefaults() *KeycloakPolicy {
	if p == nil {
		return nil
	}
	out := *p
	if out.Expiration == 0 {
		out.Expiration = 30 * day
	}
	if out.Rotated == 0 {
		out.Rotated = 2 * day
	}
	return &out
}

// Register adds a client. Like an imported one it has no dates until its secret is replaced. ErrDuplicate: its client
// id is taken.
func (k *Keycloak) Register(c KeycloakClient) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID(c.ClientID) != nil {
		return fmt.Errorf("registering %q: %w", c.ClientID, ErrDuplicate)
	}
	if c.Secret == "" {
		c.Secret = k.value()
	}
	kept := &keycloakClient{KeycloakClient: c, uuid: k.uuid(), secret: c.Secret}
	k.clients[kept.uuid], k.names[kept.ClientID] = kept, kept
	return nil
}

// Unregister removes a client; one that is not there is no error.
func (k *Keycloak) Unregister(clientID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.byID(clientID); c != nil {
		delete(k.clients, c.uuid)
		delete(k.names, clientID)
	}
}

// SetPolicy changes the client policy of the realm from now on; nil = there is none.
func (k *Keycloak) SetPolicy(p *KeycloakPolicy) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.settings.Policy = p.withDefaults()
}

// SetSecret is a person who sets another value by hand: the old one dies at once, and no date changes.
func (k *Keycloak) SetSecret(clientID, value string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.byID(clientID)
	if c == nil {
		return fmt.Errorf("setting the secret of %q: %w", clientID, ErrNoClient)
	}
	c.secret = value
	return nil
}

// AdminForget makes every token of the admin account invalid, as a restart of the server does.
func (k *Keycloak) AdminForget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.tokens)
}

// Replaced returns how often the secret of a client has been replaced through the admin API.
func (k *Keycloak) Replaced(clientID string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.posts[clientID]
}

// Accepts says whether a login with this secret would succeed now.
func (k *Keycloak) Accepts(clientID string, secret credential.Sensitive) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.byID(clientID)
	return c != nil && !c.Disabled && c.accepts(k.now().Unix(), secret.Reveal())
}

// accepts follows Keycloak: a current secret past its end takes the replaced one with it, and the last second counts.
func (c *keycloakClient) accepts(now int64, secret string) bool {
	if c.expires != 0 && now > c.expires {
		return false
	}
	if secret == c.secret {
		return true
	}
	return c.rotated != "" && secret == c.rotated && now <= c.rotatedExpires
}

// replace makes a new secret, with the dates that the executor writes. The replaced one is stamped with the moment of
// its replacement, not with its own start.
func (k *Keycloak) replace(c *keycloakClient) {
	now, old := k.now().Unix(), c.secret
	c.secret, c.created = k.value(), now
	c.rotated, c.rotatedAt, c.rotatedExpires, c.expires = "", 0, 0, 0
	if p := k.settings.Policy; p != nil && !c.Public && !c.BearerOnly {
		c.expires = now + int64(p.Expiration/time.Second)
		c.rotated, c.rotatedAt, c.rotatedExpires = old, now, now+int64(p.Rotated/time.Second)
	}
	k.posts[c.ClientID]++
}

func (k *Keycloak) byID(clientID string) *keycloakClient { return k.names[clientID] }

func (k *Keycloak) uuid() string {
	var b [16]byte
	k.settings.Random(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (k *Keycloak) value() string {
	var b [24]byte
	k.settings.Random(b[:])
	value := strings.NewReplacer("-", "x", "_", "y").Replace(base64.RawURLEncoding.EncodeToString(b[:]))
	return told(k.settings.Made, value)
}

// attributes are those of the client and those that the executor keeps, as text.
func (c *keycloakClient) attributes() map[string]string {
	out := map[string]string{"realm_client": "false"}
	maps.Copy(out, c.Attributes)
	for name, value := range map[string]int64{
		"client.secret.creation.time":           c.created,
		"client.secret.expiration.time":         c.expires,
		"client.secret.rotated.creation.time":   c.rotatedAt,
		"client.secret.rotated.expiration.time": c.rotatedExpires,
	} {
		if value != 0 {
			out[name] = strconv.FormatInt(value, 10)
		}
	}
	if c.rotated != "" {
		out["client.secret.rotated"] = c.rotated
	}
	return out
}

// show is the client representation.
func (k *Keycloak) show(c *keycloakClient) map[string]any {
	authenticator := c.Authenticator
	if authenticator == "" {
		authenticator = "client-secret"
	}
	out := map[string]any{
		"id": c.uuid, "clientId": c.ClientID, "enabled": !c.Disabled, "publicClient": c.Public,
		"bearerOnly": c.BearerOnly, "protocol": "openid-connect", "clientAuthenticatorType": authenticator,
		"serviceAccountsEnabled": c.ServiceAccount, "attributes": c.attributes(),
		"access": map[string]bool{"view": true, "configure": !k.settings.ReadOnly, "manage": !k.settings.ReadOnly},
	}
	if !c.Public {
		out["secret"] = c.secret
	}
	return out
}

// Handler serves the realm. Keycloak sends no Date header, so neither does this.
func (k *Keycloak) Handler() http.Handler {
	mux := http.NewServeMux()
	realm, admin := "/realms/"+k.settings.Realm+"/protocol/openid-connect", "/admin/realms/"+k.settings.Realm
	mux.HandleFunc("POST "+realm+"/token", k.token)
	mux.HandleFunc("POST "+realm+"/token/introspect", k.introspect)
	k.adminRoutes(mux, admin)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		k.mu.Lock()
		defer k.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}
