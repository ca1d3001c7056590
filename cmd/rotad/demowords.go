package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/stage"
)

// Tones of what the page tells.
const (
	demoInfo  = "info"
	demoGood  = "good"
	demoAct   = "act"
	demoWrong = "bad"
)

// tell puts an audit entry into the story, and onto the client's line.
func (p *demoPlay) tell(entry credential.Audit) {
	text, tone := p.sentence(entry)
	if text == "" {
		return
	}
	what := strings.ReplaceAll(string(entry.Event), "_", " ")
	p.story.Tell(stage.Line{At: entry.At, Client: entry.Client, What: what, Text: text, Tone: tone})
	p.world.ledger.Mark(entry.Client, stage.Mark{At: entry.At, What: string(entry.Event), Text: what + ": " + text})
	if demoReaction(entry) != "" && p.trouble.ever() {
		p.screen.event(demoEvent{
			Event: string(entry.Event), Time: entry.At, Client: entry.Client, Mode: entry.Mode, Rotation: entry.Rotation, Detail: text,
		})
	}
	if entry.Event == credential.EventHeld {
		p.sendOwner(entry)
	}
}

func (p *demoPlay) sentence(entry credential.Audit) (text, tone string) {
	if text = demoReaction(entry); text != "" {
		tone = demoAct
		if entry.Event == credential.EventSettled || entry.Event == credential.EventReleased {
			tone = demoGood
		}
		return clean(text), tone
	}
	if !slices.Contains(demoEvents(), entry.Event) {
		return "", ""
	}
	text = p.voice.sentence(demoEvent{Event: string(entry.Event), Mode: entry.Mode, entry: entry})
	switch entry.Event {
	case credential.EventPromoted, credential.EventConfirmed, credential.EventOldRefused:
		return text, demoGood
	case credential.EventWarned, credential.EventAnnounced:
		return text, demoAct
	default:
	}
	return text, demoInfo
}

// demoReaction says what rotad did where something did not go as planned; empty = it is nothing of that sort.
func demoReaction(entry credential.Audit) string {
	switch entry.Event {
	case credential.EventFailed:
		return "it did not work and is tried again: " + entry.Detail
	case credential.EventUnknown:
		return "whether a secret was made is not known, so no other one is made before that is found out"
	case credential.EventSettled:
		return "found out what became of it: " + entry.Detail
	case credential.EventOrphan:
		return "a secret exists whose value nobody has: it is deleted by its id"
	case credential.EventHeld:
		return "rotad stops here and asks a person: " + entry.Detail
	case credential.EventReleased:
		return "rotad goes on: " + entry.Detail
	case credential.EventRequested:
		return "a person: " + demoAsked(entry.Detail)
	case credential.EventAborted:
		return "the rotation was ended: " + entry.Detail
	default:
	}
	return ""
}

func demoAsked(detail string) string {
	if strings.HasPrefix(detail, "resume") {
		return "rotad " + detail
	}
	return "rotad rotate"
}

func demoTitle(act stage.Act) string {
	switch act {
	case stage.ActVault:
		return "Vault is down"
	case stage.ActSMTP:
		return "Mail is down"
	case stage.ActIdP:
		return "The identity providers are down"
	case stage.ActKill:
		return "The daemon is killed"
	default:
	}
	return "Someone changed it by hand"
}

func demoStruck(act stage.Act) string {
	switch act {
	case stage.ActVault:
		return "Vault cuts every connection"
	case stage.ActSMTP:
		return "the mail server cuts every connection"
	case stage.ActIdP:
		return "the identity providers cut every connection; the last answer is lost"
	case stage.ActKill:
		return "the daemon is killed: no goodbye, and what it had asked is never answered"
	default:
	}
	return "somebody made a new secret at the provider and wrote it to Vault, past rotad"
}

func demoMended(act stage.Act) string {
	switch act {
	case stage.ActVault:
		return "Vault answers again"
	case stage.ActSMTP:
		return "the mail server answers again"
	case stage.ActIdP:
		return "the identity providers answer again"
	case stage.ActKill:
		return "the daemon is started again, with the state that was durable"
	default:
	}
	return "the owner says that it was them"
}

// verdict says what came of a break: what the services felt, and where the client stands.
func (p *demoPlay) verdict(b demoBreak) string {
	answered, refused := p.world.ledger.Refusals(b.client)
	answered, refused = answered-b.answered, refused-b.refused
	parts := []string{fmt.Sprintf("Over after %s.", demoLasted(b.mended.Sub(b.since)))}
	switch refused {
	case 0:
		parts = append(parts, fmt.Sprintf("Of %d logins since then none was refused.", answered))
	case 1:
		parts = append(parts, fmt.Sprintf("Of %d logins since then one was refused.", answered))
	default:
		parts = append(parts, fmt.Sprintf("Of %d logins since then %d were refused.", answered, refused))
	}
	switch {
	case b.failures == 1:
		parts = append(parts, "rotad tried once in vain.")
	case b.failures > 1:
		parts = append(parts, fmt.Sprintf("rotad tried %d times in vain.", b.failures))
	}
	if b.act == stage.ActSMTP {
		parts = append(parts, "Every mail that waited has arrived, each one once.")
	}
	return strings.Join(append(parts, p.standing(b.client)), " ")
}

// standing says where a client stands.
func (p *demoPlay) standing(id string) string {
	rec, ok := p.record(id)
	switch {
	case !ok:
		return ""
	case rec.Hold != nil:
		return fmt.Sprintf("%s waits for a person: %s.", id, rec.Hold.Code)
	case rec.Rotation != nil && rec.Rotation.Promoted != 0:
		return fmt.Sprintf("Vault hands out version %d of %s, and the old secret works on meanwhile.", rec.Rotation.Promoted, id)
	}
	return fmt.Sprintf("Vault hands out version %d of %s.", rec.Version, id)
}

func demoLasted(d time.Duration) string {
	switch {
	case d >= 2*demoDay:
		return fmt.Sprintf("%d days", int(d/demoDay))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(d/time.Minute))
	}
	return fmt.Sprintf("%d seconds", max(1, int(d/time.Second)))
}

// demoForeseen says what is foreseen, without the ids of secrets that do not exist yet; empty = nothing to be shown.
func demoForeseen(e event) string {
	switch e.What {
	case willTell:
		kind, milestone, _ := strings.Cut(strings.TrimSuffix(e.Text, ", to the admins"), " ")
		return demoMail(credential.NoticeKind(kind), milestone)
	case willNotTell:
		return ""
	case willRotate:
		return "The rotation begins"
	case willPublish:
		_, version, _ := strings.Cut(e.Text, " version ")
		return "Vault hands out the new secret, as version " + version
	case willRevoke:
		return "The old secret stops working"
	}
	return strings.ToUpper(e.Text[:1]) + e.Text[1:]
}

// demoMail says what a mail is about.
func demoMail(kind credential.NoticeKind, milestone string) string {
	switch kind {
	case credential.NoticeAnnounce:
		return "A mail announces the rotation"
	case credential.NoticeRotated:
		return "A mail says where the new secret is"
	case credential.NoticeRetired:
		return "A mail says that the old secret has ended"
	case credential.NoticeWarning:
		return strings.TrimSpace("A mail warns: it expires in " + milestone)
	case credential.NoticeFinal:
		return "The last warning, by mail"
	default:
	}
	return "A mail: " + string(kind)
}
