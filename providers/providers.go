package providers

import (
	"context"
	"net/http"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Provider is a configured connection to one identity provider. It is safe for concurrent use. Every method honours
// its context, and every error either is, or wraps, an *Error, or counts as ClassIndeterminate.
type Provider interface {
	// Inspect lists what the provider knows of a client's secrets, and probes what it can do for this client. It
	// changes nothing. ClassNotFound: there is no such client.
	Inspect(ctx context.Context, t Target) (Snapshot, error)

	// Create makes a new secret, exactly once: an adapter never repeats the request that creates. With
	// Request.Proposed it sets that value; a repetition with the same value must then be harmless where Capabilities
	// say Repeatable.
	//
	// An error of any class but ClassIndeterminate and ClassNotUnderstood means that definitely nothing was created.
	// ClassNotUnderstood means that the provider said yes in a form that could not be read; Issued.Raw then holds the
	// reply's body, which must not be lost. ClassUnsupported with an Issued.Bundle means that the provider said yes and
	// kept the secret: nothing was rotated, and the bundle, which is the old secret beside rotad's present keys, must not
	// be lost either.
	Create(ctx context.Context, t Target, r Request) (Issued, error)

	// Verify asks whether the provider accepts a bundle. The error explains an Unknown answer, and only that.
	Verify(ctx context.Context, t Target, b credential.Bundle) (Answer, error)
}

// Target is the client that a call is about.
type Target struct {
	Client string         // rotad's id of the client
	Ref    credential.Ref // what the provider calls it
	Verify credential.VerifySettings
	Grace  time.Duration // grace stated by a person, where the provider does not show it; 0 = none stated

	// Held reads what Vault holds of this client now: the newest of what is staged and what is published. It is for kinds
	// whose key to a client is kept in the client's own bundle (RFC 7592), and costs two reads of Vault. nil = nobody can
	// read Vault here.
	Held func(context.Context) (credential.Bundle, error)
}

// Snapshot is the result of Inspect: metadata only, never a value.
type Snapshot struct {
	Caps     credential.Capabilities
	ClientID string              // the OAuth client_id that goes into the bundle
	Secrets  []credential.Secret // current first where the provider has an order
	Time     time.Time           // the provider's clock (Date header); zero = not known
}

// Current returns the secret that the provider calls current: the only one, or the one in the slot "current".
func (s Snapshot) Current() (credential.Secret, bool) {
	if len(s.Secrets) == 1 {
		return s.Secrets[0], true
	}
	for _, secret := range s.Secrets {
		if secret.Slot == SlotCurrent {
			return secret, true
		}
	}
	return credential.Secret{}, false
}

// Find returns the listed secret with this id.
func (s Snapshot) Find(id string) (credential.Secret, bool) {
	for _, secret := range s.Secrets {
		if secret.ID == id {
			return secret, true
		}
	}
	return credential.Secret{}, false
}

// Names of the slots of providers that keep a current and a previous secret.
const (
	SlotCurrent  = "current"
	SlotPrevious = "previous"
	SlotStaged   = "staged" // beside the current one, which it is to replace; or, after that, the one that it has replaced
)

// Request is what Create is asked for.
type Request struct {
	Label    string            // unique per rotation and attempt; kept by providers that have labels
	Proposed credential.Bundle // set when rotad chooses the value; else empty
	Expires  time.Time         // wanted expiry, where Capabilities say SetsExpiry; zero = the provider's default
	Reason   string            // for the provider's own audit, where it takes one
}

// Issued is the result of Create, or of reading the current value back.
type Issued struct {
	Secret  credential.Secret    // the new one
	Bundle  credential.Bundle    // complete: everything that a consumer needs
	OldDies time.Time            // when the provider drops the previous one; zero = not by itself, or unknown
	Raw     credential.Sensitive // the reply's body, on ClassNotUnderstood only
}

// Answer is what a provider said about a bundle.
type Answer int

// The answers. Unknown is the zero value: no answer, or one that proves nothing.
const (
	Unknown Answer = iota
	Accepted
	Refused
)

// String returns the answer in lower case.
func (a Answer) String() string {
	switch a {
	case Accepted:
		return "accepted"
	case Refused:
		return "refused"
	case Unknown:
	}
	return "unknown"
}

// Recoverer reads the current value back, without changing anything. It applies where Capabilities say Readable.
type Recoverer interface {
	Recover(ctx context.Context, t Target) (Issued, error)
}

// Revoker deletes one secret by its explicit id. A secret that is already gone is success. Where Capabilities say
// SlotRevoke, it looks again right before and deletes the slot only if the slot holds the secret with this id;
// ClassConflict if it holds another one.
type Revoker interface {
	Revoke(ctx context.Context, t Target, id string) error
}

// Activator lets a secret that stands beside the current one take its place (mode staged). It looks right before:
// ClassConflict where the current one is neither of the two, or the fresh one is not there; where the fresh one is current
// already, that is success and nothing is sent. The old one may end with it at once, or stay, until it is revoked or the
// provider's own timer ends it.
type Activator interface {
	Activate(ctx context.Context, t Target, fresh, old string) error
}

// Decoder reads a stored reply again (rotad resume --retry), for example with corrected field paths.
type Decoder interface {
	Decode(t Target, raw credential.Sensitive) (Issued, error)
}

// Checker says what an account may do, for "rotad check --online": one finding per missing or missing-but-useful
// right. It changes nothing.
type Checker interface {
	Check(ctx context.Context) []Finding
}

// Finding is one line of an online check.
type Finding struct {
	Problem  bool   // else it is only worth knowing
	Rotation bool   // it stands against rotations alone, and is no problem for who only watches
	Refused  bool   // the account was refused, or seems to lack a right: a right that is missing explains it (RightsReader)
	What     string // what was asked and what came back
	Hint     string // what to do
}

// Publisher has documents that others fetch, with nothing private in them.
type Publisher interface {
	// Published serves them, below the path that the daemon gives it.
	Published() http.Handler
}

// Generator makes the value of a caller-chosen secret in the provider's alphabet.
type Generator interface {
	Generate(t Target) (credential.Bundle, error)
}
