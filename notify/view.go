package notify

import (
	"maps"
	"slices"
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
	speech *speech           // in the language of the reader
}

// view looks at a notice for one reader at one moment.
func (r *Renderer) view(n credential.Notice, to Recipient, now time.Time) view {
	return view{
		notice: n, reader: to, now: now, mount: r.sender.Mount, fields: r.sender.Fields,
		speech: &speech{Language: r.set.Language(to.Language)},
	}
}

func (v view) say(key string, about any) string { return v.speech.say(key, about) }

func (v view) data() templates.Data {
	n, f := v.notice, v.notice.Facts
	d := templates.Data{
		Kind: string(n.Kind), Language: v.speech.Tag(), Milestone: n.Milestone, Tone: v.tone(),
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
		Negative: string(f.Negative), Error: capital(v.speech.Phrase(sentence(f.Error))) + stop(f.Error),
		OldOne: v.say("old."+oldOne(f.Mode), nil),
		Ladder: v.ladder(), Escalated: n.Rung > 0,
		NoExpiry: v.noExpiry(), ByHand: v.byHand(), Users: v.users(), Effects: cleanLines(v.speech.Phrase(f.Effects)),
		Hold: v.hold(), Steps: cleanLines(f.Instructions), Commands: v.commands(),
	}
	d.Rows = v.rows(d)
	return d
}

func (v view) noExpiry() templates.NoExpiry {
	n := v.notice.Facts.NoExpiry
	if n.IsZero() {
		return templates.NoExpiry{}
	}
	return templates.NoExpiry{By: v.name(n.By), Reason: sentence(n.Reason) + stop(n.Reason), Until: v.when(n.Until)}
}

func (v view) byHand() templates.ByHand {
	h := v.notice.Facts.ByHand
	made := make([]string, len(h.Made))
	for i, id := range h.Made {
		made[i] = v.name(id)
	}
	return templates.ByHand{Made: clean(strings.Join(made, ", "), maxDetail), Moved: h.Moved, Was: v.when(h.Was), Is: v.when(h.Is)}
}

// oldOne names the message about what becomes of the old secret when a person makes a new one at the provider.
func oldOne(m credential.Mode) string {
	switch m {
	case credential.ModeTwoSlot, credential.ModeStaged, credential.ModeCaller, credential.ModeKeySet, credential.ModeManual:
		return "stays"
	case credential.ModeGraceWindow:
		return "grace"
	case credential.ModeHardCutover:
		return "ends"
	case credential.ModeUnknown:
	}
	return "maybe"
}

func (v view) when(t time.Time) templates.When { return v.speech.When(t, v.now, v.reader.Zone) }

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
	about := struct{ Actor string }{v.name(c.Actor)}
	switch c.Kind {
	case credential.CauseRequested, credential.CauseRolledBack, credential.CauseCompromised, credential.CauseSubmitted,
		credential.CauseBootstrap, credential.CauseExpired, credential.CauseRequired, credential.CauseScheduled:
		return v.say("cause."+string(c.Kind), about)
	}
	return v.say("cause.unknown", nil)
}

// rows is the table of facts, in the order in which people ask.
func (v view) rows(d templates.Data) []templates.Row {
	f := v.notice.Facts
	rows := []templates.Row{
		{Name: v.say("fact.client", nil), Value: d.Client},
		{Name: v.say("fact.provider", nil), Value: joined(d.Provider, v.name(f.ClientRef))},
		{Name: v.say("fact.vault", nil), Value: v.versioned(d.Path, d.Version)},
		{Name: v.say("fact.secret", nil), Value: d.SecretID},
		{Name: v.say("fact.expires", nil), Value: d.Expires.Full()},
		{Name: v.say("fact.next", nil), Value: d.Rotates.Full()},
		{Name: v.say("fact.old", nil), Value: joined(d.OldSecretID, v.version(d.OldVersion))},
		{Name: v.say("fact.old_until", nil), Value: v.oldWorks(d)},
		{Name: v.say("fact.effect", nil), Value: clean(v.speech.Phrase(f.Effects), maxDetail)},
		{Name: v.say("fact.consumers", nil), Value: d.Users.Said},
		{Name: v.say("fact.rotation", nil), Value: d.Rotation},
		{Name: v.say("fact.why", nil), Value: v.why(d)},
		{Name: v.say("fact.owner", nil), Value: d.Owner},
	}
	for _, key := range slices.Sorted(maps.Keys(f.Labels)) {
		rows = append(rows, templates.Row{Name: clean(key, 40), Value: v.name(f.Labels[key])})
	}
	return slices.DeleteFunc(rows, func(r templates.Row) bool { return r.Name == "" || r.Value == "" })
}

// oldWorks says until when the old secret works.
func (v view) oldWorks(d templates.Data) string {
	if !d.Users.Until.Known() || !d.OldDies.Known() {
		return d.OldDies.Full()
	}
	return v.say("fact.between", d)
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

func (v view) versioned(path string, version int) string {
	if path == "" {
		return ""
	}
	return joined(path, v.version(version))
}

func (v view) version(n int) string {
	if n == 0 {
		return ""
	}
	return v.say("fact.version", n)
}
