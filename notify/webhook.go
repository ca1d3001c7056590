package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// WebhookSettings are the settings of a webhook channel: plain data.
type WebhookSettings struct {
	Name string // required
	URL  string // as CheckURL takes it; required
	// Keys are the signing keys, "whsec_" and base64, with blanks or line ends between them. They are asked before every
	// message, so that a replaced one needs no restart. Required.
	Keys    func() (credential.Sensitive, error)
	Roots   *tls.Config      // certificates to trust; nil = the system's
	Timeout time.Duration    // of one post; 0 = DefaultPost
	Now     func() time.Time // required
}

// Webhook is the channel that posts notices to a program: CloudEvents 1.0 in JSON, signed as Standard Webhooks 1.0 say. A
// receiver that takes each id once can be told as often as need be, so an answer that is lost costs nothing. It is safe for
// concurrent use.
type Webhook struct {
	settings WebhookSettings
	to       *url.URL
	poster   *poster
}

var _ Channel = (*Webhook)(nil)

// NewWebhook checks the settings. It does not connect.
func NewWebhook(s WebhookSettings) (*Webhook, error) {
	to, err := CheckURL(s.URL)
	if err != nil {
		return nil, fmt.Errorf("the url of the channel %s %w", s.Name, err)
	}
	if s.Name == "" || s.Keys == nil || s.Now == nil {
		return nil, errors.New("a webhook needs a name, a signing key and a clock")
	}
	return &Webhook{settings: s, to: to, poster: newPoster(s.Roots, s.Timeout, s.Now)}, nil
}

// Name returns the name that the configuration gives this channel.
func (c *Webhook) Name() string { return c.settings.Name }

// Send posts one event. The body and the id are the same in every attempt, the time and with it the signature are not.
func (c *Webhook) Send(ctx context.Context, m Message) (Receipt, error) {
	body, err := Event(m)
	if err != nil {
		return Receipt{}, &SendError{Class: ClassPermanent, Stage: stageAddress, Err: err}
	}
	keys, err := c.keys()
	if err != nil {
		return Receipt{}, err
	}
	now := strconv.FormatInt(c.settings.Now().Unix(), 10)
	header := http.Header{}
	header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	header.Set("webhook-id", m.ID)
	header.Set("webhook-timestamp", now)
	header.Set("webhook-signature", signatures(keys, m.ID, now, body))
	said, sent, err := c.poster.post(ctx, c.settings.URL, header, body)
	switch {
	case err != nil && sent:
		return Receipt{}, &SendError{Class: ClassRetry, Stage: stagePost, Err: err}
	case err != nil:
		return Receipt{}, unsent(err)
	case said.ok():
		return Receipt{Reply: strconv.Itoa(said.code)}, nil
	}
	return Receipt{}, c.refused(said)
}

// refused adds the one answer that webhooks have for ever: 410 means that nobody wants to be told any more. All others,
// 404 and 401 among them, may pass when the receiver is deployed anew, as Standard Webhooks say.
func (c *Webhook) refused(a httpAnswer) *SendError {
	out := a.refused()
	if a.code == http.StatusGone {
		out.Class, out.Err = ClassPermanent, errors.New("the receiver does not want to be told any more (410)")
	}
	return out
}

// Check reads the keys and connects, without sending anything.
func (c *Webhook) Check(ctx context.Context) error {
	if _, err := c.keys(); err != nil {
		return err
	}
	return c.poster.reach(ctx, c.to)
}

// Close closes the kept connections.
func (c *Webhook) Close() error {
	c.poster.client.CloseIdleConnections()
	return nil
}

// keys reads the signing keys. Without one nothing can be sent, for whatever reader.
func (c *Webhook) keys() ([][]byte, error) {
	text, err := c.settings.Keys()
	if err != nil {
		return nil, &SendError{Class: ClassDown, Stage: stageSecret, Err: fmt.Errorf("reading the signing key: %w", err)}
	}
	keys, err := ParseKeys(text)
	if err != nil {
		return nil, &SendError{Class: ClassDown, Stage: stageSecret, Err: err}
	}
	return keys, nil
}

// Sizes of a signing key in bytes, by Standard Webhooks.
const leastKey, mostKey = 24, 64

// ParseKeys reads signing keys with blanks or line ends between them. There are several while one takes the place of another.
func ParseKeys(text credential.Sensitive) ([][]byte, error) {
	var keys [][]byte
	for i, word := range strings.Fields(text.Reveal()) {
		encoded, ok := strings.CutPrefix(word, "whsec_")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil {
			return nil, fmt.Errorf("signing key %d is not whsec_ and base64", i+1)
		}
		if len(key) < leastKey || len(key) > mostKey {
			return nil, fmt.Errorf("signing key %d has %d bytes; it needs %d to %d", i+1, len(key), leastKey, mostKey)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no signing key")
	}
	return keys, nil
}

// signatures signs with every key, so that a receiver that knows the old one or the new one finds its own.
func signatures(keys [][]byte, id, timestamp string, body []byte) string {
	var all []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}

// EventType is what the type of an event begins with; the kind of the notice follows, with _ for each hyphen.
const EventType = "dev.rotad.notice."

// cloudEvent is the structured form of CloudEvents 1.0 in JSON.
type cloudEvent struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Time        time.Time `json:"time"`
	Subject     string    `json:"subject,omitempty"` // the client
	ContentType string    `json:"datacontenttype"`
	Data        Facts     `json:"data"`
}

// Event writes the body of a webhook. The same notice gives the same bytes.
func Event(m Message) ([]byte, error) {
	if m.Card == nil {
		return nil, errors.New("the message was made for a mailbox")
	}
	body, err := json.Marshal(cloudEvent{
		SpecVersion: "1.0", ID: m.ID, Source: m.Card.Source, Type: EventType + strings.ReplaceAll(string(m.Kind), "-", "_"),
		Time: m.Date, Subject: m.Client, ContentType: "application/json", Data: m.Card.Facts,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the event: %w", err)
	}
	return body, nil
}
