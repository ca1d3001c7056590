package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

func newRestore(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the state file; refused while the daemon runs.",
		Args:  takesOne("the name of one file, which rotad backup has written"),
		RunE:  func(_ *cobra.Command, args []string) error { return a.restore(args[0], force) },
	}
	cmd.Flags().BoolVar(&force, "force", false, "also take the backup of another rotad")
	return cmd
}

func (a *app) restore(file string, force bool) error {
	cfg, err := a.plainConfig()
	if err != nil {
		return err
	}
	err = bolt.Restore(file, cfg.State.Path, force)
	switch {
	case errors.Is(err, state.ErrLocked):
		return refused(err, "stop the daemon first: systemctl stop rotad")
	case errors.Is(err, state.ErrInstance):
		return refused(err, "--force takes it all the same; a rotad with the state of another one finds its own staging entries foreign")
	case err != nil:
		return openFailure(err)
	}
	a.note("what was revoked since the backup stays revoked; rotad finds out at its next start what has changed")
	return printed(fmt.Fprintf(a.out, "%s is restored from %s\n", cfg.State.Path, file))
}
