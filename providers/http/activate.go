package http

import (
	"context"
	"errors"

	"github.com/rotad/rotad/providers"
)

var (
	errOtherCurrent = errors.New("the current secret is neither the old one nor the new one")
	errNoneStaged   = errors.New("the new secret is not the one that waits beside the current one")
)

// Activate implements providers.Activator. The request may end the current secret, so it looks right before whether that is the
// one which is to go.
func (a activator) Activate(ctx context.Context, t providers.Target, fresh, old string) error {
	p := a.p
	v, err := p.ref("activate", t)
	if err != nil {
		return err
	}
	s, err := p.look(ctx, "activate", v)
	if err != nil {
		return err
	}
	switch {
	case s.current != nil && s.current.ID == fresh:
		return nil
	case s.current != nil && s.current.ID != old:
		return p.fault("activate", providers.ClassConflict, errOtherCurrent)
	case s.other == nil || s.other.ID != fresh:
		return p.fault("activate", providers.ClassConflict, errNoneStaged)
	}
	_, err = p.send(ctx, "activate", p.activate, v.with("secret_id", fresh).with("handle", s.other.handle))
	return err
}
