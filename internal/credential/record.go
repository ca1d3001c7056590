package credential

import "time"

// FirstSight is the result of registering a client: observing, never rotating.
type FirstSight string

// The results of the first look at a client.
const (
	SightNone      FirstSight = ""                   // not looked at yet
	SightAdopted   FirstSight = "adopted"            // Vault's value verifies and its id is known
	SightUnknownID FirstSight = "adopted-unknown-id" // Vault's value verifies; which secret it is nobody knows
	SightEmpty     FirstSight = "empty"              // nothing in Vault
	SightMismatch  FirstSight = "mismatch"           // Vault's value is refused
)

// Record is all that is known about one client: what a store keeps under its id. Times are UTC.
type Record struct {
	Client    Client       `json:"client"`
	Rev       uint64       `json:"rev"` // raised by every commit; 0 = never committed
	Since     time.Time    `json:"since"`
	Sight     FirstSight   `json:"sight,omitempty"`
	Caps      Capabilities `json:"caps,omitzero"`
	Current   Secret       `json:"current,omitzero"`    // the secret that Vault hands out
	Version   int          `json:"version,omitempty"`   // consumer version that holds it; 0 = none
	VersionAt time.Time    `json:"version_at,omitzero"` // Vault's time of that version; zero = not known
	Proved    bool         `json:"proved,omitzero"`     // the verifier has refused a random value once
	Looked    time.Time    `json:"looked,omitzero"`     // last successful look at the provider
	NextLook  time.Time    `json:"next_look,omitzero"`
	Missing   int          `json:"missing,omitempty"` // looks in a row that did not find the client
	Presumed  bool         `json:"presumed,omitzero"` // the current secret was taken to be the only listed one by a list that may be behind
	Refused   int          `json:"refused,omitempty"` // looks in a row that saw Vault's value refused

	Rotation *Rotation   `json:"rotation,omitempty"` // nil = steady
	Hold     *Hold       `json:"hold,omitempty"`
	Backoff  Backoff     `json:"backoff,omitzero"`
	Request  Request     `json:"request,omitzero"` // what a person asked for and has not begun yet
	Leaving  bool        `json:"leaving,omitzero"` // removed from its source: finishes its rotation, then is archived
	Told     Told        `json:"told,omitzero"`
	Calendar Calendar    `json:"calendar,omitzero"`
	Answered time.Time   `json:"answered,omitzero"` // of the newest notice that somebody has answered by its link
	Last     Last        `json:"last,omitzero"`
	Cleanup  *Cleanup    `json:"cleanup,omitempty"`  // a destroy in Vault that was refused and is retried
	Orphans  []Orphan    `json:"orphans,omitempty"`  // that a person has let go, and that are not gone yet
	Beside   []string    `json:"beside,omitempty"`   // ids that stood beside the current secret and were not rotad's, as the last look saw them
	BesideAt time.Time   `json:"beside_at,omitzero"` // when that was; zero = nobody has looked since the last rotation
	Copies   []CopyState `json:"copies,omitempty"`   // what is known of the client's destinations

	Consumers []ConsumerState `json:"consumers,omitempty"` // what its consumers said last
	Habits    []Habit         `json:"habits,omitempty"`    // how long they went on with old secrets
	Wave      Membership      `json:"wave,omitzero"`       // its part in the rotations of its provider that are due together

	Due    time.Time `json:"due,omitzero"`     // the earliest moment at which something has to be decided; zero = never
	DueFor Reason    `json:"due_for,omitzero"` // why
	Boot   string    `json:"boot,omitempty"`   // the process that decided last
}

// Phase returns the phase of the rotation under way, PhaseSteady if there is none.
func (r Record) Phase() Phase {
	if r.Rotation == nil {
		return PhaseSteady
	}
	return r.Rotation.Phase
}

// Mode returns the overlap mode: that of the rotation under way, else the one last seen.
func (r Record) Mode() Mode {
	if r.Rotation != nil {
		return r.Rotation.Caps.Mode
	}
	return r.Caps.Mode
}

// Backoff is the memory of failures in the current phase.
type Backoff struct {
	Attempts int       `json:"attempts,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Set      time.Time `json:"set,omitzero"`    // when that moment was chosen
	Code     string    `json:"code,omitempty"`  // class of the last error
	Error    string    `json:"error,omitempty"` // the last error for people; never a body, never a secret
	Since    time.Time `json:"since,omitzero"`  // of the first failure in a row
}

// Request is what a person asked for.
type Request struct {
	Rotate      bool      `json:"rotate,omitzero"`
	Approved    bool      `json:"approved,omitzero"`
	Compromised bool      `json:"compromised,omitzero"` // of Rotate: somebody has the secret who must not
	Actor       string    `json:"actor,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	At          time.Time `json:"at,omitzero"`
	Acked       time.Time `json:"acked,omitzero"`  // a person has seen the warnings
	Snooze      time.Time `json:"snooze,omitzero"` // no warnings before this moment
}

// Told is what people have been told about the current secret. It is reset when the secret changes.
type Told struct {
	Secret    string        `json:"secret,omitempty"` // key of the secret this is about: id and expiry
	Warned    time.Duration `json:"warned,omitzero"`  // the Before of the last warning; 0 = none yet
	WarnedAt  time.Time     `json:"warned_at,omitzero"`
	Final     bool          `json:"final,omitzero"`
	Expired   bool          `json:"expired,omitzero"`
	NoExpiry  bool          `json:"no_expiry,omitzero"`
	Unending  bool          `json:"unending,omitzero"`  // that nobody stands for a secret without expiry any more
	Announced time.Time     `json:"announced,omitzero"` // the planned rotation that was announced
	HoldCode  HoldCode      `json:"hold_code,omitempty"`
	HoldAt    time.Time     `json:"hold_at,omitzero"`
	Reminded  time.Time     `json:"reminded,omitzero"`
	Failing   bool          `json:"failing,omitzero"`
}

// Calendar is the one calendar event of a client.
type Calendar struct {
	UID      string    `json:"uid,omitempty"` // random, for ever (RFC 7986 section 5.3)
	Sequence int       `json:"sequence,omitempty"`
	At       time.Time `json:"at,omitzero"`    // where the event stands
	Stamp    time.Time `json:"stamp,omitzero"` // when that was decided; zero = by a rotad that did not write it down
	What     string    `json:"what,omitempty"` // what happens then, for people
	Sent     bool      `json:"sent,omitzero"`
}

// Last is the outcome of the last finished rotation, for status and metrics.
type Last struct {
	Rotation string    `json:"rotation,omitempty"`
	At       time.Time `json:"at,omitzero"`
	Outcome  string    `json:"outcome,omitempty"`  // done | aborted
	Staged   int       `json:"staged,omitempty"`   // staging version that it wrote last
	StagedAt time.Time `json:"staged_at,omitzero"` // Vault's time of it; an entry that is not newer is of no later rotation
	Negative Negative  `json:"negative,omitempty"`

	// Published is the consumer version with which its overlap began, and PublishedAt when that was: what consumers do later is
	// measured from there. 0 = it tells nothing about overlaps.
	Published   int       `json:"published,omitempty"`
	PublishedAt time.Time `json:"published_at,omitzero"`
}

// Cleanup is a destroy of Vault versions that was refused and is retried later: never a reason to stay in revoking.
type Cleanup struct {
	Staging  []int     `json:"staging,omitempty"`
	Consumer []int     `json:"consumer,omitempty"`
	Next     time.Time `json:"next,omitzero"` // when it is tried again
	Tries    int       `json:"tries,omitempty"`
}
