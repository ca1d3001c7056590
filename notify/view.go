package notify

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// view turns the facts of a notice into what its templates may say, for one reader at one moment. All foreign text is
// made harmless here and nowhere else.
type view struct {
	notice credential.Notice
	reader Recipient
	now    time.Time
	mount  string            // mount for Vault paths that name none
	fields map[string]string // by provider, as in Sender
}

func (v view) data() templates.Data {
	n, f := v.notice, v.notice.Facts
	d := templates.Data{
		Kind: string(n.Kind), Milestone: n.Milestone, Tone: v.tone(),
		Client: v.name(n.Client), Owner: v.name(n.Owner), Provider: v.name(f.Provider),
		Manual: f.Mode == credential.ModeManual, Observed: f.Observed, Admin: n.Admins, Fallback: v.reader.Fallback,
		Channel: v.name(v.reader.About),
		Noted:   v.when(n.At), Expires: v.when(f.Expires), Rotates: v.when(f.NextRotate), OldDies: v.when(f.OldDies), Since: v.when(f.Since),
		Path: v.path(), Version: f.VaultVersion, OldVersion: f.OldVersion,
		SecretID: v.name(f.SecretID), OldSecretID: v.name(f.OldSecretID), Rotation: v.name(f.Rotation),
		Actor: v.name(f.Cause.Actor), Reason: sentence(f.Cause.Reason), Cause: v.cause(),
		Unscheduled: f.Cause.Kind != "" && !f.Cause.Scheduled(), Compromised: f.Cause.Kind == credential.CauseCompromised,
		RolledBack: f.Cause.Kind == credential.CauseRolledBack,
		Cutover:    f.Cutover || f.Mode == credential.ModeHardCutover || f.Cause.Kind == credential.CauseCompromised, Override: f.Override,
		Lapses:   f.Mode == credential.ModeGraceWindow && f.Cause.Kind != credential.CauseCompromised,
		Negative: string(f.Negative), Error: capital(sentence(f.Error)) + stop(f.Error),
		OldOne: oldOne(f.Mode),
		Ladder: v.ladder(), Escalated: n.Rung > 0,
		NoExpiry: v.noExpiry(), Users: v.users(), Effects: cleanLines(f.Effects),
		Hold: v.hold(), Steps: cleanLines(f.Instructions), Commands: v.commands(),
	}
	d.Rows = v.rows(d)
	return d
}

// ladder is nothing for the word about a channel, which goes along with a notice.
func (v view) ladder() string {
	if v.reader.About != "" {
		return ""
	}
	return v.reader.Ladder
}

func (v view) noExpiry() templates.NoExpiry {
	n := v.notice.Facts.NoExpiry
	if n.IsZero() {
		return templates.NoExpiry{}
	}
	return templates.NoExpiry{By: v.name(n.By), Reason: sentence(n.Reason) + stop(n.Reason), Until: v.when(n.Until)}
}

// oldOne says what becomes of the old secret when a person makes a new one at the provider.
func oldOne(m credential.Mode) string {
	switch m {
	case credential.ModeTwoSlot, credential.ModeStaged, credential.ModeCaller, credential.ModeKeySet, credential.ModeManual:
		return "Leave the old one in place."
	case credential.ModeGraceWindow:
		return "The old one goes on working only as long as the provider's grace period lasts."
	case credential.ModeHardCutover:
		return "The old one stops working at that moment: do the other steps right after it."
	case credential.ModeUnknown:
	}
	return "Leave the old one in place, if there can be two."
}

func (v view) when(t time.Time) templates.When { return templates.NewWhen(t, v.now, v.reader.Zone) }

func (v view) name(s string) string { return clean(s, maxName) }

// sentence is foreign text that the templates end with a full stop of their own.
func sentence(s string) string { return strings.TrimRight(clean(s, maxDetail), ".") }

// capital begins a text with a capital letter.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

func stop(s string) string {
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return "."
}

func (v view) path() string {
	p := v.notice.Facts.VaultPath
	if p.Path == "" {
		return ""
	}
	p.Mount = v.mountOf(p)
	return v.name(p.String())
}

func (v view) mountOf(p credential.VaultPath) string {
	if p.Mount == "" {
		return v.mount
	}
	return p.Mount
}

// tone says how urgent a mail looks. Colour is never the only sign: the tone has a word of its own.
func (v view) tone() templates.Tone {
	switch SeverityOf(v.notice) {
	case SeverityCritical:
		return templates.ToneBad
	case SeverityWarning:
		return templates.ToneAct
	case SeverityInfo:
	}
	if v.notice.Kind == credential.NoticeRetired {
		return templates.ToneGood
	}
	return templates.ToneInfo
}

// cause says why a rotation began, as a sentence without its full stop.
func (v view) cause() string {
	c := v.notice.Facts.Cause
	who := v.name(c.Actor)
	if who == "" {
		who = "A person"
	}
	switch c.Kind {
	case credential.CauseRequested:
		return who + " asked for this rotation"
	case credential.CauseRolledBack:
		return who + " went back to the former secret"
	case credential.CauseCompromised:
		return who + " said that the old secret is compromised"
	case credential.CauseSubmitted:
		return who + " brought a new secret"
	case credential.CauseBootstrap:
		return "Vault held no secret for this client, so rotad made the first one"
	case credential.CauseExpired:
		return "The secret had expired already, so rotad replaced it at once"
	case credential.CauseRequired:
		return "The provider says that the secret has to be replaced"
	case credential.CauseScheduled:
		return "The rotation was planned"
	}
	return "Why it began is not known"
}

// rows is the table of facts, in the order in which people ask.
func (v view) rows(d templates.Data) []templates.Row {
	f := v.notice.Facts
	rows := []templates.Row{
		{Name: "Client", Value: d.Client},
		{Name: "At the provider", Value: joined(d.Provider, v.name(f.ClientRef))},
		{Name: "Secret in Vault", Value: versioned(d.Path, d.Version)},
		{Name: "Secret id", Value: d.SecretID},
		{Name: "Expires", Value: d.Expires.Full()},
		{Name: "Next rotation", Value: d.Rotates.Full()},
		{Name: "Old secret", Value: joined(d.OldSecretID, versionOf(d.OldVersion))},
		{Name: "Old works until", Value: oldWorks(d)},
		{Name: "What it does", Value: clean(f.Effects, maxDetail)},
		{Name: "Consumers", Value: d.Users.Said},
		{Name: "Rotation", Value: d.Rotation},
		{Name: "Why", Value: v.why(d)},
		{Name: "Owner", Value: d.Owner},
	}
	for _, key := range slices.Sorted(maps.Keys(f.Labels)) {
		rows = append(rows, templates.Row{Name: clean(key, 40), Value: v.name(f.Labels[key])})
	}
	return slices.DeleteFunc(rows, func(r templates.Row) bool { return r.Name == "" || r.Value == "" })
}

// oldWorks says until when the old secret works.
func oldWorks(d templates.Data) string {
	if !d.Users.Until.Known() || !d.OldDies.Known() {
		return d.OldDies.Full()
	}
	return d.OldDies.Full() + " at least, " + d.Users.Until.Full() + " at the longest"
}

func (v view) why(d templates.Data) string {
	if v.notice.Facts.Cause.Kind == "" {
		return ""
	}
	if d.Reason == "" {
		return d.Cause
	}
	return d.Cause + ": " + d.Reason
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

func versioned(path string, version int) string {
	if path == "" {
		return ""
	}
	return joined(path, versionOf(version))
}

func versionOf(n int) string {
	if n == 0 {
		return ""
	}
	return "version " + strconv.Itoa(n)
}
