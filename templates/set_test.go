package templates_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/templates"
)

func parse(t *testing.T) *templates.Set {
	t.Helper()
	set, err := templates.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// full is data in which every branch that depends on a field being set is taken.
func full(kind string) templates.Data {
	now := time.Date(2026, 12, 6, 8, 0, 0, 0, time.UTC)
	at := func(d time.Duration) templates.When { return templates.NewWhen(now.Add(d), now, nil) }
	return templates.Data{
		Kind: kind, Milestone: "failing", Tone: templates.ToneAct, Client: "billing", Owner: "payments", Provider: "corp",
		Noted: at(0), Expires: at(240 * time.Hour), Rotates: at(120 * time.Hour), OldDies: at(72 * time.Hour),
		Path: "secret/billing", Version: 4, OldVersion: 3, SecretID: "new-id", OldSecretID: "old-id", Rotation: "r1",
		Actor: "alice", Reason: "a test", Cause: "alice asked for it", Unscheduled: true, Override: true, Negative: "proved",
		Error: "It broke.", Hold: templates.Hold{
			Code: "slots-full", Cause: "Full.", Detail: "2 of 2.", By: "bob", AtEnd: "nothing", Since: at(0), Deadline: at(time.Hour),
			Commands: []templates.Command{{Line: "rotad resume billing --retry", Does: "Try again:"}},
		},
		Steps: []string{"Open the portal."}, Rows: []templates.Row{{Name: "Client", Value: "billing"}},
		Commands: templates.Commands{
			Read: "vault kv get x", Metadata: "vault kv metadata get x", Show: "rotad show billing", History: "rotad history billing",
			Rotate: "rotad rotate billing", Approve: "rotad approve billing", Submit: "rotad submit billing",
			Hold: "rotad hold billing", OldRemoved: "rotad resume billing --old-removed", Expires: "expires: 2027-03-06T00:00:00Z",
		},
		Event:   templates.Event{What: "it ends", At: at(time.Hour), Note: "An event comes with this mail."},
		Answers: []templates.Answer{{Does: "Say that you have seen it", Link: "https://rotad.example.com/answer/billing-_0"}},
		Items:   items(kind, at(72*time.Hour)),
	}
}

// items are what a digest says; no other kind has any.
func items(kind string, by templates.When) []templates.Item {
	if kind != "digest" {
		return nil
	}
	return []templates.Item{
		{Client: "billing", What: "its secret expires", Calls: true, By: by, Command: "rotad rotate billing"},
		{Client: "ledger", What: "its old secret is gone"},
	}
}

func TestEveryKindRendersWithEverythingAndWithNothing(t *testing.T) {
	set := parse(t)
	if len(set.Kinds()) != 20 {
		t.Errorf("there are %d kinds: %v", len(set.Kinds()), set.Kinds())
	}
	for _, kind := range set.Kinds() {
		for name, data := range map[string]templates.Data{"everything": full(kind), "nothing": {Kind: kind}, "manual": manual(kind)} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				mail, err := set.Render(data)
				if err != nil {
					t.Fatal(err)
				}
				if strings.ContainsAny(mail.Subject, "[]\r\n") || mail.Subject == "" {
					t.Errorf("the subject %q is empty, or has brackets or line breaks", mail.Subject)
				}
				for part, content := range map[string]string{"subject": mail.Subject, "text": mail.Text, "html": mail.HTML} {
					for _, bad := range []string{"<no value>", "%!", "{{", "ZgotmplZ"} {
						if strings.Contains(content, bad) {
							t.Errorf("the %s contains %q", part, bad)
						}
					}
				}
			})
		}
	}
}

func manual(kind string) templates.Data {
	d := full(kind)
	d.Manual, d.Cutover, d.Admin = true, true, true
	return d
}

func TestLinksOnlyWhereThereIsAPage(t *testing.T) {
	set := parse(t)
	for _, kind := range set.Kinds() {
		data := full(kind)
		with, err := set.Render(data)
		if err != nil {
			t.Fatal(err)
		}
		data.Answers = nil
		without, err := set.Render(data)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(with.HTML, `href="https://rotad.example.com/answer/billing-_0"`) || !strings.Contains(with.Text, "https://rotad.example.com/answer/billing-_0") {
			t.Errorf("%s: the link is missing", kind)
		}
		if strings.Contains(without.HTML, "href") || strings.Contains(without.Text, "://") {
			t.Errorf("%s: there is a link without a page", kind)
		}
	}
}

func TestHTMLIsEscaped(t *testing.T) {
	set := parse(t)
	data := full("warning")
	data.Client = `<script>alert("x")</script>`
	data.Rows = []templates.Row{{Name: "Client", Value: data.Client}}
	mail, err := set.Render(data)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(mail.HTML, "<script") {
		t.Error("a name became markup")
	}
	if !strings.Contains(mail.Text, "<script>") {
		t.Error("the plain text is escaped although it has no markup")
	}
}

func TestAKindWithoutTemplatesIsAnError(t *testing.T) {
	if _, err := parse(t).Render(templates.Data{Kind: "birthday"}); err == nil {
		t.Error("an unknown kind was rendered")
	}
}

func TestALongNameLeavesTheSubjectItsDate(t *testing.T) {
	data := full("warning")
	data.Client = strings.Repeat("é", 300)
	mail, err := parse(t).Render(data)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(mail.Subject, "Wed 16 Dec") {
		t.Errorf("the subject %q has lost its end", mail.Subject)
	}
}
