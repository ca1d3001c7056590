package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Paths of the stand-ins of places that are told by HTTP.
const (
	PathHook  = "/hook"                          // url of a webhook channel
	PathSlack = "/services/T00000000/B00000000/" // url of a slack channel, before its token
)

// Hook receives webhooks as Standard Webhooks 1.0 say: it takes what is signed with one of its keys and not older than five
// minutes, and each id once. A second one is answered like the first and kept apart.
type Hook struct {
	now  func() time.Time
	keys []string // "whsec_..."

	mu       sync.Mutex
	events   []HookEvent
	repeated int
	refused  int
}

// HookEvent is one webhook that was taken.
type HookEvent struct {
	ID     string
	Header http.Header
	Body   []byte
}

// tolerance is how far the time of a webhook may be off.
const tolerance = 5 * time.Minute

// NewHook returns a receiver that knows these keys.
func NewHook(now func() time.Time, keys ...string) *Hook { return &Hook{now: now, keys: keys} }

// Events returns what was taken, in the order of arrival.
func (h *Hook) Events() []HookEvent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// Counts returns how often something came again, and how often the signature or the time was wrong.
func (h *Hook) Counts() (repeated, refused int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.repeated, h.refused
}

// ServeHTTP takes one webhook.
func (h *Hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return // it did not arrive
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	id := r.Header.Get("webhook-id")
	switch {
	case r.Method != http.MethodPost || !h.signed(r.Header, body):
		h.refused++
		w.WriteHeader(http.StatusUnauthorized)
	case slices.ContainsFunc(h.events, func(e HookEvent) bool { return e.ID == id }):
		h.repeated++
		w.WriteHeader(http.StatusNoContent)
	default:
		h.events = append(h.events, HookEvent{ID: id, Header: r.Header.Clone(), Body: body})
		w.WriteHeader(http.StatusNoContent)
	}
}

// signed says whether one of the signatures was made with one of the keys, a short while ago.
func (h *Hook) signed(header http.Header, body []byte) bool {
	stamp := header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || h.now().Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	content := append([]byte(header.Get("webhook-id")+"."+stamp+"."), body...)
	for _, key := range h.keys {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
		if err != nil {
			return false
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(content)
		for signature := range strings.FieldsSeq(header.Get("webhook-signature")) {
			version, encoded, _ := strings.Cut(signature, ",")
			given, err := base64.StdEncoding.DecodeString(encoded)
			if version == "v1" && err == nil && hmac.Equal(mac.Sum(nil), given) {
				return true
			}
		}
	}
	return false
}

// Slack is an incoming webhook of Slack: it takes cards within the limits of Block Kit, and answers in Slack's words.
type Slack struct {
	token string

	mu    sync.Mutex
	cards []SlackCard
}

// SlackCard is one message as Slack reads it.
type SlackCard struct {
	Text   string       `json:"text"`
	Blocks []SlackBlock `json:"blocks"`
	Raw    []byte       `json:"-"`
}

// SlackBlock is one block of a message.
type SlackBlock struct {
	Type     string      `json:"type"`
	Text     *SlackText  `json:"text"`
	Fields   []SlackText `json:"fields"`
	Elements []SlackText `json:"elements"`
}

// SlackText is a text object.
type SlackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// NewSlack returns a stand-in whose URL is PathSlack and the token.
func NewSlack(token string) *Slack { return &Slack{token: token} }

// Cards returns what was posted, in the order of arrival.
func (s *Slack) Cards() []SlackCard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.cards)
}

// ServeHTTP takes one message.
func (s *Slack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return // it did not arrive
	}
	status, word := s.take(r.URL.Path, body)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, word)
}

func (s *Slack) take(path string, body []byte) (status int, word string) {
	var card SlackCard
	switch {
	case path != PathSlack+s.token:
		return http.StatusNotFound, "no_service"
	case json.Unmarshal(body, &card) != nil:
		return http.StatusBadRequest, "invalid_payload"
	case card.Text == "":
		return http.StatusBadRequest, "no_text"
	case len(card.Blocks) > 50 || slices.ContainsFunc(card.Blocks, func(b SlackBlock) bool { return !b.valid() }):
		return http.StatusBadRequest, "invalid_blocks"
	}
	card.Raw = body
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cards = append(s.cards, card)
	return http.StatusOK, "ok"
}

// valid applies the limits that Slack documents for the blocks that rotad uses.
func (b SlackBlock) valid() bool {
	switch b.Type {
	case "header":
		return b.Text != nil && b.Text.Type == "plain_text" && fit(150, *b.Text)
	case "section":
		if b.Text == nil {
			return len(b.Fields) > 0 && len(b.Fields) <= 10 && fit(2000, b.Fields...)
		}
		return len(b.Fields) == 0 && fit(3000, *b.Text)
	case "context":
		return len(b.Elements) > 0 && len(b.Elements) <= 10 && fit(2000, b.Elements...)
	}
	return false
}

// fit says whether all texts say something and are short enough.
func fit(limit int, texts ...SlackText) bool {
	return !slices.ContainsFunc(texts, func(t SlackText) bool { return t.Text == "" || len([]rune(t.Text)) > limit })
}
