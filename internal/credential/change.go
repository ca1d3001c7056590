package credential

import "time"

// Reason is the short code of a decision. It reaches log, command line, admin API and notices unchanged.
type Reason string

// Change is the unit that a store commits: the record with its due entry (Record.Due), its notices, its audit entries
// and the counters that follow from it, all or nothing.
type Change struct {
	Record    Record    // Record.Rev is the revision that the change was made from
	Notices   []Notice  // new rows of the outbox
	Audit     []Audit   // new rows of the audit
	Strokes   []Stroke  // changes of tallies; one that cannot be made is a conflict, as an outdated revision is
	Watermark time.Time // the second clock (see docs/architecture.md); zero = leave it
	Keep      bool      // keep the claim: more follows; else the commit releases it
	Archive   bool      // the client has left: move the record to the archive
	Create    bool      // the record must not exist yet (Rev 0)
	Rename    string    // the former id whose record this one replaces; empty = none
}

// Audit is one entry of the audit. Entries of one client, in order, are its history.
type Audit struct {
	Seq      uint64    `json:"seq"` // given by the store
	At       time.Time `json:"at"`
	Client   string    `json:"client"`
	Event    Event     `json:"event"`
	Mode     Mode      `json:"mode,omitempty"`
	Rotation string    `json:"rotation,omitempty"`
	Phase    Phase     `json:"phase,omitempty"`
	Secret   string    `json:"secret,omitempty"`  // id of the secret it is about
	Version  int       `json:"version,omitempty"` // Vault version it is about
	Actor    string    `json:"actor,omitempty"`   // person; empty = rotad; ActorMail and an address = its reader, by a link
	Detail   string    `json:"detail,omitempty"`
}

// ActorMail begins the Actor of whoever has answered by the link in a mail; the address that it went to follows.
const ActorMail = "mail:"

// Event names what happened. The first block is a contract of "rotad demo --json".
type Event string

// The events.
const (
	EventWarned     Event = "warned"
	EventAnnounced  Event = "announced"
	EventIntent     Event = "intent"
	EventCreated    Event = "created"
	EventStaged     Event = "staged"
	EventVerified   Event = "verified"
	EventPromoted   Event = "promoted"
	EventOverlap    Event = "overlap"
	EventRevoked    Event = "revoked"
	EventOldRefused Event = "old_refused"
	EventConfirmed  Event = "confirmed"
	EventSubmitted  Event = "submitted"

	EventRegistered Event = "registered"
	EventSighted    Event = "sighted" // the result of the first look
	EventChanged    Event = "changed" // its registration changed
	EventFailed     Event = "failed"  // an effect failed; the phase did not change
	EventUnknown    Event = "unknown" // the outcome of a create is unknown
	EventSettled    Event = "settled" // an unknown outcome has been settled
	EventOrphan     Event = "orphan"  // a secret nobody can know was found; it will be deleted
	EventHeld       Event = "held"
	EventReleased   Event = "released" // a hold ended
	EventRequested  Event = "requested"
	EventApproved   Event = "approved"
	EventAborted    Event = "aborted"
	EventRevoking   Event = "revoking"  // the point of no return
	EventDelivered  Event = "delivered" // a destination holds the published secret
	EventMoved      Event = "moved"     // a consumer has said which version it runs on
	EventDrift      Event = "drift"     // somebody has changed something at the provider by hand
	EventExtended   Event = "extended"  // the overlap lasts longer, because the old secret is in use
	EventReloaded   Event = "reloaded"  // a consumer has taken it
	EventNotProved  Event = "not_proved"
	EventLeaving    Event = "leaving"
	EventArchived   Event = "archived"
	EventAcked      Event = "acked"
	EventSnoozed    Event = "snoozed"
)
