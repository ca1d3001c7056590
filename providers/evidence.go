package providers

// Evidence says what an adapter, or a preset, was proved against. The zero value is that nobody looked at anything.
type Evidence struct {
	Level  EvidenceLevel
	Server string // names and versions of the servers, of EvidenceServer
	Test   string // file of the test that asks them, of EvidenceServer
}

// EvidenceLevel is how strong an Evidence is.
type EvidenceLevel string

// The levels, strongest first.
const (
	EvidenceServer        EvidenceLevel = "real-server"   // a test asks the server itself
	EvidenceRecorded      EvidenceLevel = "recorded"      // answers that a live system gave
	EvidenceDocumentation EvidenceLevel = "documentation" // what the maker of the server writes about it, and nothing else
	EvidenceOwn           EvidenceLevel = "own"           // there is no maker: the user's own program or description, or rotad itself
)

// String returns the level, and the servers where there are some.
func (e Evidence) String() string {
	if e.Server == "" {
		return string(e.Level)
	}
	return string(e.Level) + " " + e.Server
}

// Proven says whether something else than documentation stands behind it. What is not known is not proven.
func (e Evidence) Proven() bool {
	switch e.Level {
	case EvidenceServer, EvidenceRecorded, EvidenceOwn:
		return true
	case EvidenceDocumentation:
	}
	return false
}

// Traits are what a kind, or a preset, can do, as "rotad kinds" says it before anybody has asked a server. What holds for
// one client is said by credential.Capabilities.
type Traits struct {
	Value   string // who chooses a secret's value: ChosenBy...
	Live    string // how many secrets may live at once, for people; empty = not known
	Lists   bool   // what secrets there are can be seen
	Revokes bool   // one secret can be ended at once, by its id
	Usage   bool   // when a secret was used last can be seen
	Walks   bool   // a whole tenant can be walked: it is a Lister

	Unshared bool      // what it rotates is known to no provider: there is no other side that shares it
	Instead  []Instead // what the server takes in place of a shared secret; nil = nothing, or nothing that is known
}

// Instead is a way to log in without a secret that both sides know.
type Instead struct {
	Method string // InsteadKeys or InsteadFederation
	How    string // where it is switched on, for people
}

// The ways to log in without a shared secret.
const (
	InsteadKeys       = "private_key_jwt" // RFC 7523: the server has the public half only
	InsteadFederation = "federation"      // the workload shows a token of where it runs, which the server trusts (RFC 7523, RFC 8693)
)

// Who chooses a secret's value.
const (
	ChosenByProvider = "provider"
	ChosenByRotad    = "rotad"
	ChosenByEither   = "provider or rotad"
	ChosenByPerson   = "person"
)
