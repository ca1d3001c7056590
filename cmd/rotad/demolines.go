package main

import (
	"fmt"
	"io"
	"mime"
	"net/mail"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

// Colours of a terminal.
const (
	demoPlain  = "\x1b[0m"
	demoBold   = "\x1b[1m"
	demoDim    = "\x1b[2m"
	demoRed    = "\x1b[1;31m"
	demoGreen  = "\x1b[32m"
	demoYellow = "\x1b[33m"
	demoCyan   = "\x1b[36m"
)

// demoTime is how the timeline writes a moment.
const demoTime = "Mon 02 Jan 15:04"

// demoLines shows a play line by line.
type demoLines struct {
	mu      sync.Mutex
	out     io.Writer
	colours bool
	zone    *time.Location
	width   func() int // of a line; nil = not limited
	mails   int        // shown so far
}

func (s *demoLines) begin(p *demoPlay, page, metrics string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone = demoZone()
	demoWrite(s.out, s.greeting(p, page, metrics))
}

// demoZone is the zone in which the demo tells times.
func demoZone() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.UTC
	}
	return zone
}

func (s *demoLines) greeting(p *demoPlay, page, metrics string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", s.paint(demoBold, "rotad demo")+": the whole daemon, and eight clients: one for each way in which providers replace secrets.")
	line("Time runs at %s per second while nothing happens, and as it should while something does.", credential.FormatDuration(p.speed))
	line("Times here are those of %s; the commands below write those of your own zone, and name it. Ctrl-C ends it.", s.zone)
	line("")
	if page != "" {
		line("Watch it, and break it, in a browser:  %s", s.paint(demoCyan, "http://"+page+"/"))
		line("")
	}
	line("Try in another terminal:")
	for _, command := range []string{"status", "rotate " + demoTried, "history " + demoTried} {
		line("  %s", s.paint(demoCyan, typed()+" "+command+" --socket "+p.socket))
	}
	line("")
	place := p.world.dir
	if !p.kept {
		place += " (removed at the end; --dir keeps it)"
	}
	line("%s", s.paint(demoDim, "configuration, state, mails, log:  "+place))
	if metrics != "" {
		line("%s", s.paint(demoDim, "metrics:                           http://"+metrics+"/metrics"))
	}
	line("")
	return b.String()
}

func (s *demoLines) event(e demoEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	demoWrite(s.out, s.line(e))
}

// line is an event as one line.
func (s *demoLines) line(e demoEvent) string {
	return s.row(e.Time, e.Client, demoColour(e.Event), strings.ReplaceAll(e.Event, "_", " "), s.sentence(e))
}

// row is one line of the timeline.
func (s *demoLines) row(at time.Time, client, colour, what, sentence string) string {
	const before = len(demoTime) + len("  1234567890123  12345678901  ")
	return s.paint(demoDim, at.In(s.zone).Format(demoTime)) + fmt.Sprintf("  %-13s  ", client) +
		s.paint(colour, fmt.Sprintf("%-11s", what)) + "  " + s.cut(sentence, before) + "\n"
}

// cut keeps a text on its line of the terminal, behind what stands there before.
func (s *demoLines) cut(text string, before int) string {
	if s.width == nil {
		return text
	}
	room := max(s.width()-before-1, 1)
	if utf8.RuneCountInString(text) <= room {
		return text
	}
	return string([]rune(text)[:room-1]) + "…"
}

func demoColour(event string) string {
	switch event {
	case "violation":
		return demoRed
	case "warned", "announced", "cutover_gap", "broken", "failed", "unknown", "orphan", "held":
		return demoYellow
	case "promoted", "confirmed", "mended", "settled", "released":
		return demoGreen
	}
	return demoCyan
}

func (s *demoLines) paint(colour, text string) string {
	if !s.colours {
		return text
	}
	return colour + text + demoPlain
}

// sentence says what an event means, for people.
func (s *demoLines) sentence(e demoEvent) string {
	switch credential.Event(e.Event) {
	case credential.EventWarned:
		return demoWarning(e.entry.Detail)
	case credential.EventAnnounced:
		return "it will be replaced on " + s.moment(e.entry.Detail, "for ")
	case credential.EventIntent:
		return "a rotation begins: " + e.entry.Detail
	case credential.EventCreated:
		return demoCreated(e.Mode)
	case credential.EventPromoted:
		return fmt.Sprintf("Vault hands it out, as version %d", e.entry.Version)
	case credential.EventOverlap:
		return "old and new both work until " + s.moment(e.entry.Detail, "until ")
	case credential.EventRevoked:
		return demoRevoked(e.Mode)
	case "cutover_gap":
		return fmt.Sprintf("logins were refused for %d ms", e.Gap)
	default:
	}
	return demoPlainly(e)
}

// demoPlainly is the sentence of an event that means the same for every client.
func demoPlainly(e demoEvent) string {
	switch credential.Event(e.Event) {
	case credential.EventStaged:
		return "kept in Vault, where no consumer reads"
	case credential.EventVerified:
		return "the provider accepts it"
	case credential.EventOldRefused:
		return "the old secret opens nothing any more"
	case credential.EventConfirmed:
		return "done"
	case credential.EventSubmitted:
		return "a person brings the new secret: rotad submit"
	default:
	}
	return e.Detail
}

func demoWarning(milestone string) string {
	switch milestone {
	case "final":
		return "the last warning: it expires within a day"
	case "expired":
		return "it has expired"
	}
	return "it expires in " + milestone
}

func demoCreated(m credential.Mode) string {
	switch m {
	case credential.ModeTwoSlot, credential.ModeStaged:
		return "a second secret beside the old one"
	case credential.ModeKeySet:
		return "a key pair, whose public half stands beside the old one"
	case credential.ModeCaller:
		return "a second secret with a value that rotad chose"
	case credential.ModeGraceWindow:
		return "a new secret; the provider keeps the old one for a while"
	case credential.ModeHardCutover:
		return "a new secret; the old one died with it"
	case credential.ModeManual:
		return "made in the portal"
	case credential.ModeUnknown:
	}
	return ""
}

func demoRevoked(m credential.Mode) string {
	switch m {
	case credential.ModeGraceWindow:
		return "the provider has let the old one lapse"
	case credential.ModeHardCutover:
		return "by the provider, when the new one was made"
	default:
	}
	return "the old secret, by its id"
}

// moment writes the time in a detail for people.
func (s *demoLines) moment(detail, before string) string {
	at, err := time.Parse(time.RFC3339, strings.TrimPrefix(detail, before))
	if err != nil {
		return detail
	}
	return at.In(s.zone).Format(demoTime)
}

func (s *demoLines) pulse(p *demoPlay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	demoWrite(s.out, s.newMails(p))
}

// newMails are the mails that have arrived since it was asked last, a line each.
func (s *demoLines) newMails(p *demoPlay) string {
	var b strings.Builder
	all := p.world.mailbox.Messages()
	for ; s.mails < len(all); s.mails++ {
		to, subject := demoHeader(all[s.mails])
		b.WriteString(s.row(all[s.mails].At, "", demoDim, "mail", to+": "+subject))
	}
	return b.String()
}

// demoHeader reads recipient and subject of a mail.
func demoHeader(m sandbox.Message) (to, subject string) {
	to = strings.Join(m.To, ", ")
	parsed, err := mail.ReadMessage(strings.NewReader(string(m.Data)))
	if err != nil {
		return to, ""
	}
	subject = parsed.Header.Get("Subject")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(subject); err == nil {
		subject = decoded
	}
	return to, subject
}

func (s *demoLines) end(_ *demoPlay, summary demoSummary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	colour := demoGreen
	if summary.Violations > 0 {
		colour = demoRed
	}
	demoWrite(s.out, fmt.Sprintf("\n%s in %d days (%.0f seconds): %d rotations of %d clients, %d logins, %d mails.\n",
		s.paint(colour, fmt.Sprintf("%d violations", summary.Violations)), summary.Days, summary.Seconds, summary.Rotations, summary.Clients,
		summary.Logins, summary.Mails))
}

// typed is what a person types for this program: a binary that "go run" has built has no name of its own.
func typed() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/rotad"
	}
	return "rotad"
}
