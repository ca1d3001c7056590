package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// RoverSettings are what a stand-in for a control plane with the rover API works with. Zero values are usable.
type RoverSettings struct {
	Group, Team string        // empty = "eni" and "hyperion"; the first parts of every id
	TeamSecret  string        // secret of the team's own client, "<group>--<team>"; empty = no login works
	Lag         time.Duration // until a rotation that was asked for is seen by the controller; until then the status is the old one
	Converge    time.Duration // from then on, how long the controller needs
	Expiration  time.Duration // of a secret in a zone with the feature; 0 = 90 days
	Grace       time.Duration // of the replaced one; 0 = 7 days
	TokenLife   time.Duration // of the team's token; 0 = five minutes
	OldNames    bool          // currentSecretValue and rotatedSecretValue, as older builds say
	ZeroTimes   bool          // what is absent is written as 0001-01-01T00:00:00Z, as older builds do
	NoStatus    bool          // a server from before graceful rotation: there is no status of a rotation
	Hidden      bool          // the account may not see secrets
	TokenURL    string        // token endpoint in the info; empty = this server's
	Random      func([]byte)  // fills a slice; nil = crypto/rand
	Made        func(string)  // told of every secret and token that is made; nil = nobody
}

// RoverApp is an application as somebody registers it.
type RoverApp struct {
	Name   string
	Secret string        // its first secret; empty = a random one
	TTL    time.Duration // life of that first secret, in a zone with the feature; 0 = that of all
	Off    bool          // its zone does not have the feature SecretRotation
	OptOut bool          // the zone has it, and an annotation of the client switches it off
}

// Rover is a stand-in for the team API of a control plane: applications, their secrets, and a controller that carries
// out a rotation some time after it was asked for. It is written from the OpenAPI description and the documentation of
// telekom/controlplane. Like the original it can show secrets, so it keeps clear values. It is safe for concurrent use.
type Rover struct {
	now      func() time.Time
	settings RoverSettings

	mu     sync.Mutex
	apps   map[string]*roverApp // by id
	tokens map[[sha256.Size]byte]time.Time
}

type roverApp struct {
	RoverApp
	id             string // of the resource, and client_id
	secret         string
	expires        time.Time
	rotated        string
	rotatedExpires time.Time // zero = the replaced one died at once
	asked          time.Time // a rotation was asked for; zero = none is under way
	stalled        bool      // the controller does nothing
	made           int
}

// NewRover returns a control plane without applications. now is its clock.
func NewRover(now func() time.Time, s RoverSettings) *Rover {
	if s.Group == "" {
		s.Group, s.Team = "eni", "hyperion"
	}
	if s.Expiration == 0 {
		s.Expiration = 90 * day
	}
	if s.Grace == 0 {
		s.Grace = 7 * day
	}
	if s.TokenLife == 0 {
		s.TokenLife = 5 * time.Minute
	}
	if s.Random == nil {
		s.Random = func(b []byte) { _, _ = rand.Read(b) }
	}
	return &Rover{now: now, settings: s, apps: map[string]*roverApp{}, tokens: map[[sha256.Size]byte]time.Time{}}
}

// Register adds an application. ErrDuplicate: its name is taken.
func (r *Rover) Register(a RoverApp) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := r.id(a.Name)
	if r.apps[id] != nil {
		return fmt.Errorf("registering %q: %w", a.Name, ErrDuplicate)
	}
	if a.Secret == "" {
		a.Secret = r.value()
	}
	if a.TTL == 0 {
		a.TTL = r.settings.Expiration
	}
	kept := &roverApp{RoverApp: a, id: id, secret: a.Secret}
	if kept.graceful() {
		kept.expires = r.now().Add(a.TTL).Truncate(time.Second)
	}
	r.apps[id] = kept
	return nil
}

func (r *Rover) id(name string) string {
	return r.settings.Group + "--" + r.settings.Team + "--" + name
}

// ClientID returns the client_id of an application.
func (r *Rover) ClientID(name string) string { return r.id(name) }

// Change changes what is registered of an application: a zone gets the feature, or loses it. An unknown name changes
// nothing.
func (r *Rover) Change(name string, change func(*RoverApp)) {
	r.with(name, func(a *roverApp) { change(&a.RoverApp) })
}

// Stall stops the controller for an application, or lets it go on.
func (r *Rover) Stall(name string, stalled bool) {
	r.with(name, func(a *roverApp) {
		if !stalled && !a.asked.IsZero() {
			a.asked = r.now() // it begins now
		}
		a.stalled = stalled
	})
}

// Made returns how many secrets have been made for an application, or are certain to be made.
func (r *Rover) Made(name string) int {
	n := 0
	r.with(name, func(a *roverApp) {
		if n = a.made; !a.asked.IsZero() {
			n++
		}
	})
	return n
}

// Accepts says whether a login with this secret would succeed now.
func (r *Rover) Accepts(name string, secret credential.Sensitive) bool {
	ok := false
	r.with(name, func(a *roverApp) { ok = a.accepts(r.now(), secret.Reveal()) })
	return ok
}

// TeamToken returns a token of the team, as if it had logged in.
func (r *Rover) TeamToken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.grant()
}

// grant makes a token that opens the API.
func (r *Rover) grant() string {
	token := r.value()
	r.tokens[sha256.Sum256([]byte(token))] = r.now().Add(r.settings.TokenLife)
	return token
}

// with brings an application up to date and does something with it.
func (r *Rover) with(name string, do func(*roverApp)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.apps[r.id(name)]; a != nil {
		r.reconcile(a)
		do(a)
	}
}

func (a *roverApp) graceful() bool { return !a.Off && !a.OptOut }

func (a *roverApp) accepts(now time.Time, secret string) bool {
	if secret == a.secret {
		return a.expires.IsZero() || now.Before(a.expires)
	}
	return a.rotated != "" && secret == a.rotated && now.Before(a.rotatedExpires)
}

// state is what the controller is at.
type state int

const (
	settled state = iota
	unseen        // asked for and not seen: everything looks as before
	working       // the application is not ready
)

func (r *Rover) state(a *roverApp) state {
	switch since := r.now().Sub(a.asked); {
	case a.asked.IsZero():
		return settled
	case a.stalled || since < r.settings.Lag:
		return unseen
	case since < r.settings.Lag+r.settings.Converge:
		return working
	}
	return settled
}

// reconcile is the controller: what was asked for is carried out once its time has come. There is one place for a
// replaced secret, so one that still counts down is lost.
func (r *Rover) reconcile(a *roverApp) {
	if a.asked.IsZero() || r.state(a) != settled {
		return
	}
	done := a.asked.Add(r.settings.Lag + r.settings.Converge).Truncate(time.Second)
	a.rotated, a.rotatedExpires, a.expires = "", time.Time{}, time.Time{}
	if !a.Off {
		a.rotated = a.secret // an annotation does not keep it from being shown
	}
	if a.graceful() {
		a.rotatedExpires, a.expires = done.Add(r.settings.Grace), done.Add(r.settings.Expiration)
	}
	a.secret, a.asked = r.value(), time.Time{}
	a.made++
}

func (r *Rover) value() string {
	var b [16]byte
	r.settings.Random(b[:])
	return told(r.settings.Made, fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

// Replace is a person who rotates the secret of an application and waits for it. It returns the value.
func (r *Rover) Replace(name string) (value string, err error) {
	err = fmt.Errorf("rotating the secret of %q: %w", name, ErrNoClient)
	r.with(name, func(a *roverApp) {
		a.asked = r.now().Add(-r.settings.Lag - r.settings.Converge)
		r.reconcile(a)
		value, err = a.secret, nil
	})
	return value, err
}
