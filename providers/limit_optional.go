package providers

import (
	"context"
	"errors"
	"net/http"

	"github.com/rotad/rotad/internal/credential"
)

// Decorated offers the optional interfaces, so that a plain type assertion on it never hides an ability of the inner
// provider.
var (
	_ Provider     = (*Decorated)(nil)
	_ Recoverer    = (*Decorated)(nil)
	_ Revoker      = (*Decorated)(nil)
	_ Activator    = (*Decorated)(nil)
	_ Decoder      = (*Decorated)(nil)
	_ Checker      = (*Decorated)(nil)
	_ RightsReader = (*Decorated)(nil)
	_ Lister       = (*Decorated)(nil)
	_ Generator    = (*Decorated)(nil)
	_ Publisher    = (*Decorated)(nil)
	_ Timed        = (*Decorated)(nil)
	_ Closer       = (*Decorated)(nil)
)

var errLacking = errors.New("this kind of provider cannot do this")

func (d *Decorated) lacking(operation string) error {
	return d.notSent(operation, ClassUnsupported, errLacking)
}

// Recover is Recoverer.Recover.
func (d *Decorated) Recover(ctx context.Context, t Target) (issued Issued, err error) {
	inner, ok := d.inner.(Recoverer)
	if !ok {
		return Issued{}, d.lacking("recover")
	}
	err = d.call(ctx, "recover", nil, func() (string, error) {
		issued, err = inner.Recover(ctx, t)
		return outcomeOK, err
	})
	return issued, err
}

// Revoke is Revoker.Revoke.
func (d *Decorated) Revoke(ctx context.Context, t Target, id string) error {
	inner, ok := d.inner.(Revoker)
	if !ok {
		return d.lacking("revoke")
	}
	return d.call(ctx, "revoke", nil, func() (string, error) { return outcomeOK, inner.Revoke(ctx, t, id) })
}

// Activate is Activator.Activate.
func (d *Decorated) Activate(ctx context.Context, t Target, fresh, old string) error {
	inner, ok := d.inner.(Activator)
	if !ok {
		return d.lacking("activate")
	}
	return d.call(ctx, "activate", nil, func() (string, error) { return outcomeOK, inner.Activate(ctx, t, fresh, old) })
}

// Decode is Decoder.Decode. It asks nobody, so no limit applies.
func (d *Decorated) Decode(t Target, raw credential.Sensitive) (Issued, error) {
	inner, ok := d.inner.(Decoder)
	if !ok {
		return Issued{}, d.lacking("decode")
	}
	return inner.Decode(t, raw)
}

// Check is Checker.Check; no findings if the inner provider has no checks.
func (d *Decorated) Check(ctx context.Context) (findings []Finding) {
	inner, ok := d.inner.(Checker)
	if !ok {
		return nil
	}
	err := d.call(ctx, "check", nil, func() (string, error) {
		findings = inner.Check(ctx)
		return outcomeOK, nil
	})
	if err != nil {
		return []Finding{{Problem: true, What: err.Error(), Hint: "Raise the limits of this provider."}}
	}
	return findings
}

// List is Lister.List.
func (d *Decorated) List(ctx context.Context, cursor string) (page Page, err error) {
	inner, ok := d.inner.(Lister)
	if !ok {
		return Page{}, d.lacking("list")
	}
	err = d.call(ctx, "list", nil, func() (string, error) {
		page, err = inner.List(ctx, cursor)
		return outcomeOK, err
	})
	return page, err
}

// Rights is RightsReader.Rights.
func (d *Decorated) Rights(ctx context.Context, clients []Target) (rights []Right, err error) {
	inner, ok := d.inner.(RightsReader)
	if !ok {
		return nil, d.lacking("rights")
	}
	err = d.call(ctx, "rights", nil, func() (string, error) {
		rights, err = inner.Rights(ctx, clients)
		return outcomeOK, err
	})
	return rights, err
}

// Generate is Generator.Generate. It asks nobody, so no limit applies.
func (d *Decorated) Generate(t Target) (credential.Bundle, error) {
	inner, ok := d.inner.(Generator)
	if !ok {
		return nil, d.lacking("generate")
	}
	return inner.Generate(t)
}

// Published is Publisher.Published; nothing is found where the inner provider has no documents.
func (d *Decorated) Published() http.Handler {
	if inner, ok := d.inner.(Publisher); ok {
		return inner.Published()
	}
	return http.NotFoundHandler()
}

// Timing is Timed.Timing; zero if the inner provider does not say.
func (d *Decorated) Timing() Timing {
	if inner, ok := d.inner.(Timed); ok {
		return inner.Timing()
	}
	return Timing{}
}

// Close is Closer.Close; nothing to do if the inner provider holds no resources.
func (d *Decorated) Close(ctx context.Context) error {
	if inner, ok := d.inner.(Closer); ok {
		return inner.Close(ctx)
	}
	return nil
}

// AsRecoverer returns p as a Recoverer if it, or the provider that it decorates, is one. The calls stay within p's
// limits. So do those of its siblings below.
func AsRecoverer(p Provider) (Recoverer, bool) { return as[Recoverer](p) }

// AsRevoker returns p as a Revoker.
func AsRevoker(p Provider) (Revoker, bool) { return as[Revoker](p) }

// AsActivator returns p as an Activator.
func AsActivator(p Provider) (Activator, bool) { return as[Activator](p) }

// AsDecoder returns p as a Decoder.
func AsDecoder(p Provider) (Decoder, bool) { return as[Decoder](p) }

// AsChecker returns p as a Checker.
func AsChecker(p Provider) (Checker, bool) { return as[Checker](p) }

// AsLister returns p as a Lister. A kind that can list only by some of its settings says so with CanList.
func AsLister(p Provider) (Lister, bool) {
	if some, ok := innermost(p).(interface{ CanList() bool }); ok && !some.CanList() {
		return nil, false
	}
	return as[Lister](p)
}

// AsRightsReader returns p as a RightsReader.
func AsRightsReader(p Provider) (RightsReader, bool) { return as[RightsReader](p) }

// AsGenerator returns p as a Generator.
func AsGenerator(p Provider) (Generator, bool) { return as[Generator](p) }

// AsPublisher returns p as a Publisher. Nobody is asked, so no limit applies.
func AsPublisher(p Provider) (Publisher, bool) { return as[Publisher](p) }

// AsTimed returns p as a Timed.
func AsTimed(p Provider) (Timed, bool) { return as[Timed](p) }

// AsCloser returns p as a Closer.
func AsCloser(p Provider) (Closer, bool) { return as[Closer](p) }

// as asks the innermost provider whether it has an ability, and the outermost one to use it.
func as[T any](p Provider) (ability T, ok bool) {
	if _, ok = innermost(p).(T); !ok {
		return ability, false
	}
	ability, ok = p.(T)
	return ability, ok
}

// innermost is the provider that others wrap.
func innermost(p Provider) Provider {
	for {
		wrapper, wraps := p.(interface{ Unwrap() Provider })
		if !wraps {
			return p
		}
		p = wrapper.Unwrap()
	}
}
