package sim

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Mode is one way in which a provider behaves.
type Mode struct {
	Name   string
	Caps   credential.Capabilities
	Cut    bool          // a rotation without overlap is permitted
	Slow   time.Duration // how long a new secret is refused at first
	Copied bool          // the client has a destination that holds the old secret beside the new one
	Used   bool          // the old secret waits for a consumer that says which version it runs on
}

// grace is how long the modelled provider keeps a previous secret.
const grace = 7 * 24 * time.Hour

// Modes returns the ways in which providers behave, each with what can be read back of a lost reply.
func Modes() []Mode {
	window := credential.Capabilities{Mode: credential.ModeGraceWindow, Grace: grace, SlotRevoke: true}
	readable, start := window, window
	readable.Readable, readable.StartReadable = true, true
	start.StartReadable = true
	cut := credential.Capabilities{Mode: credential.ModeHardCutover}
	cutReadable := cut
	cutReadable.Readable, cutReadable.StartReadable = true, true
	labelled := credential.Capabilities{Mode: credential.ModeTwoSlot, Labels: true, StartReadable: true}
	staged := credential.Capabilities{Mode: credential.ModeStaged, Slots: 2, StartReadable: true}
	kept := staged
	kept.Grace, kept.Labels = grace, true // what is replaced lives on, and can be deleted
	return []Mode{
		{Name: "two-slot", Caps: labelled},
		{Name: "two-slot-unlabelled", Caps: credential.Capabilities{Mode: credential.ModeTwoSlot, StartReadable: true}},
		{Name: "two-slot-slow", Caps: labelled, Slow: 15 * time.Second},
		{Name: "two-slot-copied", Caps: labelled, Copied: true},
		{Name: "two-slot-used", Caps: labelled, Used: true},
		{Name: "staged", Caps: staged},
		{Name: "staged-kept", Caps: kept},
		{Name: "caller-chosen", Caps: credential.Capabilities{Mode: credential.ModeCaller, Labels: true, Repeatable: true, StartReadable: true}},
		{Name: "key-set", Caps: credential.Capabilities{Mode: credential.ModeKeySet, Labels: true, Repeatable: true, StartReadable: true}, Slow: 15 * time.Second},
		{Name: "grace-window-readable", Caps: readable},
		{Name: "grace-window-start-readable", Caps: start},
		{Name: "grace-window-unreadable", Caps: window},
		{Name: "grace-window-may-cut", Caps: window, Cut: true},
		{Name: "hard-cutover", Caps: cutReadable, Cut: true},
		{Name: "hard-cutover-unreadable", Caps: cut, Cut: true},
		{Name: "manual", Caps: credential.Capabilities{Mode: credential.ModeManual}},
	}
}

// additive says whether a create leaves the old secret alone.
func (m Mode) additive() bool {
	return m.Caps.Mode.Additive()
}

// deletes says whether a person can delete a secret at the provider: where there is one place for it, there always is one.
func (m Mode) deletes() bool { return m.additive() || m.byHand() }

// blind says whether the provider shows nothing of the secrets that it has.
func (m Mode) blind() bool {
	return !m.additive() && !m.Caps.Readable && !m.Caps.StartReadable
}

func (m Mode) byHand() bool { return m.Caps.Mode == credential.ModeManual }
