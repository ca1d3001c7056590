package kubernetes

import (
	"context"
	"errors"
	"fmt"

	"github.com/rotad/rotad/internal/apiserver"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// tries is how often a Secret is looked at anew because somebody else was faster. The next delivery goes on where this one
// gave up.
const tries = 5

var errNotToBeMade = errors.New("there is no such Secret, and rotad is not to make it: make it, or write create: true")

// Deliver makes a Secret hold a copy. It says whether that had to be written.
func Deliver(ctx context.Context, p credential.KubernetesPlace, c credential.Copy) (written bool, err error) {
	d := delivery{place: p}
	d.want, err = wantedOf(p, c)
	if err == nil {
		d.api, err = open(p)
	}
	if err == nil {
		written, err = d.run(ctx)
		d.api.Close()
	}
	if err != nil {
		return false, fmt.Errorf("%s/%s: %w", p.Namespace, p.Secret, err)
	}
	return written, nil
}

// delivery is one try to bring a Secret up to date.
type delivery struct {
	place credential.KubernetesPlace
	want  wanted
	api   api
}

func (d delivery) run(ctx context.Context) (written bool, err error) {
	for range tries {
		written, err = d.once(ctx)
		apiserver.Quiet(err)
		if !overtaken(err) {
			return written, err
		}
	}
	return false, fmt.Errorf("somebody else changes it all the time: %w", err)
}

// once looks, writes if need be, and looks again.
func (d delivery) once(ctx context.Context) (written bool, err error) {
	have, err := d.api.read(ctx)
	if err != nil || d.want.in(have) {
		return false, err
	}
	if err = d.write(ctx, have); err != nil {
		return false, err
	}
	back, err := d.api.read(ctx)
	if err == nil && !d.want.in(back) {
		err = errors.New("it does not hold what was written: somebody else writes it, perhaps an operator or what deploys the consumer")
	}
	return err == nil, err
}

func (d delivery) write(ctx context.Context, have *secret) error {
	switch {
	case have == nil && d.place.Existing:
		return errNotToBeMade
	case have == nil:
		return d.api.create(ctx, d.want)
	}
	if err := have.changeable(); err != nil {
		return err
	}
	return d.api.patch(ctx, have.Metadata.ResourceVersion, d.want)
}

// overtaken says whether somebody else has made, changed or deleted the Secret between a look and a write.
func overtaken(err error) bool {
	return errors.Is(err, errOvertaken) || providers.ClassOf(err) == providers.ClassConflict
}
