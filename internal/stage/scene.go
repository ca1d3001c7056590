package stage

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Scene is all that the page shows at one moment.
type Scene struct {
	Begin   time.Time `json:"begin"`
	Now     time.Time `json:"now"`
	Zone    string    `json:"zone"`
	Speed   string    `json:"speed"` // demo time per second, for people
	Once    bool      `json:"once"`  // it ends by itself, and cannot be stopped meanwhile
	Paused  bool      `json:"paused"`
	Counts  Counts    `json:"counts"`
	World   []Part    `json:"world"`
	Buttons []Button  `json:"buttons"`
	Clients []Client  `json:"clients"`
	Mails   []Letter  `json:"mails"`
	Entries []Entry   `json:"calendar"`
	Story   []Chapter `json:"story"`
	Feed    []Line    `json:"feed"`
}

// Counts are the figures of a whole play.
type Counts struct {
	Logins     int `json:"logins"`
	Refused    int `json:"refused"`
	Rotations  int `json:"rotations"`
	Mails      int `json:"mails"`
	Waiting    int `json:"waiting"` // mails
	Violations int `json:"violations"`
}

// Part is something that the play is made of, and whether it works.
type Part struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Good  bool   `json:"good"`
}

// Button is something that the page can do.
type Button struct {
	Act   Act    `json:"act"`
	Label string `json:"label"`
	About string `json:"about"`
	On    bool   `json:"on"` // it is broken now, and the button mends it
}

// Act is what a button does.
type Act string

// The acts. Those from ActHand on are what "rotad demo --break" takes.
const (
	ActPause  Act = "pause"
	ActRotate Act = "rotate"
	ActHand   Act = "hand"
	ActVault  Act = "vault"
	ActSMTP   Act = "smtp"
	ActIdP    Act = "idp"
	ActKill   Act = "kill"
)

// Client is one client as the page shows it.
type Client struct {
	ID       string           `json:"id"`
	Owner    string           `json:"owner"`
	Provider string           `json:"provider"`
	Kind     string           `json:"kind"` // of the provider
	Mode     string           `json:"mode"`
	Means    string           `json:"means"` // what the mode means, in a few words
	Phase    credential.Phase `json:"phase"`
	Next     string           `json:"next"`
	Expires  time.Time        `json:"expires,omitzero"`
	Path     string           `json:"path"`
	Hold     *Hold            `json:"hold,omitempty"`
	Failing  string           `json:"failing,omitempty"`
	Values   []Value          `json:"values"`
	Runs     []Run            `json:"runs"`
	Spans    []Span           `json:"spans"`
	Marks    []Mark           `json:"marks"`
	Forecast []Mark           `json:"forecast"`
	Versions []Version        `json:"versions"`
}

// Hold is why a client waits for a person, and what that person types.
type Hold struct {
	Code     string   `json:"code"`
	Detail   string   `json:"detail"`
	Commands []string `json:"commands"`
}

// Version is one version in Vault.
type Version struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	Label  string    `json:"label"`
	By     string    `json:"by"`
	State  string    `json:"state"` // current | old | deleted | destroyed
}

// Letter is a mail in the list; its body is served at /mail/N.
type Letter struct {
	N       int       `json:"n"`
	At      time.Time `json:"at"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Client  string    `json:"client"`
	Kind    string    `json:"kind"`
	Event   bool      `json:"event"` // a calendar event came with it
}

// Entry is the one calendar event of a client, where it stands now.
type Entry struct {
	Client  string    `json:"client"`
	Summary string    `json:"summary"`
	At      time.Time `json:"at"`
	Was     time.Time `json:"was,omitzero"` // where it stood before it moved last
	Moved   int       `json:"moved"`
	Gone    bool      `json:"gone"`

	sequence int
}

// Line is one thing that somebody did.
type Line struct {
	At     time.Time `json:"at"`
	Client string    `json:"client"`
	What   string    `json:"what"`
	Text   string    `json:"text"`
	Tone   string    `json:"tone"` // info | good | act | bad
}

// Chapter is one thing that was broken, and what rotad did about it.
type Chapter struct {
	N       int       `json:"n"`
	Act     Act       `json:"act"`
	Client  string    `json:"client"`
	Title   string    `json:"title"`
	Begun   time.Time `json:"begun"`
	Ended   time.Time `json:"ended,omitzero"` // zero = not yet
	Lines   []Line    `json:"lines"`
	Verdict string    `json:"verdict"`
}
