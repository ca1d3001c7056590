package providers

import "context"

// RightsReader reads which rights rotad's own account has, for "rotad check --online". Nothing is changed by it: it logs in, and
// sends only what reads.
type RightsReader interface {
	// Rights returns the rights that rotad needs, and those held that it never uses. The clients are for rights that an account
	// has at one of them and not at another.
	//
	// An error says what could not be found out, and why; the rights that come with it are known all the same.
	// ClassUnsupported: nothing here tells, whatever the account may do.
	Rights(ctx context.Context, clients []Target) ([]Right, error)
}

// Right is one right of rotad's own account.
type Right struct {
	Name   string // as the server spells it
	Client string // rotad's id of the one client that it is about; empty = of the whole account
	Need   Need
	Held   bool
	Why    string // what it is for where it is needed, else what it lets the account do
	Change string // the command or the screen: that grants it where it is missing, that takes it away where it is too wide
}

// Need is what rotad needs a right for.
type Need string

// What rights are needed for. NeedNone is the zero value: rotad never uses it.
const (
	NeedNone   Need = ""
	NeedLook   Need = "look"   // for everything
	NeedRotate Need = "rotate" // for rotations; who only watches does without it
)

// Missing says whether rotad needs a right that its account does not have.
func (r Right) Missing() bool { return r.Need != NeedNone && !r.Held }

// TooWide says whether the account has a right that rotad never uses: a burden for whoever guards it.
func (r Right) TooWide() bool { return r.Need == NeedNone && r.Held }
