package state

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Expiry returns when the current secret of a record expires: what the provider says, else what a person has stated.
// Zero = never, or unknown.
func Expiry(r *credential.Record) time.Time {
	switch {
	case r.Current.Never:
		return time.Time{}
	case !r.Current.Expires.IsZero():
		return r.Current.Expires
	default:
		return r.Client.Expires
	}
}

// WithoutExpiry says whether nobody knows when the current secret of a record expires. One that is known never to
// expire does not count.
func WithoutExpiry(r *credential.Record) bool { return !r.Current.Never && Expiry(r).IsZero() }

// Active says whether a record is in a rotation or held: the ones that people look at first.
func Active(r *credential.Record) bool {
	return r.Phase() != credential.PhaseSteady || r.Hold != nil
}

// Watch is a key of Aggregates.Clients.
type Watch struct {
	Provider string
	Mode     credential.Mode
}

// Aggregates are counters that every commit keeps, so that no scrape has to walk the records. Keys with a count of 0
// are absent.
type Aggregates struct {
	Clients       map[Watch]int
	Holds         map[credential.HoldCode]int
	Phases        map[credential.Phase]int // only what is not steady
	Outbox        map[credential.NoticeState]int
	WithoutExpiry int
}

// Meta is what a store knows about itself.
type Meta struct {
	Schema    int       // of the file
	Instance  string    // which rotad this is; random, unless adopted from Vault by SetInstance
	Boot      uint64    // how often the store has been opened for writing; names this process together with Instance
	Watermark time.Time // of the last change that carried one; zero = none yet
	Restored  bool      // the file came from a backup, and nobody has called ClearRestored since
	Key       []byte    // 32 random bytes, made with the file: the key of HMACs over secret values
}

// Limits of the store.
const (
	NoticeLease = 15 * time.Minute    // a claimed notice that was not settled is free again after this
	NoticeKeep  = 30 * 24 * time.Hour // settled notices are kept for this long
	MaxIDLength = 512                 // bytes of a client id or provider name
	PageSize    = 1000                // records that one listing returns at most
)

// NewNotice returns a notice as it enters the outbox: pending, and due when it was decided unless it says otherwise.
func NewNotice(n credential.Notice) credential.Notice {
	n.Seq = 0 // given by the store
	if n.State == "" {
		n.State = credential.NoticePending
	}
	if n.Due.IsZero() && n.State == credential.NoticePending {
		n.Due = n.At
	}
	return n
}

// SettledAt returns when something last happened to a notice: when it was decided, or its last delivery.
func SettledAt(n credential.Notice) time.Time {
	last := n.At
	for _, d := range n.Deliveries {
		if d.SentAt.After(last) {
			last = d.SentAt
		}
	}
	return last
}
