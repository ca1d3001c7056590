package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// PathLightOAuth is the token endpoint beside the portal that LightAPI serves.
const PathLightOAuth = "/oauth2/token"

// LightAPISettings are what a stand-in for light-portal and its OAuth server works with. Zero values are usable.
type LightAPISettings struct {
	HostID string        // empty = "host"
	Token  string        // the bearer token that may do everything; empty = only tokens of Admin clients
	Lag    time.Duration // how far the projection is behind the event store; 0 = not at all
	Cache  time.Duration // how long the OAuth server keeps a verifier that it has looked up; 0 = it keeps none
	Legacy bool          // commands are taken in the form of older portals only
	Text   bool          // a result is a text that holds JSON
	Inside bool          // errors have the status 200
	Shown  bool          // queries show the verifier, as portals did before they were told not to
	Random func([]byte)  // fills a slice; nil = crypto/rand
	Made   func(string)  // told of every secret and token that is made; nil = nobody
}

// LightAPIClient is a client as somebody registers it.
type LightAPIClient struct {
	ClientID string
	Secret   string // its first secret; empty = a random one
	Position string // ownerPositionId; empty = none
	Public   bool
	Inactive bool
	Admin    bool // its access tokens open the portal
}

// LightAPIEvent is a change of a client as the event store has it: never a value.
type LightAPIEvent struct {
	At       time.Time
	Version  int64
	Type     string // "ClientCreatedEvent", "ClientUpdatedEvent", "ClientSecretRegeneratedEvent"
	Reason   string
	Position string
}

// LightAPI is a stand-in for light-portal and light-oauth, written from the design of regenerateClientSecret: an event
// store with versions, a projection that follows it, and an OAuth server with a cache. It keeps verifiers only, and is
// safe for concurrent use.
type LightAPI struct {
	now      func() time.Time
	settings LightAPISettings

	mu      sync.Mutex
	clients map[string]*lightClient
	bearers map[[sha256.Size]byte]bool
}

type lightClient struct {
	LightAPIClient
	events []lightEvent // oldest first
	cached [sha256.Size]byte
	until  time.Time // of the cached verifier; zero = none is cached
}

// lightEvent is an event with the verifier that holds from then on.
type lightEvent struct {
	LightAPIEvent
	verifier [sha256.Size]byte
}

// NewLightAPI returns a portal without clients. now is its clock.
func NewLightAPI(now func() time.Time, s LightAPISettings) *LightAPI {
	if s.HostID == "" {
		s.HostID = "host"
	}
	if s.Random == nil {
		s.Random = func(b []byte) { _, _ = rand.Read(b) }
	}
	p := &LightAPI{now: now, settings: s, clients: map[string]*lightClient{}, bearers: map[[sha256.Size]byte]bool{}}
	if s.Token != "" {
		p.bearers[sha256.Sum256([]byte(s.Token))] = true
	}
	return p
}

// Register adds a client. ErrDuplicate: its client id is taken.
func (p *LightAPI) Register(c LightAPIClient) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clients[c.ClientID] != nil {
		return fmt.Errorf("registering %q: %w", c.ClientID, ErrDuplicate)
	}
	value := c.Secret
	if value == "" {
		value = p.value()
	}
	c.Secret = "" // only the verifier is kept
	kept := &lightClient{LightAPIClient: c}
	p.clients[c.ClientID] = kept
	p.append(kept, lightEvent{verifier: sha256.Sum256([]byte(value)), LightAPIEvent: LightAPIEvent{Type: "ClientCreatedEvent"}})
	return nil
}

// Update is a person who changes something else than the secret of a client.
func (p *LightAPI) Update(clientID string) error {
	return p.byHand(clientID, "updating", func(c *lightClient) {
		p.append(c, lightEvent{verifier: c.last().verifier, LightAPIEvent: LightAPIEvent{Type: "ClientUpdatedEvent"}})
	})
}

// Regenerate is a person who regenerates the secret of a client in the portal. It returns the value.
func (p *LightAPI) Regenerate(clientID string) (value string, err error) {
	err = p.byHand(clientID, "regenerating the secret of", func(c *lightClient) {
		value = p.regenerate(c, LightAPIEvent{Reason: "by hand"})
	})
	return value, err
}

// Deactivate switches a client off or on again.
func (p *LightAPI) Deactivate(clientID string, off bool) error {
	return p.byHand(clientID, "deactivating", func(c *lightClient) { c.Inactive = off })
}

// LookUp lets the OAuth server look a client up anew, as it does at the first login after its cache has run out.
func (p *LightAPI) LookUp(clientID string) error {
	return p.byHand(clientID, "looking up", func(c *lightClient) {
		c.until = time.Time{}
		c.cached, c.until = p.verifier(c)
	})
}

func (p *LightAPI) byHand(clientID, what string, do func(*lightClient)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.clients[clientID]
	if c == nil {
		return fmt.Errorf("%s %q: %w", what, clientID, ErrNoClient)
	}
	do(c)
	return nil
}

// Events returns every change of a client, oldest first.
func (p *LightAPI) Events(clientID string) []LightAPIEvent {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.clients[clientID]
	if c == nil {
		return nil
	}
	out := make([]LightAPIEvent, len(c.events))
	for i, e := range c.events {
		out[i] = e.LightAPIEvent
	}
	return out
}

// Regenerated returns how often the secret of a client has been regenerated.
func (p *LightAPI) Regenerated(clientID string) int {
	n := 0
	for _, e := range p.Events(clientID) {
		if e.Type == eventRegenerated {
			n++
		}
	}
	return n
}

// Accepts says whether a login with this secret would succeed now, and leaves the cache as it is.
func (p *LightAPI) Accepts(clientID string, secret credential.Sensitive) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.clients[clientID]
	if c == nil {
		return false
	}
	verifier, _ := p.verifier(c)
	return admitsLight(c, verifier, secret.Reveal())
}

const eventRegenerated = "ClientSecretRegeneratedEvent"

func (c *lightClient) last() lightEvent { return c.events[len(c.events)-1] }

// append writes an event: its version is the next one.
func (p *LightAPI) append(c *lightClient, e lightEvent) {
	e.At, e.Version = p.now(), int64(len(c.events)+1)
	c.events = append(c.events, e)
}

func (p *LightAPI) regenerate(c *lightClient, e LightAPIEvent) string {
	value := p.value()
	e.Type = eventRegenerated
	p.append(c, lightEvent{verifier: sha256.Sum256([]byte(value)), LightAPIEvent: e})
	return value
}

// projected returns the event that the projection of a client has come to. A client is there from the beginning.
func (p *LightAPI) projected(c *lightClient) lightEvent {
	seen := c.events[0]
	for _, e := range c.events {
		if !e.At.After(p.now().Add(-p.settings.Lag)) {
			seen = e
		}
	}
	return seen
}

// verifier returns what the OAuth server compares with: what it has cached, else what the projection has, with the time
// until which it would then be cached.
func (p *LightAPI) verifier(c *lightClient) (verifier [sha256.Size]byte, until time.Time) {
	if now := p.now(); !now.Before(c.until) {
		return p.projected(c).verifier, now.Add(p.settings.Cache)
	}
	return c.cached, c.until
}

func admitsLight(c *lightClient, verifier [sha256.Size]byte, secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	return !c.Inactive && subtle.ConstantTimeCompare(sum[:], verifier[:]) == 1
}

// shown is a verifier in a form of its own.
func (e lightEvent) shown() string { return "1000:" + hex.EncodeToString(e.verifier[:]) }

// value returns a fresh value, as the portal makes them: bytes in characters that need no escape.
func (p *LightAPI) value() string {
	var b [24]byte
	p.settings.Random(b[:])
	return told(p.settings.Made, base64.RawURLEncoding.EncodeToString(b[:]))
}

// Handler serves the portal under /portal and the token endpoint at PathLightOAuth.
func (p *LightAPI) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /portal/query", p.admitted(p.query))
	mux.HandleFunc("POST /portal/command", p.admitted(p.command))
	mux.HandleFunc("POST "+PathLightOAuth, p.token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", p.now().UTC().Format(http.TimeFormat))
		p.mu.Lock()
		defer p.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}
