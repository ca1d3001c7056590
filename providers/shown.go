package providers

import (
	"context"
	"errors"

	"github.com/rotad/rotad/internal/credential"
)

// shown is a provider whose answer about one client is there already.
type shown struct {
	inner Provider
	seen  Snapshot
}

var errShown = errors.New("this is a look at a page of a tenant, which changes nothing")

// Shown returns a provider that answers a look with what a page of a tenant has shown, and asks nobody for that. It proves
// secrets as the inner one does. It has no other ability: through it nothing can be made or ended.
func Shown(p Provider, seen Snapshot) Provider { return shown{p, seen} }

// Inspect is Provider.Inspect.
func (s shown) Inspect(context.Context, Target) (Snapshot, error) { return s.seen, nil }

// Create is Provider.Create.
func (s shown) Create(context.Context, Target, Request) (Issued, error) {
	return Issued{}, &Error{Class: ClassUnsupported, Operation: "create", Err: errShown}
}

// Verify is Provider.Verify.
func (s shown) Verify(ctx context.Context, t Target, b credential.Bundle) (Answer, error) {
	return s.inner.Verify(ctx, t, b)
}
