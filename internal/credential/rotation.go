package credential

import "time"

// Phase is how far a rotation has come: what is durable.
type Phase string

// The phases of a rotation. PhaseSteady means that nothing is under way.
const (
	PhaseSteady       Phase = "steady"
	PhaseIntent       Phase = "intent"       // rotation id, attempt, label, ids seen before, Vault versions
	PhaseCompensating Phase = "compensating" // the one orphan id to delete, or the old value to bring back
	PhaseStaged       Phase = "staged"       // the new secret's id and where it is staged
	PhaseVerified     Phase = "verified"     // the new secret has been accepted often enough
	PhaseOverlap      Phase = "overlap"      // Vault hands out the new one; both are valid
	PhaseRevoking     Phase = "revoking"     // the point of no return, naming one id
)

// CauseKind is why a rotation began.
type CauseKind string

// The causes of a rotation.
const (
	CauseScheduled   CauseKind = "scheduled"   // its due time came
	CauseRequired    CauseKind = "required"    // the provider says that rotation is required
	CauseExpired     CauseKind = "expired"     // the current secret had expired already
	CauseRequested   CauseKind = "requested"   // a person asked for it
	CauseBootstrap   CauseKind = "bootstrap"   // Vault held nothing and bootstrap is allowed
	CauseSubmitted   CauseKind = "submitted"   // a person brought a value
	CauseRolledBack  CauseKind = "rolled-back" // a person went back to the secret before
	CauseCompromised CauseKind = "compromised" // somebody has the secret who must not: no overlap, no window
)

// Cause is why a rotation began and who wanted it.
type Cause struct {
	Kind   CauseKind `json:"kind"`
	Actor  string    `json:"actor,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// Scheduled says whether the rotation began by plan, so that nobody else has to be told.
func (c Cause) Scheduled() bool {
	return c.Kind == CauseScheduled || c.Kind == CauseRequired
}

// Rotation is one run that replaces a client's current secret. It pins what it began with: provider, reference, Vault
// path and policy do not change under it.
type Rotation struct {
	ID      string       `json:"id"`
	Attempt int          `json:"attempt"` // of create; counts from 1
	Phase   Phase        `json:"phase"`
	Since   time.Time    `json:"since"` // when this phase began
	Cause   Cause        `json:"cause"`
	Client  Client       `json:"client"` // pinned
	Policy  Policy       `json:"policy"` // pinned
	Caps    Capabilities `json:"caps"`   // pinned at the intent
	Started time.Time    `json:"started"`

	Before     []Secret `json:"before,omitempty"`      // listed at the provider before the intent
	Old        Secret   `json:"old,omitzero"`          // the one to be replaced; no id = nothing will be revoked
	OldVersion int      `json:"old_version,omitempty"` // consumer version that holds the old value; 0 = none

	ConsumerBase int       `json:"consumer_base,omitempty"` // consumer version that is replaced where that is not OldVersion: it holds no secret, or one that a person replaces; 0 = OldVersion
	FenceBase    int       `json:"fence_base"`              // staging version that the next fence expects
	Fence        int       `json:"fence,omitempty"`         // staging version of our last fence; 0 = none is known
	FenceAt      time.Time `json:"fence_at,omitzero"`       // Vault's time of that fence
	Unsettled    *Moment   `json:"unsettled,omitempty"`     // since when the outcome of a create has been unknown; nil = it is not
	Asked        string    `json:"asked,omitempty"`         // the process that last had an outcome of a create: it knows whether one was sent
	Resent       int       `json:"resent,omitempty"`        // times a caller-chosen value was sent again
	Replaced     bool      `json:"replaced,omitzero"`       // an attempt has replaced the old secret, and its value is lost: there is nothing to go back to
	Sent         *Moment   `json:"sent,omitempty"`          // when a caller-chosen value was last sent without an answer; nil = never

	New           Secret        `json:"new,omitzero"`
	Staged        int           `json:"staged,omitempty"` // staging version that holds the new bundle
	StagedAt      time.Time     `json:"staged_at,omitzero"`
	Orphan        string        `json:"orphan,omitempty"`    // compensating: the one id to delete
	Successes     int           `json:"successes,omitempty"` // consecutive, of the current phase
	Publishing    bool          `json:"publishing,omitzero"` // a promote was asked for, and may land; only a foreign version rules that out
	Promoted      int           `json:"promoted,omitempty"`  // consumer version that holds the new bundle
	PromotedAt    time.Time     `json:"promoted_at,omitzero"`
	RevokeAfter   time.Time     `json:"revoke_after,omitzero"` // revoke_not_before
	OldDies       time.Time     `json:"old_dies,omitzero"`     // when the provider itself drops the old one; zero = never or unknown
	Cutover       bool          `json:"cutover,omitzero"`      // the old secret died when the new one was born
	Override      bool          `json:"override,omitzero"`     // began outside its window because the expiry left no other
	Restored      bool          `json:"restored,omitzero"`     // compensating: Vault hands out the old value again
	SinceBoot     string        `json:"since_boot,omitempty"`  // with SinceElapsed: when this phase began, or the value was restored, on the monotonic clock
	SinceElapsed  time.Duration `json:"since_elapsed,omitzero"`
	Aborting      bool          `json:"aborting,omitzero"`      // a person has ended it: what was added is deleted, then it is over
	Revoked       bool          `json:"revoked,omitzero"`       // confirmed gone at the provider
	RollingBack   *Cause        `json:"rolling_back,omitempty"` // a person wants the old secret back; nil = nobody does
	Reloads       []ReloadState `json:"reloads,omitempty"`      // how far the steps of the reload are
	Undelivered   bool          `json:"undelivered,omitzero"`   // a person lets the old secret go although a destination or a consumer does not hold the new one
	SameAs        int           `json:"same_as,omitempty"`      // consumer version that holds what is published, from before a roll-back; 0 = none
	OldUsed       time.Time     `json:"old_used,omitzero"`      // when the old secret was used last, as the provider says; zero = it has not said
	Extended      time.Time     `json:"extended,omitzero"`      // since when the overlap lasts longer than planned, because the old secret is in use; zero = it does not
	LastCall      bool          `json:"last_call,omitzero"`     // told that the old secret goes although it is in use
	Negative      Negative      `json:"negative,omitempty"`
	NegativeSince time.Time     `json:"negative_since,omitzero"`
}

// Negative is the result of the negative test: the old value must be refused.
type Negative string

// The results of the negative test.
const (
	NegativeNone      Negative = ""           // not asked yet
	NegativeProved    Negative = "proved"     // the old value was refused
	NegativeNotProved Negative = "not-proved" // the old value is no longer in Vault, so it could not be asked with
	NegativeSkipped   Negative = "skipped"    // there was no old value
	NegativeKept      Negative = "kept"       // the provider has kept the old value: nothing was rotated
)

// Moment is a point in time on two clocks: the wall, and the monotonic clock of one process. Waits that must not be
// shortened by a jump of the wall clock are counted from a Moment.
type Moment struct {
	At      time.Time     `json:"at"`
	Boot    string        `json:"boot"`    // names the process
	Elapsed time.Duration `json:"elapsed"` // since that process opened the state
}
