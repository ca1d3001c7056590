package credential

import "time"

// NoticeKind is the sort of a notice; each has templates of its own.
type NoticeKind string

// The kinds of notices.
const (
	NoticeWarning   NoticeKind = "warning"    // the secret expires, and a person has to act
	NoticeFinal     NoticeKind = "final"      // the last warning, at most a day before
	NoticeExpired   NoticeKind = "expired"    // it has expired
	NoticeAnnounce  NoticeKind = "announce"   // a rotation is planned
	NoticeApprove   NoticeKind = "approve"    // a rotation is due and waits for approval
	NoticeRotated   NoticeKind = "rotated"    // the new secret is in Vault; the overlap has begun
	NoticeRetired   NoticeKind = "retired"    // the old secret is gone
	NoticeFailed    NoticeKind = "failed"     // a rotation fails again and again, or ended badly
	NoticeHeld      NoticeKind = "held"       // a person is needed
	NoticeReleased  NoticeKind = "released"   // a hold has ended
	NoticeNoExpiry  NoticeKind = "no-expiry"  // a manual client without a stated expiry, or nobody stands for one that has none any more
	NoticeOldRemind NoticeKind = "old-remind" // manual: the old secret still has to be removed in the portal
	NoticeInUse     NoticeKind = "in-use"     // the old secret is still in use at the end of its overlap
	NoticeDrift     NoticeKind = "drift"      // somebody has changed something at the provider by hand; nothing is held
	NoticeLeft      NoticeKind = "left"       // the client was removed: its calendar event is cancelled
	NoticeStopped   NoticeKind = "stopped"    // to the admins: nothing begins under a provider, or only what cannot wait
	NoticeAdmin     NoticeKind = "admin"      // the word to the admins: a rotation that nobody scheduled
)

// Notice is one thing to tell people: a row of the outbox. It holds facts, never a secret; addresses are looked up when
// it is sent.
type Notice struct {
	Seq       uint64     `json:"seq"` // given by the store
	Key       string     `json:"key"` // stable: the same thing told twice has the same key; the store keeps the first
	Kind      NoticeKind `json:"kind"`
	At        time.Time  `json:"at"` // when it was decided
	Client    string     `json:"client"`
	Owner     string     `json:"owner,omitempty"`
	Admins    bool       `json:"admins,omitzero"` // goes to the admins instead of the owner
	Milestone string     `json:"milestone,omitempty"`
	Facts     Facts      `json:"facts"`
	Calendar  *Invite    `json:"calendar,omitempty"` // nil = this mail carries no invite

	// Wait is until when it was put off, because it is not urgent: for the digest of its owner, or the end of quiet hours;
	// zero = it was not. Digest = it goes out together with all that its owner gets at that moment.
	Wait   time.Time `json:"wait,omitzero"`
	Digest bool      `json:"digest,omitzero"`
	// Rung is the rung of its owner's ladder that this is the word to, from 1: nobody has answered to what it says; 0 = it is
	// the notice itself.
	// Told is when the owner was told then; zero = no way to the owner takes it.
	Rung int       `json:"rung,omitempty"`
	Told time.Time `json:"told,omitzero"`

	State      NoticeState `json:"state,omitempty"`
	Deliveries []Delivery  `json:"deliveries,omitempty"` // filled by the first attempt
	Due        time.Time   `json:"due,omitzero"`         // next attempt; zero = settled
	DropAfter  time.Time   `json:"drop_after,omitzero"`  // after this it is no longer worth sending; zero = never
}

// Facts are what a notice says. Which of them are set depends on the kind.
type Facts struct {
	Provider     string            `json:"provider,omitempty"`
	Mode         Mode              `json:"mode,omitempty"`
	ClientRef    string            `json:"client_ref,omitempty"` // what the provider calls it
	VaultPath    VaultPath         `json:"vault_path,omitzero"`
	VaultVersion int               `json:"vault_version,omitempty"`
	OldVersion   int               `json:"old_version,omitempty"`
	SecretID     string            `json:"secret_id,omitempty"`
	OldSecretID  string            `json:"old_secret_id,omitempty"`
	Expires      time.Time         `json:"expires,omitzero"`     // of the current secret
	NextRotate   time.Time         `json:"next_rotate,omitzero"` // the planned rotation
	OldDies      time.Time         `json:"old_dies,omitzero"`    // until when the old one works
	Rotation     string            `json:"rotation,omitempty"`
	Cause        Cause             `json:"cause,omitzero"`
	Hold         *Hold             `json:"hold,omitempty"`
	NoExpiry     NoExpiry          `json:"no_expiry,omitzero"` // the word about it that ends, or has ended
	Error        string            `json:"error,omitempty"`
	Since        time.Time         `json:"since,omitzero"` // since when a provider does not answer, or a wave stands still
	Negative     Negative          `json:"negative,omitempty"`
	Cutover      bool              `json:"cutover,omitzero"`
	Override     bool              `json:"override,omitzero"`
	Observed     bool              `json:"observed,omitzero"` // its policy only watches: a person replaces the secret
	Instructions string            `json:"instructions,omitempty"`
	Effects      string            `json:"effects,omitempty"`  // what the rotation does to those who use the secret
	Consumers    Consumers         `json:"consumers,omitzero"` // who has moved to the new secret
	ByHand       ByHand            `json:"by_hand,omitzero"`   // what somebody has changed at the provider
	Labels       map[string]string `json:"labels,omitempty"`
}

// ByHand is what a notice says of changes at the provider that rotad did not make.
type ByHand struct {
	Made  []string  `json:"made,omitempty"` // ids of the secrets that somebody has made; empty = none
	Moved bool      `json:"moved,omitzero"` // the current secret ends at another time
	Was   time.Time `json:"was,omitzero"`   // when it ended before; zero = never, where Moved
	Is    time.Time `json:"is,omitzero"`    // when it ends now; likewise
}

// Consumers are what a notice says of those that use the secret.
type Consumers struct {
	Of    int             `json:"of,omitempty"`    // how many the client names; 0 = none
	Moved int             `json:"moved,omitempty"` // how many of them run on what is published
	Late  []ConsumerState `json:"late,omitempty"`  // the others that are waited for
	Used  time.Time       `json:"used,omitzero"`   // when the old secret was used last, as the provider says
	Until time.Time       `json:"until,omitzero"`  // the end of the longest overlap
	Then  AtMax           `json:"then,omitempty"`  // what happens at that end
}

// Invite is the state of the client's calendar event that a mail carries.
type Invite struct {
	UID      string    `json:"uid"`
	Sequence int       `json:"sequence"`
	At       time.Time `json:"at"`
	What     string    `json:"what"` // what happens then, for people
	Cancel   bool      `json:"cancel,omitzero"`
}

// NoticeState is how far a notice has come.
type NoticeState string

// The states of a notice. NoticePending includes retries.
const (
	NoticePending NoticeState = "pending"
	NoticeWaiting NoticeState = "waiting" // put off, because it is not urgent: see Wait
	NoticeSent    NoticeState = "sent"
	NoticeDropped NoticeState = "dropped" // its reason had gone
	NoticeDead    NoticeState = "dead"    // refused for good
)

// Delivery is one notice to one address over one channel, or the word that another channel takes no notices.
type Delivery struct {
	Channel   string      `json:"channel"`
	To        string      `json:"to"`                   // an address; empty where the channel has one reader
	About     string      `json:"about,omitempty"`      // the channel that takes no notices; empty = this is the notice itself
	MessageID string      `json:"message_id,omitempty"` // stable over retries
	State     NoticeState `json:"state"`
	Attempts  int         `json:"attempts,omitempty"`
	Ambiguous bool        `json:"ambiguous,omitzero"` // lost after the final dot: sent once more with the same id
	Next      time.Time   `json:"next,omitzero"`
	Error     string      `json:"error,omitempty"`
	Receipt   string      `json:"receipt,omitempty"` // the server's last words, for example its queue id
	SentAt    time.Time   `json:"sent_at,omitzero"`
}
