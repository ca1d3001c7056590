package notify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/notify"
)

func TestSlackTakesTheCardOfEveryKind(t *testing.T) {
	c, chat, _ := slackTo(t)
	long := strings.Repeat("<!channel> & 🔑 ", 600)
	for _, name := range []string{"billing", long} {
		for _, n := range allKinds(rotated(name)) {
			m, _, err := renderer(t, func(s *notify.Sender) { s.PublicURL = "https://rotad.example.com" }).Render(n, notify.Recipient{Channel: "team"}, noon)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Send(t.Context(), m); err != nil {
				t.Errorf("%s: %v", n.Kind, err)
			}
		}
	}
	for _, card := range chat.Cards() {
		if strings.Contains(text(t, card.Raw), "<") {
			t.Fatalf("a name can call the whole channel: %s", card.Raw)
		}
		if card.Text == "" || card.Blocks[0].Type != "header" || card.Blocks[len(card.Blocks)-1].Type != "context" {
			t.Errorf("the card is not complete: %s", card.Raw)
		}
	}
}

// text is JSON as its reader decodes it.
func text(t *testing.T, body []byte) string {
	t.Helper()
	var decoded any
	if err := json.Unmarshal(body, &decoded); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			b.WriteString(v + "\n")
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(decoded)
	return b.String()
}

// No cut goes through what stands for one character.
func TestACutLeavesCharactersWhole(t *testing.T) {
	for length := range 40 {
		n := rotated(strings.Repeat("x", length) + strings.Repeat("&", 199-length))
		m, _, err := renderer(t).Render(n, notify.Recipient{Channel: "team"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		body, err := notify.SlackMessage(m)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(text(t, body), "\n") {
			if rest := strings.ReplaceAll(line, "&amp;", ""); strings.Contains(rest, "&") || strings.Contains(rest, "am") && strings.HasSuffix(rest, "am…") {
				t.Fatalf("cut in the middle: %s", line)
			}
		}
	}
}

func TestWhatMayBeConcludedFromSlacksAnswers(t *testing.T) {
	for _, tt := range []struct {
		status int
		word   string
		class  notify.Class
		says   string
	}{
		{404, "no_service", notify.ClassPermanent, "make a new one"},
		{403, "invalid_token", notify.ClassPermanent, "make a new one"},
		{403, "action_prohibited", notify.ClassPermanent, "does not let"},
		{410, "channel_is_archived\n", notify.ClassPermanent, "archived"},
		{400, "invalid_payload", notify.ClassPermanent, "bug"},
		{400, "echo of " + slackToken, notify.ClassPermanent, "400"},
		{500, "rollup_error", notify.ClassRetry, "500"},
		{500, "no_service", notify.ClassRetry, "500"},
		{502, "<html>", notify.ClassRetry, "502"},
		{429, "rate_limited", notify.ClassDown, "left alone"},
		{302, "", notify.ClassRetry, "redirect"},
	} {
		c, _, faults := slackTo(t)
		faults.Text(sandbox.When{}, tt.status, tt.word)
		_, err := c.Send(t.Context(), posted(t, "team"))
		var failed *notify.SendError
		if !errors.As(err, &failed) || failed.Class != tt.class || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), slackToken) {
			t.Errorf("%d %s: %v", tt.status, tt.word, err)
		}
	}
}

// The URL is the credential: what is wrong with it is said without it.
func TestTheURLOfSlackStandsInNoError(t *testing.T) {
	for name, url := range map[string]string{
		"none":             "",
		"no URL":           "hooks.slack.com/services/T/B/" + slackToken,
		"in clear":         "http://hooks.slack.com/services/T/B/" + slackToken,
		"unreadable":       "https://hooks.slack.com/%zz/" + slackToken,
		"nobody is there":  "https://127.0.0.1:1/services/T/B/" + slackToken,
		"there is no name": "https://" + "nowhere.invalid/services/T/B/" + slackToken,
	} {
		c, err := notify.NewSlack(notify.SlackSettings{Name: "team", URL: sensitive(url), Now: time.Now, Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Send(t.Context(), posted(t, "team"))
		var failed *notify.SendError
		if !errors.As(err, &failed) || failed.Class != notify.ClassDown || strings.Contains(err.Error(), slackToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, _, faults := slackTo(t)
	faults.Status(sandbox.When{Count: -1}, http.StatusInternalServerError, 0)
	if err := c.Check(t.Context()); err != nil || faults.Hits() != 0 {
		t.Errorf("checking the form of the URL asked Slack: %v", err)
	}
}

// FuzzCards gives a client any name: a webhook stays one event, a card stays within Slack's limits, and the name calls nobody.
func FuzzCards(f *testing.F) {
	for _, name := range []string{"billing", "<!channel>", "<@U1>|<https://x|y>", "&lt;!here&gt;", strings.Repeat("&", 300), "\x00\xff\u202e", "🔑\ufe0f", "*a* _b_ `c`"} {
		f.Add(uint8(len(name)), name)
	}
	f.Fuzz(func(t *testing.T, kind uint8, name string) {
		all := allKinds(rotated(name))
		m, _, err := renderer(t).Render(all[int(kind)%len(all)], notify.Recipient{Channel: "team"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		event, err := notify.Event(m)
		if err != nil || !json.Valid(event) {
			t.Errorf("the event of %q is %s, %v", name, event, err)
		}
		body, err := notify.SlackMessage(m)
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		sandbox.NewSlack(slackToken).ServeHTTP(answer, httptest.NewRequest(http.MethodPost, sandbox.PathSlack+slackToken, bytes.NewReader(body)))
		if answer.Body.String() != "ok" || strings.ContainsAny(text(t, body), "<>") {
			t.Errorf("Slack says %s to the card of %q: %s", answer.Body, name, body)
		}
	})
}
