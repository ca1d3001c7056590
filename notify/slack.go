package notify

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// SlackSettings are the settings of a slack channel: plain data.
type SlackSettings struct {
	Name string // required
	// URL is the incoming webhook, which is the credential: whoever has it can post. It is asked before every message.
	// Required.
	URL     func() (credential.Sensitive, error)
	Roots   *tls.Config      // certificates to trust; nil = the system's
	Timeout time.Duration    // of one post; 0 = DefaultPost
	Now     func() time.Time // required
}

// Slack is the channel that posts cards to an incoming webhook of Slack, or of what understands its messages. Nothing there
// tells a repeated message from a new one, so a lost answer is repeated once, as with a mail. It is safe for concurrent use.
type Slack struct {
	settings SlackSettings
	poster   *poster
}

var _ Channel = (*Slack)(nil)

// NewSlack checks the settings. It does not connect.
func NewSlack(s SlackSettings) (*Slack, error) {
	if s.Name == "" || s.URL == nil || s.Now == nil {
		return nil, errors.New("a slack channel needs a name, a URL and a clock")
	}
	return &Slack{settings: s, poster: newPoster(s.Roots, s.Timeout, s.Now)}, nil
}

// Name returns the name that the configuration gives this channel.
func (c *Slack) Name() string { return c.settings.Name }

// Send posts one card.
func (c *Slack) Send(ctx context.Context, m Message) (Receipt, error) {
	body, err := SlackMessage(m)
	if err != nil {
		return Receipt{}, &SendError{Class: ClassPermanent, Stage: stageAddress, Err: err}
	}
	to, err := c.url()
	if err != nil {
		return Receipt{}, err
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json; charset=utf-8")
	said, sent, err := c.poster.post(ctx, to, header, body)
	switch {
	case err != nil && sent:
		return Receipt{}, &SendError{Class: ClassAmbiguous, Stage: stagePost, Err: err}
	case err != nil:
		return Receipt{}, unsent(err)
	case said.ok():
		return Receipt{Reply: strconv.Itoa(said.code)}, nil
	}
	return Receipt{}, refusedBySlack(said)
}

// Check looks at the form of the URL. Slack has no way to ask without posting.
func (c *Slack) Check(context.Context) error {
	_, err := c.url()
	return err
}

// Close closes the kept connections.
func (c *Slack) Close() error {
	c.poster.client.CloseIdleConnections()
	return nil
}

// url reads the URL, which stands in no error.
func (c *Slack) url() (string, error) {
	secret, err := c.settings.URL()
	if err != nil {
		return "", &SendError{Class: ClassDown, Stage: stageSecret, Err: fmt.Errorf("reading the URL: %w", err)}
	}
	to := strings.TrimSpace(secret.Reveal())
	if _, err := CheckURL(to); err != nil {
		return "", &SendError{Class: ClassDown, Stage: stageSecret, Err: fmt.Errorf("what stands for the URL %w", err)}
	}
	return to, nil
}

// slackWords are Slack's answers, with what a person does about them. An answer that is none of them is not repeated.
var slackWords = map[string]string{ //nolint:gosec // words, no credentials
	"no_service":                        "the URL is not valid any more: make a new one in Slack",
	"no_service_id":                     "the URL is not complete: copy it anew from Slack",
	"no_team":                           "the URL names no workspace: copy it anew from Slack",
	"team_disabled":                     "the workspace is switched off",
	"invalid_token":                     "the URL is not valid any more: make a new one in Slack",
	"no_active_hooks":                   "the incoming webhook is switched off in Slack",
	"action_prohibited":                 "the workspace does not let the webhook post",
	"posting_to_general_channel_denied": "the workspace does not let the webhook post into its general channel",
	"channel_not_found":                 "the channel in Slack has been deleted",
	"channel_is_archived":               "the channel in Slack is archived",
	"user_not_found":                    "the user in Slack does not exist",
	"invalid_payload":                   "Slack cannot read the message: report this as a bug of rotad",
	"invalid_blocks":                    "Slack cannot read the blocks: report this as a bug of rotad",
	"no_text":                           "Slack sees no text: report this as a bug of rotad",
}

// refusedBySlack says what may be concluded from a refusal: a word that Slack documents, or a status that says that the way to
// it is gone, does not pass by itself.
func refusedBySlack(a httpAnswer) *SendError {
	out := a.refused()
	if what, known := slackWords[a.word]; known && a.code < 500 {
		out.Class, out.Err = ClassPermanent, fmt.Errorf("%s (%d %s)", what, a.code, a.word)
		return out
	}
	switch a.code {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		out.Class = ClassPermanent
	}
	return out
}

// Limits of Block Kit.
const (
	slackHeader  = 150
	slackText    = 3000
	slackField   = 2000
	slackFields  = 10 // in one section
	slackBlocks  = 50
	slackTexts   = 10 // in one context
	slackOutside = 4000
)

type (
	slackMessage struct {
		Text   string       `json:"text"` // for notifications and screen readers
		Blocks []slackBlock `json:"blocks"`
	}
	slackBlock struct {
		Type     string       `json:"type"`
		Text     *slackPiece  `json:"text,omitempty"`
		Fields   []slackPiece `json:"fields,omitempty"`
		Elements []slackPiece `json:"elements,omitempty"`
	}
	slackPiece struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
)

// SlackMessage writes the body for an incoming webhook: Block Kit, and the same in one line.
func SlackMessage(m Message) ([]byte, error) {
	if m.Card == nil {
		return nil, errors.New("the message was made for a mailbox")
	}
	c := m.Card
	out := slackMessage{Text: forSlack(m.Subject, slackOutside), Blocks: []slackBlock{
		{Type: "header", Text: &slackPiece{"plain_text", forSlack(c.Headline, slackHeader)}},
	}}
	if c.Lead != "" {
		out.Blocks = append(out.Blocks, slackBlock{Type: "section", Text: &slackPiece{"mrkdwn", forSlack(c.Lead, slackText)}})
	}
	if c.Facts.Error != "" {
		out.Blocks = append(out.Blocks, slackBlock{Type: "section", Text: &slackPiece{"mrkdwn", forSlack(c.Facts.Error, slackText)}})
	}
	out.Blocks = append(out.Blocks, rowBlocks(c.Rows)...)
	out.Blocks = append(out.Blocks[:min(len(out.Blocks), slackBlocks-1)], footBlock(c))
	body, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("writing the card: %w", err)
	}
	return body, nil
}

// rowBlocks are the facts, as many in a section as it takes.
func rowBlocks(rows []templates.Row) []slackBlock {
	var out []slackBlock
	for i, row := range rows {
		if i%slackFields == 0 {
			out = append(out, slackBlock{Type: "section"})
		}
		last := &out[len(out)-1]
		name := forSlack(row.Name, maxName)
		last.Fields = append(last.Fields, slackPiece{"mrkdwn", "*" + name + "*\n" + forSlack(row.Value, slackField-len(name)-maxName)})
	}
	return out
}

// footBlock says how much it matters, where there is more, and why it is here.
func footBlock(c *Card) slackBlock {
	texts := []string{c.Label, c.Why}
	if c.More != "" {
		texts = append(texts, c.More)
	}
	foot := slackBlock{Type: "context"}
	for _, text := range texts[:min(len(texts), slackTexts)] {
		foot.Elements = append(foot.Elements, slackPiece{"mrkdwn", forSlack(text, slackField)})
	}
	return foot
}

// forSlack writes the three characters that mean something to Slack as it wants them, so that no foreign text can name a
// channel, a person or a link, and cuts the result before the limit without cutting a character in two.
func forSlack(s string, limit int) string {
	var b strings.Builder
	length := 0
	for _, r := range s {
		piece := string(r)
		switch r {
		case '&':
			piece = "&amp;"
		case '<':
			piece = "&lt;"
		case '>':
			piece = "&gt;"
		}
		size := len(piece)
		if len(piece) > 1 && r > 127 {
			size = max(1, utf16.RuneLen(r))
		}
		if length+size > limit-1 {
			b.WriteRune('…')
			break
		}
		length += size
		b.WriteString(piece)
	}
	return b.String()
}
