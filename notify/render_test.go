package notify_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

var noon = time.Date(2026, 12, 6, 12, 0, 0, 0, time.UTC)

func renderer(t testing.TB, edit ...func(*notify.Sender)) *notify.Renderer {
	t.Helper()
	s := notify.Sender{
		From: notify.Address{Name: "Secrets", Addr: "secrets@example.com"}, Key: []byte("0123456789abcdef"), Mount: "kv",
	}
	for _, e := range edit {
		e(&s)
	}
	r, err := notify.NewRenderer(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rotated is a notice with every foreign text set to the same name.
func rotated(name string) credential.Notice {
	return credential.Notice{
		Seq: 7, Key: "key|" + name, Kind: credential.NoticeRotated, At: noon, Client: name, Owner: name, Milestone: name,
		Facts: credential.Facts{
			Provider: name, ClientRef: name, VaultPath: credential.VaultPath{Namespace: name, Path: "apps/" + name}, VaultVersion: 4,
			SecretID: name, OldSecretID: name, Expires: noon.AddDate(0, 3, 0), OldDies: noon.AddDate(0, 0, 3), Rotation: name,
			Cause: credential.Cause{Kind: credential.CauseRequested, Actor: name, Reason: name}, Error: name, Instructions: name,
			Hold:   &credential.Hold{Code: credential.HoldByPerson, Detail: name, By: name, Since: noon},
			Labels: map[string]string{name: name},
		},
		Calendar: &credential.Invite{UID: "7f6c2a52-0f5e-4b7e-9a39-5d9f6d2f8c11", Sequence: 2, At: noon.AddDate(0, 0, 3), What: "ends for " + name},
	}
}

func render(t testing.TB, r *notify.Renderer, n credential.Notice, to notify.Recipient) (notify.Message, []byte) {
	t.Helper()
	if to.To == "" {
		to.To = "team@example.com"
	}
	m, eventErr, err := r.Render(n, to, noon)
	if err != nil || eventErr != nil {
		t.Fatal(err, eventErr)
	}
	mail, err := notify.Compose(m)
	if err != nil {
		t.Fatal(err)
	}
	return m, mail
}

// allKinds gives a notice every kind in turn.
func allKinds(n credential.Notice) []credential.Notice {
	var out []credential.Notice
	for _, kind := range []credential.NoticeKind{
		credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired, credential.NoticeAnnounce, credential.NoticeApprove,
		credential.NoticeRotated, credential.NoticeRetired, credential.NoticeFailed, credential.NoticeHeld, credential.NoticeReleased,
		credential.NoticeNoExpiry, credential.NoticeOldRemind, credential.NoticeLeft, credential.NoticeDrift, credential.NoticeAdmin, credential.NoticeStopped, notify.KindTest,
	} {
		n.Kind = kind
		out = append(out, n)
	}
	return out
}

// injections are names that have broken mail or calendar programs.
var injections = []string{
	"plain", "O'Brien, Anna: \"x\"", "a\r\nBcc: evil@example.com", "a\nATTENDEE:mailto:evil@example.com", "a\rX", "semi;colon:comma,",
	`back\slash\n`, "emoji 👩‍👩‍👧 ünïcödé", strings.Repeat("é", 200), strings.Repeat("x", 300), "\x00\x1b[31m\x7f", "a\u202egnp.exe",
	"=?utf-8?q?hello?=", "<script>alert(1)</script>", "{{.Client}}", "\r\n\r\nBEGIN:VALARM\r\n", "\xff\xfe", "", " ", "-x", "$(id)`id`",
	"a\u2028b\u2029c\u0085d", "<x@y>", "END:VCALENDAR", "--boundary",
}

func FuzzNamesCannotInject(f *testing.F) {
	for i, name := range injections {
		f.Add(name, uint8(i))
	}
	r := renderer(f)
	f.Fuzz(func(t *testing.T, name string, kind uint8) {
		kinds := allKinds(rotated(name))
		checkHarmless(t, r, kinds[int(kind)%len(kinds)])
	})
}

func TestNamesCannotInject(t *testing.T) {
	r := renderer(t)
	for _, name := range injections {
		for _, n := range allKinds(rotated(name)) {
			checkHarmless(t, r, n)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	r, n := renderer(b), rotated("billing")
	for b.Loop() {
		render(b, r, n, notify.Recipient{})
	}
}

// knownHeaders are all that a mail may have.
var knownHeaders = []string{
	"Auto-Submitted", "Content-Language", "Date", "In-Reply-To", "Mime-Version", "Message-Id", "References", "Subject",
	"X-Auto-Response-Suppress", "X-Rotad-Client", "X-Rotad-Kind", "X-Rotad-Milestone", "From", "To", "Content-Type",
	"Importance", "Priority", "X-Priority", "X-Msmail-Priority",
}

func checkHarmless(t *testing.T, r *notify.Renderer, n credential.Notice) {
	t.Helper()
	m, mail := render(t, r, n, notify.Recipient{})
	entity, err := message.Read(bytes.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for fields := entity.Header.Fields(); fields.Next(); {
		seen[fields.Key()]++
		if !slices.Contains(knownHeaders, fields.Key()) || seen[fields.Key()] > 1 {
			t.Fatalf("%s: the header %s was injected by %q", n.Kind, fields.Key(), n.Client)
		}
	}
	if got := leaves(t, mail); len(got) != 4 {
		t.Fatalf("%s: there are %d parts", n.Kind, len(got))
	}
	if _, err := wellFormed(m.HTML); err != nil {
		t.Fatalf("%s: the HTML is broken by %q: %v", n.Kind, n.Client, err)
	}
	for _, page := range []string{m.Text, m.HTML} {
		if strings.ContainsFunc(page, func(r rune) bool { return r != '\n' && (r < 32 || r == 127 || r == '\u202e' || r == '\u2028') }) {
			t.Fatalf("%s: a control character of %q got through", n.Kind, n.Client)
		}
	}
	cal := strictCalendar(t, m.Calendar)
	event := cal.Events()[0]
	if len(cal.Children) != 1 || len(event.Children) != 1 || len(event.Props["ATTENDEE"]) != 1 || event.Props.Get("ATTENDEE").Value != "mailto:team@example.com" {
		t.Fatalf("%s: the calendar object was changed by %q:\n%s", n.Kind, n.Client, m.Calendar)
	}
}

func TestOrganizerNamesSurvive(t *testing.T) {
	for _, name := range append(injections, "O'Brien, Anna: \"x\"") {
		r := renderer(t, func(s *notify.Sender) { s.From.Name = name })
		m, mail := render(t, r, rotated("billing"), notify.Recipient{})
		event := strictCalendar(t, m.Calendar).Events()[0]
		organizer := event.Props.Get("ORGANIZER")
		if organizer == nil || organizer.Value != "mailto:secrets@example.com" {
			t.Errorf("%q: the organizer is %v", name, organizer)
		}
		entity, err := message.Read(bytes.NewReader(mail))
		if err != nil {
			t.Fatal(err)
		}
		if from := entity.Header.Get("From"); !strings.HasSuffix(from, "<secrets@example.com>") {
			t.Errorf("%q: the sender is %q", name, from)
		}
	}
}

func TestCalendarModes(t *testing.T) {
	r := renderer(t)
	published, _ := render(t, r, rotated("billing"), notify.Recipient{Calendar: notify.CalendarPublish})
	event := strictCalendar(t, published.Calendar).Events()[0]
	if published.Method != "PUBLISH" || event.Props.Get("ATTENDEE") != nil || event.Props.Get("ORGANIZER") == nil {
		t.Errorf("a published event has the method %s and the attendee %v", published.Method, event.Props.Get("ATTENDEE"))
	}
	for _, mode := range []notify.CalendarMode{notify.CalendarOff, notify.CalendarFeed} {
		none, mail := render(t, r, rotated("billing"), notify.Recipient{Calendar: mode})
		if none.Calendar != nil || strings.Contains(none.Text, "calendar") || len(leaves(t, mail)) != 2 {
			t.Errorf("%s: an event was sent to a team that wants none by mail", mode)
		}
	}
	fallback, _ := render(t, r, rotated("billing"), notify.Recipient{Fallback: true})
	if fallback.Calendar != nil {
		t.Error("an admin who stands in got an event that nobody will move")
	}
	cancel := rotated("billing")
	cancel.Calendar.Cancel = true
	gone, _ := render(t, r, cancel, notify.Recipient{Calendar: notify.CalendarPublish})
	if gone.Method != "CANCEL" || strictCalendar(t, gone.Calendar).Events()[0].Props.Get("STATUS").Value != "CANCELLED" {
		t.Errorf("a cancelled event has the method %s", gone.Method)
	}
}

func TestAddressesWithSignsOfAURIStayAddresses(t *testing.T) {
	m, _ := render(t, renderer(t), rotated("billing"), notify.Recipient{To: "a?b=c&d%e@example.com"})
	event := strictCalendar(t, m.Calendar).Events()[0]
	uri, err := url.Parse(event.Props.Get("ATTENDEE").Value)
	if err != nil {
		t.Fatal(err)
	}
	if to, err := url.PathUnescape(uri.Opaque); err != nil || to != "a?b=c&d%e@example.com" {
		t.Errorf("the attendee reads back as %q, %v", to, err)
	}
}

func TestAnEventWithoutValidFactsIsLeftOut(t *testing.T) {
	n := rotated("billing")
	n.Calendar.UID = "a\r\nATTENDEE:mailto:evil@example.com"
	m, eventErr, err := renderer(t).Render(n, notify.Recipient{To: "team@example.com"}, noon)
	if err != nil || eventErr == nil {
		t.Fatalf("the mail failed with %v, the event with %v", err, eventErr)
	}
	if m.Calendar != nil || m.Text == "" || strings.Contains(m.Text, "your calendar") {
		t.Error("the mail should go without its event and without a word about it")
	}
}

func TestMessageIDsAreStableShortAndTellNothing(t *testing.T) {
	domains := []string{"example.com", "mail.a-rather-long-subdomain-name.of.example.com", strings.Repeat("x", 60) + ".example"}
	for _, domain := range domains {
		r := renderer(t, func(s *notify.Sender) { s.From.Addr = "secrets@" + domain })
		n := rotated("billing")
		id := r.MessageID(n, "team@example.com")
		if id != r.MessageID(n, "TEAM@example.com") || id == r.MessageID(n, "other@example.com") {
			t.Error("the id does not follow from the recipient")
		}
		n.Key += "|x"
		if id == r.MessageID(n, "team@example.com") {
			t.Error("two notices have the same id")
		}
		if len(id) > 58 && len(domain) < 60 || !strings.Contains(id, "@") || strings.Contains(id, "billing") {
			t.Errorf("the id %s is too long or tells too much", id)
		}
	}
	other := renderer(t, func(s *notify.Sender) { s.Key = []byte("another key of 16") })
	if renderer(t).MessageID(rotated("x"), "a@b.c") == other.MessageID(rotated("x"), "a@b.c") {
		t.Error("two installations give the same id")
	}
}

func TestMailsAboutOneSecretAreOneThread(t *testing.T) {
	r := renderer(t)
	warning, final, next := rotated("billing"), rotated("billing"), rotated("billing")
	warning.Kind, final.Kind = credential.NoticeWarning, credential.NoticeFinal
	next.Facts.SecretID = "another"
	a, _ := render(t, r, warning, notify.Recipient{})
	b, _ := render(t, r, final, notify.Recipient{})
	c, _ := render(t, r, next, notify.Recipient{})
	if a.Thread != b.Thread || a.Thread == c.Thread || a.Thread == a.ID {
		t.Errorf("threads are %s, %s, %s", a.Thread, b.Thread, c.Thread)
	}
}

func TestImportanceIsRare(t *testing.T) {
	for _, s := range samples(t) {
		urgent := bytes.Contains(s.Mail, []byte("Importance: high"))
		want := s.Name == "final" || s.Name == "expired" || s.Name == "held-paging"
		if urgent != want {
			t.Errorf("%s: importance is %v", s.Name, urgent)
		}
	}
}

func TestCommandsAreSafeToPaste(t *testing.T) {
	m, _ := render(t, renderer(t), rotated("a b; rm -rf '$HOME'"), notify.Recipient{})
	for _, want := range []string{
		`vault kv get -namespace='a b; rm -rf '\''$HOME'\''' -mount=kv -version=4 'apps/a b; rm -rf '\''$HOME'\'''`,
		`rotad history 'a b; rm -rf '\''$HOME'\'''`,
	} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("%s is missing in\n%s", want, m.Text)
		}
	}
}

func TestHoldsShowExactlyTheCommandsOfTheirRule(t *testing.T) {
	r := renderer(t)
	for _, rule := range credential.HoldRules() {
		n := rotated("billing")
		n.Kind, n.Calendar = credential.NoticeHeld, nil
		n.Facts.Hold = &credential.Hold{Code: rule.Code, Since: noon, Deadline: noon.AddDate(0, 0, 2)}
		m, _ := render(t, r, n, notify.Recipient{})
		for _, choice := range []credential.Resolve{
			credential.ResolveRetry, credential.ResolveAdopt, credential.ResolveDiscard, credential.ResolveAcceptVault,
			credential.ResolveOldRemoved, credential.ResolveAbort, credential.ResolveUndelivered,
		} {
			if shown := strings.Contains(m.Text, "rotad resume billing --"+string(choice)); shown != rule.Allows(choice) {
				t.Errorf("%s: --%s is shown: %v", rule.Code, choice, shown)
			}
		}
		if shown := strings.Contains(m.Text, "rotad submit billing"); shown != rule.Submit {
			t.Errorf("%s: submit is shown: %v", rule.Code, shown)
		}
		for _, want := range []string{string(rule.Code), "Tue 8 Dec 2026"} {
			if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("%s: %q is missing", rule.Code, want)
			}
		}
	}
}

func TestTheAdminsLearnWhoAndWhyAndWhatToDo(t *testing.T) {
	n := rotated("billing")
	n.Kind, n.Admins, n.Calendar = credential.NoticeAdmin, true, nil
	n.Facts.Cause = credential.Cause{Kind: credential.CauseRequested, Actor: "mallory (uid 1002)", Reason: "no reason at all"}
	m, _ := render(t, renderer(t), n, notify.Recipient{})
	for _, want := range []string{"mallory (uid 1002)", "no reason at all", "rotad history billing", "rotad hold billing"} {
		if !strings.Contains(strings.Join(strings.Fields(m.Text), " "), want) || !strings.Contains(inOnePiece(m.HTML), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if !strings.Contains(m.Text, "IF IT WAS NOT YOU") {
		t.Error("nobody says what to do")
	}
}

func TestNoSecretIsInAnyRenderedByte(t *testing.T) {
	const canary = "CANARY-s3cr3t-Zq9"
	n := rotated("billing")
	n.Facts.Error = fmt.Sprintf("creating: %v", credential.NewSensitive(canary))
	n.Facts.Instructions = fmt.Sprintf("%s %+v", credential.NewSensitive(canary), credential.Bundle{"client_secret": credential.NewSensitive(canary)})
	forms := []string{canary, url.QueryEscape(canary), base64.StdEncoding.EncodeToString([]byte(canary))[:20], strings.ToLower(canary)}
	for _, n := range allKinds(n) {
		m, mail := render(t, renderer(t), n, notify.Recipient{})
		rendered := m.Subject + m.Text + m.HTML + string(m.Calendar) + string(mail)
		for _, part := range leaves(t, mail) {
			rendered += part
		}
		for _, form := range forms {
			if strings.Contains(rendered, form) {
				t.Errorf("%s: the secret is in the mail as %q", n.Kind, form)
			}
		}
	}
}

func TestAnswersStandInTheMailOfTheirReader(t *testing.T) {
	r := renderer(t, func(s *notify.Sender) {
		s.Answers = func(n credential.Notice, to string) []templates.Answer {
			return []templates.Answer{{Verb: "ack", Link: "https://rotad.example.com/answer/" + n.Client + "-" + to}}
		}
	})
	for _, to := range []string{"alice@example.com", "bob@example.com"} {
		m, _ := render(t, r, rotated("billing"), notify.Recipient{To: to})
		want := "https://rotad.example.com/answer/billing-" + to
		if !strings.Contains(m.Text, "\n        "+want+"\n") || !strings.Contains(m.HTML, `href="`+want+`"`) {
			t.Errorf("the link %s is missing", want)
		}
	}
}

func TestSenderIsChecked(t *testing.T) {
	good := notify.Sender{From: notify.Address{Addr: "a@example.com"}, Key: make([]byte, 16)}
	for name, edit := range map[string]func(*notify.Sender){
		"no sender":             func(s *notify.Sender) { s.From.Addr = "" },
		"quoted sender":         func(s *notify.Sender) { s.From.Addr = `"a b"@example.com` },
		"bad reply address":     func(s *notify.Sender) { s.ReplyTo.Addr = "a@b@c" },
		"a sender beyond ASCII": func(s *notify.Sender) { s.From.Addr = "a@bücher.example" },
		"page with a query":     func(s *notify.Sender) { s.PublicURL = "https://example.com/?a=b" },
		"page without scheme":   func(s *notify.Sender) { s.PublicURL = "example.com" },
		"javascript":            func(s *notify.Sender) { s.PublicURL = "javascript:alert(1)" },
		"short key":             func(s *notify.Sender) { s.Key = []byte("short") },
	} {
		bad := good
		edit(&bad)
		if _, err := notify.NewRenderer(bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := notify.NewRenderer(good); err != nil {
		t.Error(err)
	}
}
