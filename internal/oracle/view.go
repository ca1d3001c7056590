package oracle

import (
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Maker says who made a secret or wrote a value.
type Maker string

// The makers. An adopted secret was made by a person, and rotad was told, or found out, that it is the current one; or a
// person named it to be discarded: both make it rotad's to revoke.
const (
	ByRotad  Maker = "rotad"
	ByPerson Maker = "person"
	Adopted  Maker = "adopted"
)

// Secret is one secret that stands at the provider.
type Secret struct {
	ID    string
	Label string
	Value string // never printed; empty where the onlooker cannot know it
	Maker Maker
	Live  bool // it logs in now
	Once  bool // Vault has handed it out at some time
}

// View is what can be seen of one client and its world at one moment.
type View struct {
	Client  string
	At      time.Time           // the true time
	Record  credential.Record   // as durable when the present effect began
	Audit   []credential.Audit  // of this client, in order
	Notices []credential.Notice // every notice ever queued for it
	Gone    bool                // archived

	Secrets []Secret                // those that stand at the provider
	Accepts func(value string) bool // asks the provider now; a view from outside may cost a request

	Hands   string                   // the value that Vault hands out; empty = none
	HandsAt time.Time                // since when, in Vault's time; zero = not known
	HandsBy Maker                    // who wrote it; empty = not known
	Version func(version int) string // the value of a consumer version; empty = none
	Staged  string                   // the value that staging holds; empty = none
	StageID string                   // the id of the secret that staging names as new; empty = none

	Copied bool   // the client has a destination
	Copy   string // the value that it hands out; empty = none
	Taken  string // the value that the consumer of it has read

	Used     bool   // the policy keeps the old secret for a consumer that says which version it runs on
	Said     string // the value of the version that it said last; empty = none
	SaidLate bool   // it said so after the point of no return was passed

	// Disturbed says what was done to the client from outside that no protocol can undo: a secret deleted in a portal,
	// another rotation there, a value edited in Vault, a backup restored. Empty = nothing. What rotad itself does is
	// judged all the same.
	Disturbed string
	// Racing says that somebody did so after rotad had looked for the last time before the present act: no look can be
	// recent enough to see it.
	Racing bool
	// Unwitnessed says that a backup of Vault was restored where nobody else can bear witness: while several daemons were at
	// work, of which one had staged what the others cannot know; where the state is an older one as well; or where the
	// provider shows nothing of its secrets.
	Unwitnessed bool
	// Restored says that a backup of Vault was restored, or a version of staging brought back: it may hold again what was
	// done with, until the next rotation writes over it.
	Restored bool
	// Behind says that the daemon that acts has a record that another one has changed since: it was paused.
	Behind bool
	// Submitting says that a value which a person brings is being staged: what it fences is no rotation yet, whatever the
	// daemon does meanwhile.
	Submitting bool
	// Daemons is how many share the store; 0 = one.
	Daemons int
	// Rewound says that the state file was replaced by an older copy or lost: its history has a gap.
	Rewound bool
}

// ActKind is a sort of mutation.
type ActKind string

// The mutations that rotad makes outside its own state.
const (
	Create  ActKind = "create"  // a secret at the provider, or set a chosen value there
	Revoke  ActKind = "revoke"  // delete a secret at the provider by its id
	Stage   ActKind = "stage"   // write the staging path
	Promote ActKind = "promote" // write the consumer path
	Destroy ActKind = "destroy" // destroy versions of the consumer path
)

// Act is one mutation that is about to take effect, with the view of right before.
type Act struct {
	Kind     ActKind
	ID       string // revoke
	Label    string // create
	Value    string // create of a chosen value, promote; never printed
	Rotation string // stage: the rotation that the entry names
	Versions []int  // destroy
}

// Broken is one invariant that does not hold.
type Broken struct {
	Invariant string // "I1"
	Name      string // "access"
	Text      string // what was seen; never a value
}

// String returns it as one line.
func (b Broken) String() string { return b.Invariant + " " + b.Name + ": " + b.Text }

// Oracle is one invariant: its sentence, and who is asked whether it holds. An empty answer means that it does.
type Oracle struct {
	Invariant string
	Name      string
	Sentence  string

	moment func(*View) string
	before func(*View, *Act) string
	quiet  func(*View) string
}

// Moment asks what must be true at every moment.
func Moment(v View) []Broken {
	return ask(v, func(o *Oracle, v *View) string {
		if o.moment == nil {
			return ""
		}
		return o.moment(v)
	})
}

// Before asks what must be true right before a mutation takes effect.
func Before(v View, a Act) []Broken {
	return ask(v, func(o *Oracle, v *View) string {
		if o.before == nil {
			return ""
		}
		return o.before(v, &a)
	})
}

// Quiet asks what must be true when nothing moves any more: the client is steady, or waits for a person.
func Quiet(v View) []Broken {
	return ask(v, func(o *Oracle, v *View) string {
		if o.quiet == nil {
			return ""
		}
		return o.quiet(v)
	})
}

// views keeps used ones: a view is large, and a simulation asks at every moment. No oracle holds on to one.
var views = sync.Pool{New: func() any { return new(View) }}

func ask(seen View, question func(*Oracle, *View) string) []Broken {
	v := views.Get().(*View) //nolint:forcetypeassert // nothing else is put there
	*v = seen
	var broken []Broken
	for i := range oracles {
		if text := question(&oracles[i], v); text != "" {
			broken = append(broken, Broken{Invariant: oracles[i].Invariant, Name: oracles[i].Name, Text: text})
		}
	}
	*v = View{}
	views.Put(v)
	return broken
}

// All returns the oracles, for documents.
func All() []Oracle { return append([]Oracle(nil), oracles...) }

// rotation returns the rotation under way; nil if there is none.
func (v *View) rotation() *credential.Rotation { return v.Record.Rotation }

func (v *View) find(id string) (Secret, bool) {
	for _, s := range v.Secrets {
		if s.ID == id && id != "" {
			return s, true
		}
	}
	return Secret{}, false
}
