package answer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// MinKey is the length in bytes of the shortest key that links are signed with.
const MinKey = 32

// Life is how long after its notice a link can be used.
const Life = 14 * 24 * time.Hour

// SnoozeFor is how long the answer VerbSnooze keeps warnings back.
const SnoozeFor = 7 * 24 * time.Hour

// ErrShortKey says that the key is too short to be random.
var ErrShortKey = errors.New("the key that links in mails are signed with is shorter than 32 characters")

// errWrong is about everything that was not signed with the key, whatever is wrong with it.
var errWrong = errors.New("not a link of ours")

// Verb is what a link asks for.
type Verb string

// The verbs. Neither can do harm: a rotation, or its approval, is never begun by a link that a mail may have taken to anybody.
const (
	VerbAck    Verb = "ack"    // the warnings so far have been seen
	VerbSnooze Verb = "snooze" // no warnings for a while
)

// Link is one answer that one reader of one notice may give.
type Link struct {
	Client string
	To     string // the address that the notice went to
	Verb   Verb
	Kind   credential.NoticeKind
	Noted  time.Time // when the notice was decided
	Ends   time.Time // of the secret, where the notice is about that end; zero = it is about something else
	Until  time.Time // when the link ends
}

// linkVersion begins what is signed, so that another sort of link can come one day.
const linkVersion = 1

const maxLink = 4 << 10 // bytes of a link

// Sign writes the link in letters that every mail and every address line leave as they are.
func (l Link) Sign(key credential.Sensitive) (string, error) {
	mac, err := seal(key, "answer", l.encode())
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(l.encode(), mac...)), nil
}

// read checks a link and takes it apart. The signature comes first: what nobody has signed is not looked at.
func read(key credential.Sensitive, text string) (Link, error) {
	if len(text) > maxLink {
		return Link{}, errWrong
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < sha256.Size {
		return Link{}, errWrong
	}
	body, mac := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	right, err := seal(key, "answer", body)
	switch {
	case err != nil:
		return Link{}, err
	case !hmac.Equal(mac, right):
		return Link{}, errWrong
	}
	return decode(body)
}

// seal makes the signature of something under its purpose, so that what is good for one is good for nothing else.
func seal(key credential.Sensitive, purpose string, body []byte) ([]byte, error) {
	if len(key.Reveal()) < MinKey {
		return nil, ErrShortKey
	}
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	_, _ = mac.Write([]byte("rotad " + purpose + " 1\n"))
	_, _ = mac.Write(body)
	return mac.Sum(nil), nil
}

func (l Link) encode() []byte {
	b := []byte{linkVersion}
	for _, text := range []string{l.Client, l.To, string(l.Verb), string(l.Kind)} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	for _, at := range []time.Time{l.Noted, l.Ends, l.Until} {
		b = binary.AppendVarint(b, micro(at))
	}
	return b
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// decode is the inverse of encode, for bytes of anybody.
func decode(b []byte) (Link, error) {
	r := reader{rest: b}
	version := r.take(1)
	client, to, verb, kind := r.text(), r.text(), r.text(), r.text()
	l := Link{Client: client, To: to, Verb: Verb(verb), Kind: credential.NoticeKind(kind), Noted: r.moment(), Ends: r.moment(), Until: r.moment()}
	known := l.Verb == VerbAck || l.Verb == VerbSnooze
	if r.broken || len(r.rest) > 0 || version[0] != linkVersion || !known || l.Client == "" || l.To == "" || l.Noted.IsZero() || l.Until.IsZero() {
		return Link{}, errWrong
	}
	return l, nil
}

// reader takes bytes off the front, as long as there are some.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) take(n uint64) []byte {
	if r.broken || n > uint64(len(r.rest)) {
		r.broken = true
		return []byte{0}
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) text() string {
	n, size := binary.Uvarint(r.rest)
	if r.broken || size <= 0 {
		r.broken = true
		return ""
	}
	r.rest = r.rest[size:]
	text := string(r.take(n))
	if r.broken {
		return ""
	}
	return text
}

func (r *reader) moment() time.Time {
	at, size := binary.Varint(r.rest)
	if r.broken || size <= 0 {
		r.broken = true
		return time.Time{}
	}
	r.rest = r.rest[size:]
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}
