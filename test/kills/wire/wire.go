// Package wire is what the driver of the killed worlds and their provider process say to each other.
//
//	driver ──► control paths ──► provider process
package wire

import "time"

// Names of what both sides know.
const (
	AdminID     = "rotad"
	AdminSecret = "the-admin-secret-of-the-sandbox"
	Tenant      = "contoso.example.com"
)

// The realms that are kinds of clients, and names of paths.
const (
	KindRealmGrace = "kcgrace"
	KindRealmCut   = "kccut"
)

// How long the providers keep a previous secret. Where nobody can read the value back, the wait until an unknown create
// can no longer land must fit in several times, although the daemon is killed meanwhile.
const (
	Grace         = 40 * time.Second
	ReadableGrace = 20 * time.Second
)

// Control paths.
const (
	PathHealth    = "/control/health"
	PathRegister  = "/control/register"   // Client
	PathIssue     = "/control/issue"      // Client; answers with the value
	PathRemoveOld = "/control/remove-old" // Client
	PathSecrets   = "/control/secrets"    // Client; answers with []Secret
	PathArm       = "/control/arm"        // Trap
	PathShut      = "/control/shut"       // answers with the path of the request that the trap shut at
)

// Client names a client of one of the providers.
type Client struct {
	Kind   string
	ID     string
	Secret string
}

// Secret is one that stands at the provider.
type Secret struct {
	ID    string
	Label string
	Live  bool
}

// Operations and moments of a trap.
const (
	OpCreate     = "create"
	OpRevoke     = "revoke"
	WhenReceived = "received" // and not done
	WhenDone     = "done"     // and not answered
	WhenLate     = "late"     // it lands when its sender is dead
)

// Trap kills a process in the middle of a request. Pid 0 takes the trap away.
type Trap struct {
	Pid       int
	Kind      string // a part of the request's path
	Operation string
	When      string
}
