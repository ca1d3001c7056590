package notify

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// maxChat is how many notices of a digest a chat shows. A program is told all.
const maxChat = 40

// RenderDigest writes one message about several notices of one owner, for one reader at one moment. The same arguments give
// the same message. A calendar event that would not be valid is left out, and eventErr says why.
func (r *Renderer) RenderDigest(notices []credential.Notice, to Recipient, now time.Time) (m Message, eventErr, err error) {
	views := r.views(notices, to, now)
	d := digestData(views)
	m = Message{
		ID: r.id(notices[0], to), Kind: KindDigest, Digest: true, Language: d.Language, From: r.sender.From, ReplyTo: r.sender.ReplyTo, To: to.To,
		Date: latestOf(notices).UTC().Truncate(time.Second),
	}
	if to.byMail() {
		eventErr = r.addEvents(&m, &d, views)
	}
	mail, err := r.set.Render(d)
	if err != nil {
		return Message{}, nil, err
	}
	m.Subject, m.Text, m.HTML = mail.Subject, mail.Text, mail.HTML
	if !to.byMail() {
		m.Card, err = r.digestCard(views, d)
	}
	for _, v := range views {
		err = errors.Join(err, v.speech.wrong)
	}
	return m, eventErr, err
}

// views are the notices of a digest for one reader, the first to be due first.
func (r *Renderer) views(notices []credential.Notice, to Recipient, now time.Time) []view {
	views := make([]view, len(notices))
	for i, n := range notices {
		views[i] = r.view(n, to, now)
	}
	slices.SortStableFunc(views, func(a, b view) int {
		return cmp.Or(dueFirst(deadline(a.notice), deadline(b.notice)), strings.Compare(a.notice.Client, b.notice.Client))
	})
	return views
}

// dueFirst orders deadlines by the minute, as people read them; what has none comes last.
func dueFirst(a, b time.Time) int {
	a, b = a.Truncate(time.Minute), b.Truncate(time.Minute)
	if a.IsZero() || b.IsZero() {
		return -cmp.Compare(a.Unix(), b.Unix())
	}
	return a.Compare(b)
}

// latestOf is the moment that a digest was put together for; it does not change with the attempts.
func latestOf(notices []credential.Notice) (last time.Time) {
	for _, n := range notices {
		last = later(last, later(n.At, n.Wait))
	}
	return last
}

func digestData(views []view) templates.Data {
	first := views[0]
	d := templates.Data{
		Kind: string(KindDigest), Language: first.speech.Tag(), Tone: templates.ToneInfo, Owner: first.name(first.notice.Owner),
		Fallback: first.reader.Fallback, Ladder: first.ladder(),
	}
	d.Commands.Ack = "rotad ack CLIENT"
	for _, v := range views {
		item := v.item()
		if item.Calls {
			d.Calls, d.Tone = d.Calls+1, templates.ToneAct
		}
		d.Items = append(d.Items, item)
	}
	return d
}

// item is the line of a notice in a digest.
func (v view) item() templates.Item {
	n := v.notice
	what, command := v.brief(v.commands())
	return templates.Item{
		Client: v.name(n.Client), What: what, Calls: SeverityOf(n) != SeverityInfo, By: v.when(deadline(n)), Command: command,
	}
}

// brief says in a few words what a notice is about, and the command that belongs to it.
func (v view) brief(c templates.Commands) (what, command string) {
	n, f := v.notice, v.notice.Facts
	switch n.Kind {
	case credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired:
		return v.briefExpiry(c)
	case credential.NoticeRotated:
		return v.say("brief.rotated", v.version(f.VaultVersion)), c.Read
	case credential.NoticeFailed:
		return v.say("brief.failed", nil) + detail(f.Error), c.Show
	case credential.NoticeHeld:
		if f.Hold != nil {
			rule, _ := credential.RuleFor(f.Hold.Code)
			return v.say("brief.held", nil) + ", " + clean(string(f.Hold.Code), maxName) + detail(v.speech.Phrase(rule.Cause)), c.Show
		}
		return v.say("brief.held", nil), c.Show
	case credential.NoticeInUse:
		return v.say("brief.in-use", nil) + detail(v.users().Said), c.Show
	default:
	}
	if command, ok := briefs[n.Kind]; ok {
		return v.say("brief."+string(n.Kind), nil), command(c)
	}
	return strings.ReplaceAll(string(n.Kind), "-", " "), c.Show
}

// briefs are the commands of notices that are always about the same. Nothing changes it.
var briefs = map[credential.NoticeKind]func(templates.Commands) string{
	credential.NoticeAnnounce:  func(c templates.Commands) string { return c.Show },
	credential.NoticeApprove:   func(c templates.Commands) string { return c.Approve },
	credential.NoticeRetired:   noCommand,
	credential.NoticeReleased:  noCommand,
	credential.NoticeNoExpiry:  func(c templates.Commands) string { return c.Show },
	credential.NoticeOldRemind: func(c templates.Commands) string { return c.OldRemoved },
	credential.NoticeLeft:      noCommand,
	credential.NoticeDrift:     func(c templates.Commands) string { return c.History },
	credential.NoticeStopped:   func(c templates.Commands) string { return c.Wave },
	credential.NoticeAdmin:     func(c templates.Commands) string { return c.History },
}

func noCommand(templates.Commands) string { return "" }

func (v view) briefExpiry(c templates.Commands) (what, command string) {
	f := v.notice.Facts
	switch {
	case !f.NoExpiry.IsZero():
		return v.say("brief.expiry.word", nil), c.Show
	case f.Observed:
		return v.say("brief.expiry.observed", nil), c.Show
	case f.Mode == credential.ModeManual:
		return v.say("brief.expiry.manual", nil), c.Submit
	}
	return v.say("brief.expiry.rotate", nil), c.Rotate
}

func detail(s string) string {
	if s = sentence(s); s == "" {
		return ""
	}
	return ": " + s
}

// addEvents adds one file with the events of all notices.
func (r *Renderer) addEvents(m *Message, d *templates.Data, views []view) error {
	var events []event
	var errs []error
	for _, v := range views {
		v.reader.Calendar = orElse(v.reader.Calendar, CalendarPublish)
		if v.reader.Calendar == CalendarRequest {
			v.reader.Calendar = CalendarPublish
		}
		if !brings(v.notice, v.reader) {
			continue
		}
		data := v.data()
		e, _, err := r.event(&data, v)
		if errs = append(errs, err); err == nil {
			events = append(events, e)
		}
	}
	if d.Files = len(events); d.Files > 0 {
		m.Calendar, m.Method = encodeAll(ics.MethodPublish, events...), string(ics.MethodPublish)
	}
	return errors.Join(errs...)
}

// digestCard is a digest for a chat or a program.
func (r *Renderer) digestCard(views []view, d templates.Data) (*Card, error) {
	d.Chat = true
	words, err := r.set.RenderWords(d)
	if err != nil {
		return nil, err
	}
	first := views[0]
	c := &Card{Severity: SeverityInfo, Headline: words.Headline, Lead: words.Lead, Why: words.Why, More: first.say("card.more", "rotad status"), Source: r.source()}
	for i, v := range views {
		fact, err := r.digestFacts(v)
		if err != nil {
			return nil, err
		}
		c.Facts.Notices = append(c.Facts.Notices, fact)
		if fact.Severity.reaches(c.Severity) {
			c.Severity = fact.Severity
		}
		if item := d.Items[i]; i < maxChat {
			c.Rows = append(c.Rows, templates.Row{Name: item.Client, Value: joined(item.What, item.By.Short())})
		}
	}
	if more := len(views) - maxChat; more > 0 {
		c.Rows = append(c.Rows, templates.Row{Name: first.say("card.others", nil), Value: first.say("card.list", d.Items[maxChat].Client)})
	}
	c.Label = first.say("card.severity."+string(c.Severity), nil)
	c.Facts.Kind, c.Facts.Severity, c.Facts.Summary, c.Facts.Owner, c.Facts.StandIn = d.Kind, c.Severity, words.Headline, d.Owner, d.Fallback
	return c, nil
}

// digestFacts are one notice of a digest as a program reads it: what it would have been told by itself.
func (r *Renderer) digestFacts(v view) (Facts, error) {
	card, err := r.card(v, v.data())
	if err != nil {
		return Facts{}, err
	}
	return card.Facts, nil
}
