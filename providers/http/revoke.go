package http

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

var (
	errCurrent     = errors.New("this secret is the current one")
	errOtherSecret = errors.New("the slot of the previous secret holds another one")
	errWhichSecret = errors.New("the server does not show which secret the slot of the previous one holds; " +
		"its own timer ends it")
)

// Revoke implements providers.Revoker.
func (r revoker) Revoke(ctx context.Context, t providers.Target, id string) error {
	p := r.p
	v, err := p.ref("revoke", t)
	if err != nil {
		return err
	}
	v = v.with("secret_id", id)
	if !p.revokesByID() {
		return p.endSlot(ctx, v, id)
	}
	if p.plan.look.list == nil && p.inspect != nil { // the current one is never ended, whatever its id is worth to the server
		s, err := p.look(ctx, "revoke", v)
		if err != nil {
			return err
		}
		if s.current != nil && s.current.ID == id {
			return p.fault("revoke", providers.ClassConflict, errCurrent)
		}
	}
	return p.endByID(ctx, v, id)
}

// endByID ends a secret that the request names. Some servers answer an id that does not exist like a malformed request,
// so a refusal is success where the list confirms that the secret is gone.
func (p *provider) endByID(ctx context.Context, v values, id string) error {
	if err := p.beforeEnd(ctx, v); err != nil {
		return err
	}
	_, refusal := p.send(ctx, "revoke", p.revoke, v)
	switch providers.ClassOf(refusal) {
	case providers.ClassNotFound, providers.ClassRejected, providers.ClassConflict:
	default:
		return refusal
	}
	if p.inspect == nil {
		if providers.ClassOf(refusal) == providers.ClassNotFound {
			return nil
		}
		return refusal
	}
	s, err := p.look(ctx, "revoke", v)
	if err != nil {
		return err
	}
	if _, listed := s.find(id); listed {
		return refusal
	}
	return nil
}

// beforeEnd sends what has to come before the request that ends a secret. Where that is refused, it may have been done before, by a
// revoke that was interrupted: then the request that ends succeeds, and else it is refused as well.
func (p *provider) beforeEnd(ctx context.Context, v values) error {
	if p.beforeRevoke == nil {
		return nil
	}
	_, err := p.send(ctx, "revoke", p.beforeRevoke, v)
	switch providers.ClassOf(err) {
	case providers.ClassNotFound, providers.ClassRejected, providers.ClassConflict:
		return nil
	default:
		return err
	}
}

// endSlot ends the slot of the previous secret. The call addresses a slot, so it looks right before whether the slot
// holds the secret with this id.
func (p *provider) endSlot(ctx context.Context, v values, id string) error {
	s, err := p.look(ctx, "revoke", v)
	if err != nil {
		return err
	}
	switch {
	case s.current != nil && s.current.ID == id:
		return p.fault("revoke", providers.ClassConflict, errCurrent)
	case s.other == nil:
		return nil
	case s.other.ID == "":
		return p.fault("revoke", providers.ClassUnsupported, errWhichSecret)
	case s.other.ID != id:
		return p.fault("revoke", providers.ClassConflict, errOtherSecret)
	}
	_, err = p.send(ctx, "revoke", p.revoke, v.with("handle", s.other.handle))
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	return err
}

var errNothingThere = errors.New("the client has no secret that could be read back")

// Recover implements providers.Recoverer.
func (r recoverer) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	p := r.p
	v, err := p.ref("recover", t)
	if err != nil {
		return providers.Issued{}, err
	}
	s, err := p.look(ctx, "recover", v)
	if err != nil {
		return providers.Issued{}, err
	}
	m := making{v: v, before: s, grace: p.graceOf(s, t.Grace)}
	if p.recover != nil {
		return p.readBack(ctx, m)
	}
	if s.current == nil || s.current.value.Empty() {
		return providers.Issued{}, p.fault("recover", providers.ClassNotFound, errNothingThere)
	}
	issued := providers.Issued{Secret: s.current.Secret, Bundle: credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive(s.named(v)),
		credential.FieldClientSecret: s.current.value,
	}}
	if s.other != nil {
		issued.OldDies = s.other.Expires
	} else if p.mode == credential.ModeHardCutover {
		issued.OldDies = issued.Secret.Start
	}
	return issued, nil
}

// readBack reads the value by a request of its own. Its dates come from the look right before, if that shows the same.
func (p *provider) readBack(ctx context.Context, m making) (providers.Issued, error) {
	resp, err := p.send(ctx, "recover", p.recover, m.v)
	if err != nil {
		return providers.Issued{}, err
	}
	d, err := read(resp)
	if err != nil {
		return providers.Issued{}, err
	}
	issued, ok := p.issued(d, p.recovered, m, resp.Time)
	if !ok {
		return providers.Issued{}, resp.Missing("the value, where recover.answer.value looks for it")
	}
	if c := m.before.current; c != nil && (issued.Secret.ID == "" || issued.Secret.ID == c.ID) {
		issued.Secret = c.Secret
	}
	if prev := m.before.other; issued.OldDies.IsZero() && prev != nil {
		issued.OldDies = prev.Expires
	} else if issued.OldDies.IsZero() && p.mode == credential.ModeHardCutover {
		issued.OldDies = issued.Secret.Start
	}
	return issued, nil
}

// Bounds of a value that rotad makes. The default has 256 bits.
const (
	defaultLength   = 43
	minLength       = 24
	maxLength       = 256
	minAlphabet     = 16
	minBits         = 128 // no provider that makes its own values makes weaker ones: a random UUID has 122
	defaultAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// make chooses a value.
func (c Chosen) make() credential.Sensitive {
	out := []byte(c.Prefix)
	most := big.NewInt(int64(len(c.Alphabet)))
	for range c.Length {
		n, err := rand.Int(rand.Reader, most)
		if err != nil {
			return credential.Sensitive{} // crypto/rand never fails; an empty value is refused before it is sent
		}
		out = append(out, c.Alphabet[n.Int64()])
	}
	return credential.NewSensitive(string(out))
}

// distinct counts the characters of an alphabet, each once; a character that is not ASCII counts as none.
func distinct(alphabet string) int {
	seen := map[rune]bool{}
	for _, r := range alphabet {
		if r < 0x80 {
			seen[r] = true
		}
	}
	return len(seen)
}

// Generate implements providers.Generator.
func (g generator) Generate(t providers.Target) (credential.Bundle, error) {
	v, err := g.p.ref("generate", t)
	if err != nil {
		return nil, err
	}
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive(status{}.named(v)),
		credential.FieldClientSecret: g.p.chosen.make(),
	}, nil
}
