package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/state/bolt"
)

func newBackup(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a consistent, verified copy of the state, also while the daemon runs.",
		Args:  takesOne("the name of one file to write"),
		RunE:  func(cmd *cobra.Command, args []string) error { return a.backup(cmd.Context(), args[0]) },
	}
}

func (a *app) backup(ctx context.Context, file string) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	err = copyState(ctx, client, file)
	if errors.Is(err, admin.ErrNoDaemon) {
		err = a.backupFile(ctx, file)
	}
	if err != nil {
		if _, ok := errors.AsType[*failure](err); ok {
			return err
		}
		return failed(fmt.Errorf("backing up to %s: %w", file, err), "no file was left there that is not whole")
	}
	return printed(fmt.Fprintf(a.out, "%s holds the state, verified\n", file))
}

// backupFile copies the state file of a daemon that does not run.
func (a *app) backupFile(ctx context.Context, file string) error {
	cfg, err := a.plainConfig()
	if err != nil {
		return err
	}
	store, err := bolt.Open(cfg.State.Path, bolt.Options{ReadOnly: true, AllowFilesystem: true, Warn: a.note})
	if err != nil {
		return openFailure(err)
	}
	a.note("rotad does not run; this is the state file " + cfg.State.Path)
	return errors.Join(copyState(ctx, stateFile(cfg.State.Path), file), store.Close())
}

// stateFile is a state file that nobody writes, because this process holds its lock: it is its own copy.
type stateFile string

// WriteTo writes the bytes of the file.
func (p stateFile) WriteTo(_ context.Context, w io.Writer) (n int64, err error) {
	f, err := os.Open(string(p))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.Copy(w, f)
}

// copyState writes the daemon's state to a file, verifies it, and gives it its name only then. The daemon itself writes
// no file that somebody names: it would do so with its own rights.
func copyState(ctx context.Context, from admin.Copier, file string) error {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.new")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = from.WriteTo(ctx, f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return told(err)
	}
	if _, err := bolt.Verify(f.Name()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// syncDir makes a new name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory of the file that the person names
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
