package templates

// Data is what a mail may say. Every field is plain, clean text (no control characters, no line breaks unless said
// otherwise) and none of them is ever a secret. Zero values mean "not known" and are left out by the templates.
type Data struct {
	Kind      string   // directory of the templates
	Language  string   // tag of the language; set by Render where it is empty or there is no such language
	Milestone string   // of a failure: failing, restored or unverified
	Subject   string   // set by Render, for the title of the HTML part
	Tone      Tone     // empty = ToneInfo
	Ladder    string   // who is told next, or why the reader is, before the command that ends it; empty = nobody
	Rows      []Row    // the table of facts
	Steps     []string // what a person does in a portal, one line each
	Commands  Commands
	Event     Event    // Note empty = the mail carries no invite
	Answers   []Answer // what the reader can say by a link; none = there is no page for that

	Client   string
	Name     string // the client's id as subjects show it; set by Render
	Owner    string
	Provider string
	Manual   bool   // a person makes the secret in a portal
	Observed bool   // rotad only watches: a person makes the secret and writes it to Vault
	Admin    bool   // goes to the admins
	Fallback bool   // goes to the admins because no address of the owner takes mail
	Chat     bool   // is read in a chat or by a program, and is no mail
	Channel  string // the channel that takes no notices; empty = this is no word about a channel

	Noted   When // when it was decided
	Expires When // of the current secret
	Rotates When // the planned rotation
	OldDies When // until when the old secret works
	Since   When // since when a provider does not answer, or its wave stands still

	Path        string // mount and path in Vault
	Version     int    // consumer version with the new secret; 0 = none
	OldVersion  int
	SecretID    string
	OldSecretID string
	Rotation    string
	Actor       string // the person who wanted it; empty = rotad itself
	Reason      string
	Cause       string // why the rotation began, as half a sentence
	Unscheduled bool   // nobody planned the rotation
	RolledBack  bool   // the secret from before the rotation is current again
	Compromised bool   // the old secret has leaked, and was revoked without an overlap
	Cutover     bool   // the old secret dies when the new one is born
	Lapses      bool   // the provider ends the old secret by itself, and nothing extends that
	Override    bool   // outside its window
	Negative    string // result of asking with the old secret: proved, not-proved, skipped or empty
	Error       string
	Hold        Hold     // Code empty = none
	NoExpiry    NoExpiry // By empty = nobody stood for a secret that never expires
	ByHand      ByHand
	Users       Users
	Escalated   bool     // the reader is told because nobody has acknowledged it
	Effects     []string // what the rotation does to those who use the secret, one line each
	OldOne      string   // what becomes of the old secret when a person makes a new one, as a sentence
	Items       []Item   // of a digest: what it says, the first to be due first
	First       *Item    // of Items: of what calls for somebody, where anything does, the first to be due; set by Render
	Calls       int      // how many of Items call for something
	Files       int      // how many calendar events are in the file that comes with it
}

// MaxName is the length in runes at which a subject cuts the name of a client, so that the rest still fits.
const MaxName = 60

// derive sets what follows from the rest. These are fields and no methods: a template that asks for a field of data with methods
// looks for a method of that name first, each time.
func (d *Data) derive() {
	d.Name = cut(d.Client, MaxName)
	for i := range d.Items {
		if d.Items[i].Calls || d.Calls == 0 {
			d.First = &d.Items[i]
			return
		}
	}
}

// Tone is how urgent a mail looks.
type Tone string

// The tones of a mail.
const (
	ToneInfo Tone = "info" // nothing to do
	ToneGood Tone = "good" // something went well
	ToneAct  Tone = "act"  // somebody has to do something
	ToneBad  Tone = "bad"  // something is broken or will be within a day
)

// Row is one line of the table of facts.
type Row struct{ Name, Value string }

// Item is one line of a digest.
type Item struct {
	Client  string
	What    string // what has happened or will, in a few words
	Calls   bool   // somebody has to do something
	By      When   // by when people have to know it; not known = it does not matter
	Command string // what to type; empty = nothing
}

// Command is a command line and what it does.
type Command struct{ Line, Does string }

// Commands are the command lines that mails show, quoted for a POSIX shell. Empty = does not apply.
type Commands struct {
	Read       string // reads the new secret from Vault
	Metadata   string // shows the versions and the metadata of the path
	Show       string
	History    string
	Rotate     string
	Approve    string
	Submit     string
	Hold       string
	OldRemoved string
	Accept     string // says that what a person wrote to Vault is right
	Patch      string // writes a value that a person made to Vault
	Ack        string // says that somebody has seen it
	Moved      string // says for a late consumer that it has moved
	TryChannel string // sends a test over a channel
	Wave       string // shows how far the rotations of the provider are
	WaveResume string // lets a wave that stands still go on
	Expires    string // a line of the configuration, not a command
	NoExpiry   string // another one: the word for a secret that never expires
}

// Answer is something that a reader can say by a link, and what that does.
type Answer struct {
	Verb string // ack or snooze: the message answer.VERB says what that does
	Does string
	Link string
}

// Hold is a stop that needs a person.
type Hold struct {
	Code     string
	Cause    string // what it means
	Detail   string
	By       string // who, for a stop by a person
	AtEnd    string // what happens at the deadline
	Paging   bool   // attempts go on
	Since    When
	Deadline When
	Commands []Command
}

// Users says who uses the new secret, and how long the old one waits for the others.
type Users struct {
	Said    string // who has moved and who has not, as a sentence without its full stop; empty = the client names no consumers
	Used    When   // when the old secret was used last
	Until   When   // the end of the longest overlap; not known = the old secret waits for nobody
	Ends    When   // when the old secret stops working at the latest
	Revokes bool   // it is revoked then, whoever uses it
}

// NoExpiry is a person's word for a secret that never expires: it ends, or has ended.
type NoExpiry struct {
	By     string
	Reason string
	Until  When
}

// ByHand is what somebody has changed at the provider: secrets that were made, by id, and the end of the current one. Moved = that end
// is another one; where Was or Is is not known then, it is that the secret never ends.
type ByHand struct {
	Made    string
	Moved   bool
	Was, Is When
}

// Event is what the calendar event of the client says.
type Event struct {
	What   string // what happens at that moment
	At     When
	Cancel bool
	Note   string // sentence in the mail about the event
}
