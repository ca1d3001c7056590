package notify_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/templates"
)

var update = flag.Bool("update", false, "write the golden files")

func samples(t testing.TB) []notify.Sample {
	t.Helper()
	all, err := notify.Samples(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// golden compares content with a file of testdata/golden, or writes it.
func golden(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content, want) {
		t.Errorf("%s differs from what it was (run with -update to accept):\n%s", name, firstDifference(want, content))
	}
}

func firstDifference(want, got []byte) string {
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, at(a, i), at(b, i))
		}
	}
	return ""
}

func at(lines []string, i int) string {
	if i >= len(lines) {
		return "(end)"
	}
	return lines[i]
}

func TestGoldenMails(t *testing.T) {
	for _, s := range everySample(t) {
		t.Run(s.Name, func(t *testing.T) {
			golden(t, s.Name+".txt", []byte("Subject: "+s.Message.Subject+"\n\n"+s.Message.Text))
			golden(t, s.Name+".html", []byte(s.Message.HTML))
			golden(t, s.Name+".eml.txt", []byte(outline(t, s.Mail)))
			if len(s.Message.Calendar) > 0 {
				golden(t, s.Name+".ics", s.Message.Calendar)
			}
			event, err := notify.Event(s.Posted)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, s.Name+".webhook.json", indent(t, event))
			card, err := notify.SlackMessage(s.Posted)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, s.Name+".slack.json", indent(t, card))
		})
	}
}

// outline lists the headers and the tree of parts as an independent parser reads them.
func outline(t *testing.T, mail []byte) string {
	t.Helper()
	entity, err := message.Read(bytes.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fields := entity.Header.Fields()
	for fields.Next() {
		value, err := fields.Text()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s: %s\n", fields.Key(), value)
	}
	b.WriteByte('\n')
	if err := entity.Walk(func(path []int, part *message.Entity, err error) error {
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s%s %s\n", strings.Repeat("  ", len(path)), part.Header.Get("Content-Type"),
			part.Header.Get("Content-Transfer-Encoding"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return boundary.ReplaceAllString(b.String(), "boundary=*")
}

var boundary = regexp.MustCompile(`boundary="?[0-9a-f]+"?`)

// leaves returns the parts of a mail as an independent parser decodes them, by media type.
func leaves(t testing.TB, mail []byte) map[string]string {
	t.Helper()
	entity, err := message.Read(bytes.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	err = entity.Walk(func(_ []int, part *message.Entity, err error) error {
		if err != nil {
			return err
		}
		kind, _, err := part.Header.ContentType()
		if err != nil || strings.HasPrefix(kind, "multipart/") {
			return err
		}
		body, err := io.ReadAll(part.Body)
		out[kind] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryKindOfNoticeHasASample(t *testing.T) {
	seen := map[credential.NoticeKind]bool{}
	for _, s := range samples(t) {
		seen[s.Notice.Kind] = true
	}
	for _, kind := range []credential.NoticeKind{
		credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired, credential.NoticeAnnounce, credential.NoticeApprove,
		credential.NoticeRotated, credential.NoticeRetired, credential.NoticeFailed, credential.NoticeHeld, credential.NoticeReleased,
		credential.NoticeNoExpiry, credential.NoticeOldRemind, credential.NoticeLeft, credential.NoticeDrift, credential.NoticeAdmin, credential.NoticeStopped, notify.KindTest,
	} {
		if !seen[kind] {
			t.Errorf("%s has no sample", kind)
		}
	}
}

func TestSamplesAreAlwaysTheSameBytes(t *testing.T) {
	first, second := samples(t), samples(t)
	for i := range first {
		if !bytes.Equal(first[i].Mail, second[i].Mail) {
			t.Errorf("%s differs from run to run:\n%s", first[i].Name, firstDifference(first[i].Mail, second[i].Mail))
		}
	}
}

func TestMailsReadBackByAnotherParser(t *testing.T) {
	for _, s := range everySample(t) {
		t.Run(s.Name, func(t *testing.T) {
			for line := range bytes.SplitSeq(s.Mail, []byte("\r\n")) {
				if len(line) > 998 || bytes.ContainsAny(line, "\r\n") || bytes.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
					t.Fatalf("a line is too long, not ASCII or not ended by CRLF: %q", line)
				}
			}
			parts := leaves(t, s.Mail)
			if got := strings.ReplaceAll(parts["text/plain"], "\r\n", "\n"); got != s.Message.Text {
				t.Errorf("the text differs:\n%s", firstDifference([]byte(s.Message.Text), []byte(got)))
			}
			if got := strings.ReplaceAll(parts["text/html"], "\r\n", "\n"); got != s.Message.HTML {
				t.Errorf("the HTML differs:\n%s", firstDifference([]byte(s.Message.HTML), []byte(got)))
			}
			asFile, invites := parts["application/ics"], !s.Message.Digest
			if parts["text/calendar"] != string(s.Message.Calendar) || invites && asFile != string(s.Message.Calendar) || !invites && asFile != "" {
				t.Error("the two calendar parts are not the calendar object")
			}
			if len(s.Mail) > 100_000 {
				t.Errorf("the mail has %d bytes; some readers cut there", len(s.Mail))
			}
		})
	}
}

func TestCalendarsReadBackByAnotherParser(t *testing.T) {
	found := 0
	for _, s := range everySample(t) {
		if s.Notice.Calendar == nil {
			if s.Message.Calendar != nil {
				t.Errorf("%s has an event that nobody asked for", s.Name)
			}
			continue
		}
		found++
		if len(s.Digest) > 0 {
			continue // see TestTheEventsOfADigestAreOneFile
		}
		t.Run(s.Name, func(t *testing.T) {
			cal := strictCalendar(t, s.Message.Calendar)
			checkEvent(t, s, cal)
		})
	}
	if found < 4 {
		t.Errorf("only %d samples have an event", found)
	}
}

// strictCalendar decodes a calendar object and encodes it again with an encoder that checks the required properties.
func strictCalendar(t testing.TB, object []byte) *ical.Calendar {
	t.Helper()
	cal, err := ical.NewDecoder(bytes.NewReader(object)).Decode()
	if err != nil {
		t.Fatalf("decoding: %v\n%s", err, object)
	}
	if err := ical.NewEncoder(io.Discard).Encode(cal); err != nil {
		t.Fatalf("encoding: %v\n%s", err, object)
	}
	for line := range strings.SplitSeq(string(object), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Fatalf("a line has %d octets or a lone line break: %q", len(line), line)
		}
	}
	return cal
}

func checkEvent(t *testing.T, s notify.Sample, cal *ical.Calendar) {
	t.Helper()
	if len(cal.Events()) != 1 {
		t.Fatalf("there are %d events", len(cal.Events()))
	}
	event, invite := cal.Events()[0], s.Notice.Calendar
	start, err := event.DateTimeStart(nil)
	if err != nil {
		t.Fatal(err)
	}
	end, err := event.DateTimeEnd(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !end.Equal(invite.At) || end.Sub(start).Minutes() != 15 {
		t.Errorf("the event lasts from %v to %v, but the deadline is %v", start, end, invite.At)
	}
	method, status, alarms := "REQUEST", "CONFIRMED", 1
	if invite.Cancel {
		method, status, alarms = "CANCEL", "CANCELLED", 0
	}
	for name, want := range map[string]string{
		"UID": invite.UID, "SEQUENCE": fmt.Sprint(invite.Sequence), "STATUS": status, "TRANSP": "TRANSPARENT",
		"ORGANIZER": "mailto:secrets@example.com", "ATTENDEE": "mailto:payments@example.com", "DTSTAMP": "20261206T080000Z",
	} {
		if prop := event.Props.Get(name); prop == nil || prop.Value != want {
			t.Errorf("%s is %v, want %s", name, prop, want)
		}
	}
	attendee := event.Props.Get("ATTENDEE")
	if attendee.Params.Get("RSVP") != "FALSE" || attendee.Params.Get("PARTSTAT") != "NEEDS-ACTION" {
		t.Errorf("the attendee is asked for an answer: %v", attendee.Params)
	}
	if len(event.Children) != alarms || cal.Props.Get("METHOD").Value != method || s.Message.Method != method {
		t.Errorf("there are %d alarms, the method is %s and %s", len(event.Children), cal.Props.Get("METHOD").Value, s.Message.Method)
	}
}

func TestTextIsAtMost72ColumnsApartFromCommands(t *testing.T) {
	for _, s := range everySample(t) {
		for line := range strings.SplitSeq(s.Message.Text, "\n") {
			if utf8.RuneCountInString(line) > templates.Columns && !strings.HasPrefix(line, templates.CommandIndent) {
				t.Errorf("%s: %d columns: %q", s.Name, utf8.RuneCountInString(line), line)
			}
		}
	}
}

var void = regexp.MustCompile(`<(meta|br)([^>]*)>`)

// wellFormed reads HTML as strict XML, after closing the elements that HTML leaves open by rule. It returns the
// elements and attributes it has seen.
func wellFormed(page string) (seen []string, err error) {
	page = void.ReplaceAllString(strings.TrimSpace(page), "<$1$2/>")
	decoder := xml.NewDecoder(strings.NewReader(page))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return seen, nil
		}
		if err != nil {
			return seen, err
		}
		if start, ok := token.(xml.StartElement); ok {
			seen = append(seen, start.Name.Local)
			for _, a := range start.Attr {
				seen = append(seen, start.Name.Local+" "+a.Name.Local)
			}
		}
	}
}

func TestHTMLIsWellFormedAndLoadsNothing(t *testing.T) {
	for _, s := range everySample(t) {
		seen, err := wellFormed(s.Message.HTML)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		for _, want := range []string{"html lang", "title", "h1", "th scope", "meta name"} {
			if !slices.Contains(seen, want) && (want != "th scope" || s.Notice.Kind != notify.KindTest) {
				t.Errorf("%s has no %s", s.Name, want)
			}
		}
		for _, bad := range []string{"img", "script", "link", "a href", "iframe", "form"} {
			if slices.Contains(seen, bad) && (bad != "a href" || !s.Links) {
				t.Errorf("%s has a %s", s.Name, bad)
			}
		}
		if strings.Contains(s.Message.HTML, "url(") || strings.Contains(s.Message.HTML, "@import") {
			t.Errorf("%s loads something", s.Name)
		}
	}
}

func TestCommandsAreTheSameInTextAndHTML(t *testing.T) {
	command := regexp.MustCompile(`(?m)^ {8}((?:rotad|vault) .*)$`)
	for _, s := range everySample(t) {
		for _, m := range command.FindAllStringSubmatch(s.Message.Text, -1) {
			if !strings.Contains(inOnePiece(s.Message.HTML), ">"+strings.ReplaceAll(m[1], "'", "&#39;")+"<") {
				t.Errorf("%s: %q stands in the text only", s.Name, m[1])
			}
		}
	}
}

func TestTheConfirmationHasTheChecklist(t *testing.T) {
	for _, s := range samples(t) {
		if s.Notice.Kind != credential.NoticeRotated {
			continue
		}
		for part, content := range map[string]string{"text": s.Message.Text, "html": inOnePiece(s.Message.HTML)} {
			last := 0
			for _, step := range []string{"Retrieve the new secret", "Update all consumers", "Verify connectivity", "Monitor ", "Remove the old secret"} {
				i := strings.Index(content, step)
				if i < last {
					t.Errorf("%s: %q is missing or out of order in the %s", s.Name, step, part)
				}
				last = i
			}
			if !strings.Contains(content, "vault kv get -mount=secret -version=42 apps/billing/oidc") {
				t.Errorf("%s: the %s does not say how to read the new secret", s.Name, part)
			}
		}
	}
}

func TestPreviewWritesWhatIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	files, err := notify.Preview(filepath.Join(dir, "new"), nil, "", "rotated")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	for _, want := range []string{"rotated.eml", "rotated.html", "rotated.txt", "rotated.ics", "rotated-cutover.eml"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing in %v", want, names)
		}
	}
	if _, err := notify.Preview(dir, nil, "", "birthday"); err == nil || !strings.Contains(err.Error(), "rotated") {
		t.Errorf("an unknown kind gives %v, which does not name the known ones", err)
	}
}
