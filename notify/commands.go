package notify

import (
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// someSecret stands for an id that only a person can choose.
const someSecret = "SECRET-ID"

// commands are the command lines of a notice. Mails show commands because links need a web page that may not exist.
func (v view) commands() templates.Commands {
	id := quote(clean(v.notice.Client, maxDetail))
	c := templates.Commands{
		Read:       v.vault("get", true),
		Metadata:   v.vault("metadata get", false),
		Show:       "rotad show " + id,
		History:    "rotad history " + id,
		Rotate:     "rotad rotate " + id + " --reason 'why'",
		Approve:    "rotad approve " + id,
		Submit:     "rotad submit " + id,
		Hold:       "rotad hold " + id,
		OldRemoved: "rotad resume " + id + " --old-removed",
		Ack:        "rotad ack " + id,
		Accept:     "rotad resume " + id + " --accept-vault",
		Patch:      v.patch(),
		Moved:      v.moved(id),
		TryChannel: "rotad send-test --channel " + quote(v.name(v.reader.About)),
		Wave:       "rotad wave " + quote(clean(v.notice.Facts.Provider, maxDetail)),
		WaveResume: "rotad wave resume " + quote(clean(v.notice.Facts.Provider, maxDetail)) + " --reason 'why'",
	}
	if !v.notice.Facts.NoExpiry.IsZero() {
		c.NoExpiry = "no_expiry: {acknowledged_by: NAME, reason: WHY, until: " + v.now.UTC().AddDate(1, 0, 0).Format(time.DateOnly) + "}"
	}
	if v.notice.Kind == credential.NoticeNoExpiry || !v.notice.Facts.NoExpiry.IsZero() {
		some := v.now.UTC().AddDate(0, 3, 0).Truncate(24 * time.Hour).Format(time.RFC3339)
		c.Expires = "expires: " + some
		c.Submit += " --expires " + some
	}
	return c
}

// vault returns "vault kv <verb> -mount=M -version=N PATH", with a namespace where there is one.
func (v view) vault(verb string, version bool) string {
	p := v.notice.Facts.VaultPath
	if p.Path == "" {
		return ""
	}
	words := []string{"vault kv", verb}
	if p.Namespace != "" {
		words = append(words, "-namespace="+quote(clean(p.Namespace, maxDetail)))
	}
	if mount := v.mountOf(p); mount != "" {
		words = append(words, "-mount="+quote(clean(mount, maxDetail)))
	}
	if n := v.notice.Facts.VaultVersion; version && n > 0 {
		words = append(words, "-version="+strconv.Itoa(n))
	}
	return strings.Join(append(words, quote(clean(p.Path, maxDetail))), " ")
}

// patch returns the command that writes a value which a person made. It takes the value from one line of its input, so that
// no shell keeps it in its history, and without the end of that line, which Vault would keep as a part of it.
func (v view) patch() string {
	write := v.vault("patch", false)
	if write == "" {
		return ""
	}
	field := v.fields[v.notice.Facts.Provider]
	if field == "" {
		field = credential.FieldClientSecret
	}
	field = v.notice.Facts.VaultPath.Field(field)
	return `head -n 1 | tr -d '\n' | ` + write + " " + quote(clean(field, maxDetail)+"=-")
}

// hold describes the stop of a notice with the commands that its row in the table of holds allows.
func (v view) hold() templates.Hold {
	h := v.notice.Facts.Hold
	if h == nil {
		return templates.Hold{}
	}
	rule, ok := credential.RuleFor(h.Code)
	if !ok {
		rule = credential.HoldRule{Cause: v.say("hold.unknown", nil), Resolve: []credential.Resolve{credential.ResolveRetry}}
	}
	return templates.Hold{
		Code: clean(string(h.Code), maxName), Cause: v.speech.Phrase(rule.Cause), Detail: v.speech.Phrase(sentence(h.Detail)) + stop(h.Detail),
		By: v.name(h.By), AtEnd: strings.TrimRight(v.speech.Phrase(rule.AtEnd), "."), Paging: h.Paging,
		Since: v.when(h.Since), Deadline: v.when(h.Deadline), Commands: v.waysOut(rule),
	}
}

func (v view) waysOut(rule credential.HoldRule) []templates.Command {
	id := quote(clean(v.notice.Client, maxDetail))
	var out []templates.Command
	for _, choice := range rule.Choices(v.notice.Facts.Rotation != "") {
		line := "rotad resume " + id + " --" + string(choice)
		if choice == credential.ResolveAdopt || choice == credential.ResolveDiscard {
			line += " " + someSecret
		}
		out = append(out, templates.Command{Line: line, Does: v.meaning(choice)})
	}
	if rule.Submit {
		out = append(out, templates.Command{
			Line: "rotad submit " + id,
			Does: v.say("hold.submit", nil),
		})
	}
	if rule.Remove() {
		out = append(out, templates.Command{
			Line: "rotad remove " + id,
			Does: v.say("hold.forget", nil),
		})
	}
	return out
}

// meaning says what a way out does, for someone who decides at night.
func (v view) meaning(choice credential.Resolve) string {
	return v.say("hold."+string(choice), nil)
}
