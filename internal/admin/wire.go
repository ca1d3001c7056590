package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rotad/rotad/internal/credential"
)

// Limits of a request.
const (
	maxBody  = 16 << 20 // bytes of a body
	maxText  = 2000     // bytes of a reason
	maxName  = 512      // bytes of an id
	maxValue = 64 << 10 // bytes of a submitted value
	// MaxClients is the number of clients in one VerbRegister.
	MaxClients = 1000
)

// wireCommand is a Command in a request. The actor is not part of it: who asks is never taken from a request.
type wireCommand struct {
	Verb        Verb                `json:"verb"`
	Client      string              `json:"client,omitempty"`
	Reason      string              `json:"reason,omitempty"`
	Resolve     credential.Resolve  `json:"resolve,omitempty"`
	SecretID    string              `json:"secret_id,omitempty"`
	Until       time.Time           `json:"until,omitzero"`
	Value       *clearValue         `json:"value,omitempty"`
	Expires     time.Time           `json:"expires,omitzero"`
	Never       bool                `json:"never,omitzero"`
	Clients     []credential.Client `json:"clients,omitempty"`
	Source      string              `json:"source,omitempty"`
	DryRun      bool                `json:"dry_run,omitzero"`
	Compromised bool                `json:"compromised,omitzero"`
	Look        bool                `json:"look,omitzero"`
	Consumer    string              `json:"consumer,omitempty"`
	Version     int                 `json:"version,omitempty"`
	Owner       string              `json:"owner,omitempty"`
	Revoke      bool                `json:"revoke,omitzero"`
	Provider    string              `json:"provider,omitempty"`
}

// clearValue is a secret on its way over the socket: the one place where a Sensitive is encoded.
type clearValue struct{ credential.Sensitive }

// MarshalJSON writes the clear value.
func (v clearValue) MarshalJSON() ([]byte, error) { return json.Marshal(v.Reveal()) }

var errValue = errors.New("the value is not a text")

// UnmarshalJSON reads the clear value. Whatever is wrong with it, the error does not repeat it.
func (v *clearValue) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || !utf8.Valid(raw) || strings.ContainsRune(text, utf8.RuneError) {
		return errValue
	}
	v.Sensitive = credential.NewSensitive(text)
	return nil
}

// encodeCommand writes a request.
func encodeCommand(c Command) ([]byte, error) {
	w := wireCommand{
		Verb: c.Verb, Client: c.Client, Reason: c.Reason, Resolve: c.Resolve, SecretID: c.SecretID, Until: c.Until,
		Expires: c.Expires, Never: c.Never, Clients: c.Clients, Source: c.Source, DryRun: c.DryRun, Look: c.Look, Compromised: c.Compromised,
		Consumer: c.Consumer, Version: c.Version, Owner: c.Owner, Revoke: c.Revoke, Provider: c.Provider,
	}
	if !c.Value.Empty() {
		w.Value = &clearValue{c.Value}
	}
	return json.Marshal(w)
}

// decodeCommand reads and checks a request. Errors are of ClassWrong and repeat nothing of the request: it may hold a
// secret, even where no secret belongs.
func decodeCommand(r io.Reader) (Command, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return Command{}, wrong("the request is too large or was cut off", "import large files with rotad import")
	}
	var w wireCommand
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil || d.InputOffset() != int64(len(bytes.TrimRight(body, " \t\r\n"))) {
		return Command{}, wrong("the daemon does not understand the request", "use the same version of rotad for the daemon and for the commands")
	}
	c := Command{
		Verb: w.Verb, Client: w.Client, Reason: w.Reason, Resolve: w.Resolve, SecretID: w.SecretID, Until: w.Until.UTC(),
		Expires: w.Expires.UTC(), Never: w.Never, Clients: w.Clients, Source: w.Source, DryRun: w.DryRun, Look: w.Look, Compromised: w.Compromised,
		Consumer: w.Consumer, Version: w.Version, Owner: w.Owner, Revoke: w.Revoke, Provider: w.Provider,
	}
	if w.Value != nil {
		c.Value = w.Value.Sensitive
	}
	return c, c.check()
}

// check finds what no Actor should have to think about.
func (c Command) check() error {
	switch {
	case !slices.Contains(verbs(), c.Verb):
		return wrong("the daemon does not know this command", "use the same version of rotad for the daemon and for the commands")
	case !validText(c.Client, maxName) || !validText(c.SecretID, maxName) || !validText(c.Consumer, maxName) || !validText(c.Owner, maxName) || !validText(c.Provider, maxName):
		return wrong("an id is too long or has control characters", "rotad status lists the ids")
	case (c.Client == "") != (c.Verb == VerbRegister || c.Verb == VerbCalendar || c.Verb == VerbWave):
		return wrong("the request names no client, or one where none belongs", "")
	case !validText(c.Reason, maxText):
		return wrong("the reason is too long or has control characters", "write one line")
	case len(c.Value.Reveal()) > maxValue:
		return wrong("the value is too long", "at most 64 KiB")
	}
	return c.checkVerb()
}

func (c Command) checkVerb() error {
	if (c.Verb == VerbSubmit) == c.Value.Empty() {
		return wrong("the value is empty, or stands where none belongs", "rotad submit ID")
	}
	switch c.Verb {
	case VerbResume:
		if !slices.Contains(resolutions(), c.Resolve) {
			return wrong("the request chooses no way to resume", "rotad resume --help lists them")
		}
	case VerbSnooze:
		if c.Until.IsZero() {
			return wrong("the request says no moment", "rotad snooze ID --until 3d")
		}
	case VerbMoved, VerbCalendar, VerbWave:
		return c.checkNames()
	case VerbRegister:
		return c.checkRegistration()
	case VerbRotate, VerbRollback, VerbApprove, VerbHold, VerbAck, VerbPrepare, VerbRemove, VerbSubmit, VerbOrphans:
	}
	return nil
}

// checkNames is about verbs that name somebody beside the client.
func (c Command) checkNames() error {
	switch {
	case c.Verb == VerbMoved && (c.Consumer == "" || c.Version <= 0):
		return wrong("the request does not say which consumer runs on which version", "rotad ack ID --consumer NAME --version N")
	case c.Verb == VerbCalendar && c.Owner == "":
		return wrong("the request does not say whose calendar", "rotad calendar OWNER")
	case c.Verb == VerbWave && c.Provider == "":
		return wrong("the request does not say of which provider", "rotad wave resume PROVIDER")
	}
	return nil
}

func (c Command) checkRegistration() error {
	switch {
	case len(c.Clients) > MaxClients || c.Source != SourceAdd && c.Source != SourceImport:
		return wrong("the request registers too many clients at once, or does not say where they come from", "")
	case c.Look && (!c.DryRun || len(c.Clients) != 1):
		return wrong("only a dry run of one client looks at it", "")
	}
	return nil
}

func verbs() []Verb {
	return []Verb{
		VerbRotate, VerbRollback, VerbApprove, VerbHold, VerbResume, VerbAck, VerbMoved, VerbSnooze, VerbPrepare, VerbSubmit, VerbRegister, VerbRemove,
		VerbCalendar, VerbOrphans, VerbWave,
	}
}

func resolutions() []credential.Resolve {
	return []credential.Resolve{
		credential.ResolveRetry, credential.ResolveAdopt, credential.ResolveDiscard, credential.ResolveAcceptVault,
		credential.ResolveOldRemoved, credential.ResolveAbort, credential.ResolveUndelivered,
	}
}

// validText says whether a text is short enough and one line.
func validText(text string, limit int) bool {
	return len(text) <= limit && utf8.ValidString(text) && strings.IndexFunc(text, unicode.IsControl) < 0
}
