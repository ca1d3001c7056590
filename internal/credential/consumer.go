package credential

import (
	"slices"
	"time"
)

// NamedConsumer is a consumer that a client names: a service that uses the bundle and says which version it runs on.
type NamedConsumer struct {
	Name     string `json:"name"`              // unique within the client
	Optional bool   `json:"optional,omitzero"` // nothing waits for it
	// Entity and Role are what Vault's audit log calls it: the id of its entity, and the role of its login. Where both are
	// there, both have to fit; empty = it is known by the other one, or has to speak for itself.
	Entity string `json:"vault_entity,omitempty"`
	Role   string `json:"vault_role,omitempty"`
}

// SeenAs says whether somebody who logged in to Vault with a role, as an entity, is this consumer.
func (c NamedConsumer) SeenAs(entity, role string) bool {
	if c.Entity == "" && c.Role == "" {
		return false
	}
	return (c.Entity == "" || c.Entity == entity) && (c.Role == "" || c.Role == role)
}

// ConsumerState is what a consumer said last.
type ConsumerState struct {
	Name    string    `json:"name"`
	Version int       `json:"version"` // of Vault, that it runs on; 0 = it has never said
	At      time.Time `json:"at,omitzero"`
}

// ConsumerAt returns what a consumer said last, under its name also where it has said nothing.
func (r *Record) ConsumerAt(name string) ConsumerState {
	if i := slices.IndexFunc(r.Consumers, func(c ConsumerState) bool { return c.Name == name }); i >= 0 {
		return r.Consumers[i]
	}
	return ConsumerState{Name: name}
}

// WithConsumer returns what the consumers of the client said last with one of them replaced. Those that the client no longer
// names are left out.
func (r *Record) WithConsumer(state ConsumerState) []ConsumerState {
	var out []ConsumerState
	for _, c := range r.Published().Consumers {
		switch known := r.ConsumerAt(c.Name); {
		case c.Name == state.Name:
			out = append(out, state)
		case known.Version != 0:
			out = append(out, known)
		}
	}
	return out
}

// RunsOn says whether a consumer that runs on a version of Vault has the secret that is published: on the version with which
// it was published or a later one, or on the one that held it before a roll-back.
func (r *Record) RunsOn(version int) bool {
	published, same := r.Version, 0
	if r.Rotation != nil && r.Rotation.Promoted != 0 {
		published, same = r.Rotation.Promoted, r.Rotation.SameAs
	}
	return version != 0 && (version >= published || version == same)
}

// Late returns the consumers that have not said that they run on the secret that is published, without those that nothing
// waits for.
func (r *Record) Late() []ConsumerState {
	var late []ConsumerState
	for _, c := range r.Published().Consumers {
		if state := r.ConsumerAt(c.Name); !c.Optional && !r.RunsOn(state.Version) {
			late = append(late, state)
		}
	}
	return late
}

// Moved returns how many consumers of how many run on the secret that is published.
func (r *Record) Moved() (moved, of int) {
	for _, c := range r.Published().Consumers {
		of++
		if r.RunsOn(r.ConsumerAt(c.Name).Version) {
			moved++
		}
	}
	return moved, of
}
