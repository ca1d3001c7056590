package http

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// look is where the answer to a look says what.
type look struct {
	clientID, list, where, next, required, disabled place

	secret, current, previous, staged fields

	apart bool // the secret beside the current one is in an answer of its own
}

// fields are the places of one secret.
type fields struct {
	exists, id, value, start, expires, label, hint, used, handle place

	unit string
}

// answer is where the answer to a create says what.
type answer struct {
	fields

	clientID, oldDies place
}

// reads says whether anything is looked for at all.
func (l look) reads() bool {
	return l.list != nil || l.current.names()
}

// names says whether a secret can be recognised by these places.
func (f fields) names() bool {
	return f.exists != nil || f.id != nil || f.value != nil || f.start != nil || f.expires != nil
}

// held is one secret as an answer shows it.
type held struct {
	credential.Secret

	value  credential.Sensitive // empty = not shown
	handle string               // what requests call it, where that is not its id; empty = not shown
}

// known says whether an answer shows anything of this secret.
func (h held) known() bool {
	return h.ID != "" || !h.value.Empty() || !h.Start.IsZero() || !h.Expires.IsZero()
}

// naming is the salt of names that are digests.
type naming string

// read reads one secret. At is the server's clock.
func (f fields) read(d document, name naming, slot string, at time.Time) held {
	h := held{value: credential.NewSensitive(f.value.text(d)), handle: f.handle.text(d)}
	h.Secret = credential.Secret{
		ID: f.id.text(d), Slot: slot, Start: f.start.moment(d, unitAuto, at).at, Label: f.label.text(d), Hint: f.hint.text(d),
		LastUse: f.used.moment(d, unitAuto, at).at,
	}
	from := h.Start
	if from.IsZero() {
		from = at
	}
	expires := f.expires.moment(d, f.unit, from)
	h.Expires, h.Never = expires.at, expires.none && expires.at.IsZero()
	if h.ID == providers.SlotCurrent || h.ID == providers.SlotPrevious || h.ID == providers.SlotStaged {
		h.ID = "" // a slot is not an id
	}
	switch {
	case f.id != nil || h.ID != "":
	case !h.Start.IsZero():
		h.ID = fmt.Sprintf("start-%d", h.Start.Unix()) // whole seconds: answers need not show fractions the same way
	case !h.value.Empty():
		h.ID = name.digest(h.value)
	}
	return h
}

// rounds makes guessing a weak, hand-made secret from its name as slow as it can be without slowing a scan down.
const rounds = 4096

// digest names a version that has no id and no date: what stays with it in every slot is its value.
func (n naming) digest(value credential.Sensitive) string {
	sum, err := pbkdf2.Key(sha256.New, value.Reveal(), []byte("rotad http\x00"+string(n)), rounds, 8)
	if err != nil {
		return "" // only in FIPS mode with a short key; a version without an id is never revoked
	}
	return "v" + hex.EncodeToString(sum)
}

// status is what a look has found out.
type status struct {
	clientID       string
	list           []held // where the provider lists secrets
	current, other *held  // where it has slots: the current one, and the previous or the staged one; nil = there is none
	required       time.Time
	disabled       bool
	time           time.Time // the server's clock
}

// empty says whether the client has no secret.
func (s status) empty() bool { return len(s.list) == 0 && s.current == nil }

// all lists the secrets, current first.
func (s status) all() []held {
	out := s.list
	for _, h := range []*held{s.current, s.other} {
		if h != nil {
			out = append(out, *h)
		}
	}
	return out
}

func (s status) secrets() []credential.Secret {
	var out []credential.Secret
	for _, h := range s.all() {
		out = append(out, h.Secret)
	}
	return out
}

func (s status) find(id string) (held, bool) {
	for _, h := range s.all() {
		if id != "" && h.ID == id {
			return h, true
		}
	}
	return held{}, false
}

var (
	errUnrecognised = errors.New("nothing in the answer is where the settings of inspect look for it")
	errNoList       = errors.New("there is no list where inspect.list looks for it")
	errNoID         = errors.New("an entry of the list has no id where inspect.secret.id looks for it")
	errTwice        = errors.New("two secrets of one client have the same id")
	errMany         = errors.New("the list is longer than anybody's list of secrets")
)

// maxSecrets bounds how many secrets of one client are read, over all pages.
const maxSecrets = 1000

// read reads the answer to a look into what pages before it have shown.
func (l look) read(d document, name naming, at time.Time, s *status) error {
	if s.clientID == "" {
		s.clientID = l.clientID.text(d)
	}
	s.disabled = s.disabled || l.disabled.truth(d)
	if s.time = at; l.list != nil {
		if err := l.entries(d, name, at, s); err != nil {
			return err
		}
		s.required = l.since(d, at, s)
		return nil
	}
	if err := l.slots(d, name, at, s); err != nil {
		return err
	}
	s.required = l.since(d, at, s)
	return nil
}

func (l look) entries(d document, name naming, at time.Time, s *status) error {
	list, found := l.list.entries(d)
	if object, ok := d.root.(map[string]any); !found && (!ok || len(object) > 0) { // some servers leave an empty list out
		return errNoList
	}
	if l.where != nil {
		list = l.where.all(document{list})
	}
	if len(list)+len(s.list) > maxSecrets {
		return errMany
	}
	for _, entry := range list {
		h := l.secret.read(document{entry}, name, "", at)
		if h.ID == "" {
			return errNoID
		}
		if _, again := s.find(h.ID); again {
			return errTwice
		}
		s.list = append(s.list, h)
	}
	return nil
}

// slots reads the current secret, and, where the same answer shows it, the one beside it. An answer in which nothing at all is
// recognised is an error: to take it for "no secret" would be a guess.
func (l look) slots(d document, name naming, at time.Time, s *status) error {
	current := l.current.read(d, name, providers.SlotCurrent, at)
	if l.current.exists.truth(d) || current.known() {
		s.current = &current
	}
	if !l.apart {
		if err := l.readOther(d, name, at, s); err != nil {
			return err
		}
	}
	if s.current == nil && !l.current.absent(d) {
		return errUnrecognised
	}
	return nil
}

// readOther reads the previous or the staged secret.
func (l look) readOther(d document, name naming, at time.Time, s *status) error {
	places, slot := l.other()
	other := places.read(d, name, slot, at)
	if places.exists.truth(d) || other.known() {
		s.other = &other
	}
	if s.other != nil && s.current != nil && s.other.ID == s.current.ID && s.other.ID != "" {
		return errTwice
	}
	if l.apart && s.other == nil && !places.absent(d) {
		return errUnrecognised
	}
	return nil
}

// other are the places of the secret beside the current one, and the name of its slot.
func (l look) other() (places fields, slot string) {
	if l.staged.names() {
		return l.staged, providers.SlotStaged
	}
	return l.previous, providers.SlotPrevious
}

// absent says that an answer states that there is no secret: a place is there, and says nothing.
func (f fields) absent(d document) bool {
	for _, p := range []place{f.exists, f.id, f.value, f.start, f.expires} {
		if _, found := p.find(d, func(node any) bool { return node == nil || empty(node) }); found {
			return true
		}
	}
	return false
}

// since reads from when on a rotation is required. A flag does not say since when; what is certain is that it holds
// now or, without the server's clock, since the secret began.
func (l look) since(d document, at time.Time, s *status) time.Time {
	if !l.required.truth(d) {
		return time.Time{}
	}
	if w := l.required.moment(d, unitAuto, at); !w.at.IsZero() {
		return w.at
	}
	_, flag := l.required.find(d, func(node any) bool { return node == true })
	switch {
	case !flag:
		return time.Time{}
	case !at.IsZero():
		return at
	case s.current != nil && !s.current.Start.IsZero():
		return s.current.Start
	}
	return time.Unix(earliest, 0).UTC()
}
