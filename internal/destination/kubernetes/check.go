package kubernetes

import (
	"context"
	"errors"
	"fmt"

	"github.com/rotad/rotad/internal/apiserver"
	"github.com/rotad/rotad/internal/credential"
)

// Check says what would keep a copy from being delivered, as far as it can be seen without changing anything.
func Check(ctx context.Context, p credential.KubernetesPlace) error {
	a, err := open(p)
	if err == nil {
		err = a.check(ctx, p.Existing)
		apiserver.Quiet(err)
		a.Close()
	}
	if err != nil {
		return fmt.Errorf("%s/%s: %w", p.Namespace, p.Secret, err)
	}
	return nil
}

func (a api) check(ctx context.Context, existing bool) error {
	have, err := a.read(ctx)
	switch {
	case err != nil:
		return err
	case have != nil:
		return errors.Join(have.changeable(), a.allowed(ctx, apiserver.VerbPatch))
	case existing:
		return errNotToBeMade
	}
	return errors.Join(a.allowed(ctx, apiserver.VerbCreate), a.allowed(ctx, apiserver.VerbPatch))
}

// allowed asks for a right before it is needed.
func (a api) allowed(ctx context.Context, verb string) error {
	r := apiserver.Right{Verb: verb, Resource: resource, Namespace: a.namespace, Name: a.name}
	if verb == apiserver.VerbCreate {
		r.Name = "" // nobody can be given it for a name
	}
	yes, err := a.May(ctx, r)
	if err == nil && !yes {
		err = a.forbidden(verb)
	}
	return err
}
