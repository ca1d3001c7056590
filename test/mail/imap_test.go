package mail_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rotad/rotad/test/servers"
)

// letter is a mail as Python's mail reader has it from Dovecot.
type letter struct {
	ID      string   `json:"id"`
	Subject string   `json:"subject"`
	To      string   `json:"to"`
	From    string   `json:"from"`
	Tree    []string `json:"tree"` // the types of all parts, from the outside to the inside
	Parts   []struct {
		Type   string `json:"type"`
		Method string `json:"method"`
		File   string `json:"file"`
		Text   string `json:"text"`
	} `json:"parts"`
	Defects []string `json:"defects"`
}

var (
	plainTree = []string{"multipart/alternative", "text/plain", "text/html"}
	eventTree = []string{
		"multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics",
	}
)

// arrivedWhole fetches the mailbox over IMAP and compares it with what was handed over.
func (l *life) arrivedWhole() {
	t := l.T
	t.Helper()
	var letters []letter
	l.Must(ask(t.Context(), []string{python(t), "python/mailbox.py"}, []string{
		fmt.Sprintf("IMAP_PORT=%d", l.postfix.IMAPPort), "IMAP_USER=" + servers.MailUser, "IMAP_PASSWORD=" + servers.MailPassword,
	}, &letters))
	mails, err := l.postfix.Mails("")
	l.Must(err)
	sent, _ := handedOver(l.World)
	fetched := 0
	for _, m := range mails {
		if !strings.HasPrefix(m.To, l.Name+".") {
			continue
		}
		i := slices.IndexFunc(letters, func(l letter) bool { return l.ID == m.ID })
		if i < 0 || !sent[m.ID] {
			t.Errorf("the mail %q was fetched: %t, is one that the daemon says it sent: %t", m.Subject, i >= 0, sent[m.ID])
			continue
		}
		fetched++
		l.same(letters[i], m)
	}
	if fetched != len(sent) || fetched < len(l.events) {
		t.Errorf("%d mails were fetched, %d were sent, of which %d with an event", fetched, len(sent), len(l.events))
	}
	t.Logf("%d mails fetched over IMAP are those that were sent", fetched)
}

// same compares subject, people, parts and events.
func (l *life) same(got letter, m servers.Mail) {
	t := l.T
	t.Helper()
	want := plainTree
	if m.Calendar != nil {
		want = eventTree
	}
	if got.Subject != m.Subject || got.To != m.To || got.From != m.From || !slices.Equal(got.Tree, want) || len(got.Defects) > 0 {
		t.Errorf("IMAP gives %q of %s to %s: %v, defects %v; want %q of %s to %s: %v", got.Subject, got.From, got.To, got.Tree,
			got.Defects, m.Subject, m.From, m.To, want)
	}
	lines := strings.NewReplacer("\r\n", "\n")
	for _, part := range got.Parts {
		want := map[string]string{
			"text/plain": m.Text, "text/html": m.HTML, "text/calendar": m.Carried, "application/ics": m.Carried,
		}[part.Type]
		if want == "" || part.Text != lines.Replace(want) {
			t.Errorf("the part %s of %q has come as\n%s\nwant\n%s", part.Type, m.Subject, part.Text, want)
		}
		if part.Type == "text/calendar" && part.Method != m.Method || part.Type == "application/ics" && part.File != "invite.ics" {
			t.Errorf("the part %s of %q has the method %q and the name %q", part.Type, m.Subject, part.Method, part.File)
		}
	}
}
