package admin

import (
	"context"
	"io"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Reader is what the reading commands need. A store satisfies it, and so does a Client.
type Reader interface {
	// Get returns the record of a client; ok is false if there is none.
	Get(ctx context.Context, id string) (rec credential.Record, ok bool, err error)
	// List returns records in the order of their ids, those after an id, at most n (0 = as many as a page holds). A
	// shorter answer than asked for is the last one.
	List(ctx context.Context, after string, n int) ([]credential.Record, error)
	// History returns the audit entries of a client, newest first, at most n (0 = as many as a page holds).
	History(ctx context.Context, id string, n int) ([]credential.Audit, error)
}

// Actor does what people want. An error that is an *Error says what kind of failure it is; any other counts as
// ClassFailed. No error may carry a clear secret.
type Actor interface {
	Do(ctx context.Context, c Command) (Reply, error)
}

// Copier writes a consistent copy of the state.
type Copier interface {
	WriteTo(ctx context.Context, w io.Writer) (int64, error)
}

// World is what a command has to know of the daemon to tell what comes next: its clock, which is not the wall clock in
// the demo, the policies in force, and which process it is, because only the one that asked for a create knows whether it was
// sent.
type World struct {
	Now      time.Time                    `json:"now"`
	Policies map[string]credential.Policy `json:"policies"`
	Boot     string                       `json:"boot,omitempty"` // empty = no daemon runs
	// Providers are the configured ones, in the order of their names.
	Providers []ProviderState `json:"providers,omitempty"`
}

// Verb names what a Command asks for.
type Verb string

// The verbs.
const (
	VerbRotate   Verb = "rotate"
	VerbApprove  Verb = "approve"
	VerbRollback Verb = "rollback"
	VerbHold     Verb = "hold"
	VerbResume   Verb = "resume"   // Resolve, and SecretID where it takes one
	VerbAck      Verb = "ack"      //
	VerbMoved    Verb = "moved"    // Consumer, Version
	VerbSnooze   Verb = "snooze"   // Until
	VerbPrepare  Verb = "prepare"  // may a value be submitted now, and does Vault take it?
	VerbSubmit   Verb = "submit"   // Value, and what is known of its end
	VerbRegister Verb = "register" // Clients, Source, DryRun
	VerbRemove   Verb = "remove"
	VerbCalendar Verb = "calendar" // Owner, Revoke
	VerbOrphans  Verb = "orphans"  // which secrets of the client were made by rotad and left; with SecretID, let this one go
	VerbWave     Verb = "wave"     // Provider: let its wave, which stands still, go on
)

// Command is one thing that a person wants. Which fields it has depends on its verb.
type Command struct {
	Verb        Verb
	Client      string // id; empty for VerbRegister, VerbCalendar and VerbWave
	Reason      string // for the audit; may be empty
	Resolve     credential.Resolve
	SecretID    string
	Until       time.Time
	Value       credential.Sensitive
	Expires     time.Time // of Value; zero = nobody says it
	Never       bool      // Value does not expire
	Clients     []credential.Client
	Source      string // SourceAdd or SourceImport
	DryRun      bool   // say what would change, and change nothing
	Compromised bool   // of VerbRotate: somebody has the secret who must not
	Consumer    string // of VerbMoved: who says which version it runs on
	Version     int    // of VerbMoved: in Vault
	Look        bool   // in a dry run of one client: look at it, too, and return its record as it would be then
	Owner       string // of VerbCalendar: whose feed
	Revoke      bool   // of VerbCalendar: give the feed another address first, so that the present one leads nowhere
	Provider    string // of VerbWave
	Actor       string // who asks, as the kernel says; set by the server, whatever the request says
}

// The sources of clients that were registered by a command; those of the configuration have "file:line".
const (
	SourceAdd    = "api"
	SourceImport = "import"
)

// Reply is what came of a Command.
type Reply struct {
	// Record is the client's record as it was committed; for VerbRegister as a first look would leave it, nil where none
	// was asked for.
	Record *credential.Record `json:"record,omitempty"`
	// Registered says what became of Command.Clients; nil for other verbs.
	Registered *Registered `json:"registered,omitempty"`
	// Orphans are what VerbOrphans has found at the provider.
	Orphans []Orphan `json:"orphans,omitempty"`
	// Address is where the feed of VerbCalendar is. Whoever has it can read the feed.
	Address string `json:"address,omitempty"`
}

// Orphan is a secret that stands at the provider beside the one that Vault hands out, and carries rotad's label or was
// recorded as made by it.
type Orphan struct {
	Client    string    `json:"client"`
	Secret    string    `json:"secret"` // its id
	Label     string    `json:"label,omitempty"`
	Start     time.Time `json:"start,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
	LastUse   time.Time `json:"last_use,omitzero"`  // zero = the provider does not say
	Rotation  string    `json:"rotation,omitempty"` // of this client, that made it; empty = the history does not have it
	Published bool      `json:"published,omitzero"` // that rotation has published its secret: somebody may have read it
	Going     bool      `json:"going,omitzero"`     // it was let go, and is being deleted
	Kept      string    `json:"kept,omitempty"`     // why it cannot be let go now
}

// Registered counts what a registration did, or would do.
type Registered struct {
	New       int        `json:"new"`
	Changed   int        `json:"changed"`
	Unchanged int        `json:"unchanged"`
	Rejected  []Rejected `json:"rejected,omitempty"`
}

// Rejected is a client that was not registered, and why.
type Rejected struct {
	Index    int    `json:"index"` // in Command.Clients
	Path     string `json:"path,omitempty"`
	What     string `json:"what"`
	Hint     string `json:"hint,omitempty"`
	Conflict bool   `json:"conflict,omitzero"` // it is right in itself, but something stands against it
}

func (r Rejected) class() Class {
	if r.Conflict {
		return ClassRefused
	}
	return ClassWrong
}
