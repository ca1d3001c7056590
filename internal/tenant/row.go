package tenant

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Maker is who made a credential, as far as anybody can tell.
type Maker string

// The makers.
const (
	MadeByRotad Maker = "rotad"   // its label says so; which rotad, only the history of one can tell
	MadeByOther Maker = "other"   // the provider keeps labels, and this one is no label of rotad
	MadeUnknown Maker = "unknown" // the provider keeps no labels
)

// Row is one credential of a tenant, for a listing. Its JSON is what "rotad discover --json" prints.
type Row struct {
	Name       string         `json:"name,omitempty"` // of the client, at the provider
	Ref        credential.Ref `json:"ref"`
	ClientID   string         `json:"client_id,omitempty"`
	Registered string         `json:"registered,omitempty"` // what rotad calls the client; empty = it is not registered
	Owners     []string       `json:"owners,omitempty"`     // as the provider knows them
	Tags       []string       `json:"tags,omitempty"`

	Secret  string    `json:"secret,omitempty"` // its id; empty = the provider shows none
	Slot    string    `json:"slot,omitempty"`
	Label   string    `json:"label,omitempty"`
	Start   time.Time `json:"start,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	LastUse time.Time `json:"last_use,omitzero"`
	AgeDays int       `json:"age_days"` // since its start; -1 = not known

	Never      bool  `json:"never_expires,omitzero"`
	Century    bool  `json:"century,omitzero"` // it lives ten years or longer, which nobody means to wait for
	Expired    bool  `json:"expired,omitzero"`
	LeftBehind bool  `json:"left_behind,omitzero"` // a newer one has stood beside it for long
	MadeBy     Maker `json:"made_by"`
}

// century is the life from which on an expiry is one in name only.
const century = 10 * 365 * 24 * time.Hour

const day = 24 * time.Hour

// Judge is what rows are judged by.
type Judge struct {
	Now time.Time
	// Overlap is how long two secrets of a client may stand side by side before the older one counts as left behind.
	Overlap time.Duration
	// Known returns what rotad has on record of a client; ok is false where it is not registered. nil = nothing is known.
	Known func(credential.Ref) (Known, bool)
}

// Rows returns one row for every credential of a client, in the provider's order; none where it has no credential.
func (j Judge) Rows(c providers.Listed) []Row {
	known, registered := Known{}, false
	if j.Known != nil {
		known, registered = j.Known(c.Ref)
	}
	rows := make([]Row, 0, len(c.Snapshot.Secrets))
	for _, s := range c.Snapshot.Secrets {
		row := Row{
			Name: c.Name, Ref: c.Ref, ClientID: c.Snapshot.ClientID, Owners: c.Owners, Tags: c.Tags,
			Secret: s.ID, Slot: s.Slot, Label: s.Label, Start: s.Start, Expires: s.Expires, LastUse: s.LastUse, AgeDays: -1,
			Never: s.Never, Expired: s.Expired(j.Now), MadeBy: MakerOf(c.Snapshot.Caps, s),
		}
		if registered {
			row.Registered = known.ID
		}
		if !s.Start.IsZero() {
			row.AgeDays = int(j.Now.Sub(s.Start) / day)
		}
		row.Century = !s.Never && !s.Expires.IsZero() && !s.Start.IsZero() && s.Expires.Sub(s.Start) >= century
		row.LeftBehind = !known.Rotating && j.leftBehind(s, c.Snapshot.Secrets)
		rows = append(rows, row)
	}
	return rows
}

// MakerOf says who made a secret.
func MakerOf(caps credential.Capabilities, s credential.Secret) Maker {
	if _, _, ok := credential.ParseLabel(s.Label); ok {
		return MadeByRotad
	}
	if caps.Labels || s.Label != "" {
		return MadeByOther
	}
	return MadeUnknown
}

// leftBehind says whether a secret that is still accepted should have gone: another one began later, and has had time enough
// to take its place. One whose end the provider itself has set right will go without anybody.
func (j Judge) leftBehind(s credential.Secret, all []credential.Secret) bool {
	switch {
	case s.Expired(j.Now):
		return false
	case s.Slot == providers.SlotPrevious:
		return s.Expires.IsZero()
	case s.Slot != "" || s.Start.IsZero():
		return false
	}
	for _, o := range all {
		if o.Slot == "" && !o.Expired(j.Now) && o.Start.After(s.Start) && j.Now.Sub(o.Start) > j.Overlap {
			return true
		}
	}
	return false
}

// Count adds the rows of one client to what the walk has met.
func (c *Counts) Count(rows []Row) {
	c.Credentials += len(rows)
	if len(rows) == 0 {
		c.Without++
		return
	}
	if rows[0].Registered != "" {
		c.Registered++
	}
	for _, r := range rows {
		add(&c.Never, r.Never)
		add(&c.Century, r.Century)
		add(&c.Expired, r.Expired)
		add(&c.LeftBehind, r.LeftBehind)
		add(&c.Rotad, r.MadeBy == MadeByRotad)
	}
}

func add(n *int, yes bool) {
	if yes {
		*n++
	}
}
