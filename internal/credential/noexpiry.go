package credential

import "time"

// NoExpiry is a person's word that a client's secret is not to expire: a choice with an end of its own, so that somebody
// makes it again or lets it go. The zero value is that nobody has said so.
type NoExpiry struct {
	By     string    `json:"acknowledged_by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"` // from then on nobody has said so any more; at most MaxNoExpiry ahead when it is read
}

// MaxNoExpiry is how many years ahead the end of a NoExpiry may lie when it is read.
const MaxNoExpiry = 2

// IsZero says whether nobody has said so.
func (n NoExpiry) IsZero() bool { return n.By == "" && n.Reason == "" && n.Until.IsZero() }

// Holds says whether the word counts at a moment.
func (n NoExpiry) Holds(now time.Time) bool { return now.Before(n.Until) }

// Equal compares moments as moments, whatever zone they are written in.
func (n NoExpiry) Equal(o NoExpiry) bool {
	return n.By == o.By && n.Reason == o.Reason && n.Until.Equal(o.Until)
}
