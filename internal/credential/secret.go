package credential

import "time"

// Secret is what is known about one version of a client's credential at its provider: never the value.
type Secret struct {
	ID      string    `json:"id,omitempty"`      // names this version and no other; empty = the provider shows no id
	Slot    string    `json:"slot,omitempty"`    // where the provider keeps it ("current", "previous"); a slot is not an id
	Start   time.Time `json:"start,omitzero"`    // zero = the provider does not say
	Expires time.Time `json:"expires,omitzero"`  // zero = unknown, unless Never
	Never   bool      `json:"never,omitzero"`    // the provider says that it does not expire
	Label   string    `json:"label,omitempty"`   // label that rotad gave it at create, where the provider keeps one
	Hint    string    `json:"hint,omitempty"`    // what the provider shows of the value (Entra: the first three characters)
	LastUse time.Time `json:"last_use,omitzero"` // zero = the provider does not say
}

// Expired says whether the provider itself says that the secret has expired.
func (s Secret) Expired(now time.Time) bool {
	return !s.Never && !s.Expires.IsZero() && !now.Before(s.Expires)
}

// Gone says whether the secret counts as gone although it may still be listed: its known expiry lies more than skew
// back. Keycloak lists expired rotated secrets for ever.
func (s Secret) Gone(now time.Time, skew time.Duration) bool {
	return !s.Never && !s.Expires.IsZero() && now.After(s.Expires.Add(skew))
}

// Same says whether two descriptions name the same version: equal ids, else equal starts.
func (s Secret) Same(o Secret) bool {
	if s.ID != "" || o.ID != "" {
		return s.ID == o.ID
	}
	return !s.Start.IsZero() && s.Start.Equal(o.Start)
}

// Mode is how a provider lets two secrets of one client live side by side (the overlap mode).
type Mode string

// The overlap modes. ModeUnknown is the mode of a client that has not been looked at.
const (
	ModeUnknown     Mode = ""
	ModeTwoSlot     Mode = "two-slot"      // create beside, delete the old by its id
	ModeCaller      Mode = "caller-chosen" // we choose the value: staged in Vault before it is set at the provider
	ModeStaged      Mode = "staged"        // create beside; a separate call makes the new one the current one, and lets the old one go
	ModeGraceWindow Mode = "grace-window"  // one call; the provider keeps the previous one for a while
	ModeHardCutover Mode = "hard-cutover"  // the old secret dies when the new one is born
	ModeKeySet      Mode = "key-set"       // we make a key pair: its public half stands beside the old one's until that is dropped
	ModeManual      Mode = "manual"        // a person makes the secret in a portal
)

// Chosen says whether rotad makes the secret: it stands in Vault staging before the provider knows of it.
func (m Mode) Chosen() bool { return m == ModeCaller || m == ModeKeySet }

// Beside says whether the provider makes the new secret beside the old one, and ends either by its id: one whose value is
// lost is deleted, and made again.
func (m Mode) Beside() bool { return m == ModeTwoSlot || m == ModeStaged }

// Additive says whether a create only adds: the old secret lives on whatever becomes of the new one.
func (m Mode) Additive() bool { return m.Beside() || m.Chosen() }

// Capabilities are what a provider can do for one client: data, probed per client, because several providers change
// their mode at run time. Zero values mean "cannot" or "not known".
type Capabilities struct {
	Mode          Mode          `json:"mode,omitempty"`
	Reason        string        `json:"reason,omitempty"`        // why this mode, for people
	Readable      bool          `json:"readable,omitzero"`       // the current value can be read back
	StartReadable bool          `json:"start_readable,omitzero"` // the start (or id) of the current secret can be read
	Labels        bool          `json:"labels,omitzero"`         // a create keeps our label
	SlotRevoke    bool          `json:"slot_revoke,omitzero"`    // deletion addresses a slot, not an id
	Slots         int           `json:"slots,omitempty"`         // secrets that may live at once; 0 = not known or not limited
	SetsExpiry    bool          `json:"sets_expiry,omitzero"`    // create takes an expiry
	Grace         time.Duration `json:"grace,omitzero"`          // life of the previous secret from the moment of create
	Repeatable    bool          `json:"repeatable,omitzero"`     // create with the same proposed value may be repeated
	HMAC          bool          `json:"hmac,omitzero"`           // the secret is also a MAC key: no overlap has a meaning
	Required      time.Time     `json:"required,omitzero"`       // from when on the provider itself says that rotation is required
	Disabled      bool          `json:"disabled,omitzero"`       // the client is switched off at the provider
	Instructions  string        `json:"instructions,omitempty"`  // manual: what the person has to do
	Effects       string        `json:"effects,omitempty"`       // what a rotation does to those who use the secret, for people
}
