package credential

import "time"

// Orphan is a secret that rotad once made, that nobody uses, and that a person has let go: it is named here before it is
// deleted. Whether it may still be deleted is looked at anew right before.
type Orphan struct {
	ID       string    `json:"id"`              // at the provider
	Label    string    `json:"label,omitempty"` // that it carried; empty = the provider keeps none
	Rotation string    `json:"rotation"`        // of this client, that made it
	By       string    `json:"by"`              // who let it go
	At       time.Time `json:"at"`
	Next     time.Time `json:"next,omitzero"` // when it is tried again
	Tries    int       `json:"tries,omitempty"`
}
