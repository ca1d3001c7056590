package rollout

import (
	"context"
	"errors"
	"fmt"

	"github.com/rotad/rotad/internal/apiserver"
	"github.com/rotad/rotad/internal/credential"
)

// Restart lets the controller of a workload replace its pods, once for each occasion. It does not wait for that.
func Restart(ctx context.Context, w credential.RolloutReload, o credential.Occasion) error {
	return with(w, func(a api) error {
		have, err := a.read(ctx)
		if err != nil {
			return err
		}
		if err = have.restartable(); err != nil || have.marked(o) {
			return err
		}
		after, err := a.mark(ctx, o)
		if err == nil && !after.marked(o) {
			err = fmt.Errorf("the annotation %s did not stay: an admission policy of the cluster takes it away", annotation(o.Client))
		}
		return err
	})
}

// Settled says with an error what is missing until every pod is one that has started since Restart.
func Settled(ctx context.Context, w credential.RolloutReload, o credential.Occasion) error {
	return with(w, func(a api) error {
		have, err := a.read(ctx)
		switch {
		case err != nil:
			return err
		case !have.marked(o):
			return fmt.Errorf("somebody has taken the restart back: its pods do not have the annotation %s any more, as after "+
				`"kubectl rollout undo"; "rotad resume %s --retry" restarts it again`, annotation(o.Client), o.Client)
		}
		return errors.Join(have.unfinished(), have.restartable())
	})
}

// Check says what would keep a workload from being restarted. It changes nothing.
func Check(ctx context.Context, w credential.RolloutReload) error {
	return with(w, func(a api) error {
		have, err := a.read(ctx)
		if err != nil {
			return err
		}
		yes, err := a.May(ctx, apiserver.Right{
			Verb: apiserver.VerbPatch, Group: "apps", Resource: a.kind.resource, Namespace: a.namespace, Name: a.name,
		})
		if err == nil && !yes {
			err = a.forbidden(apiserver.VerbPatch)
		}
		return errors.Join(have.restartable(), err)
	})
}

func with(w credential.RolloutReload, ask func(api) error) error {
	a, err := open(w)
	if err != nil {
		return err
	}
	defer a.Close()
	err = ask(a)
	apiserver.Quiet(err)
	return err
}
