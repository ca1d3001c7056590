package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/state/bolt"
)

func newImport(a *app) *cobra.Command {
	var dry bool
	var reason string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Register many clients, from NDJSON or YAML (- = stdin); registering never rotates.",
		Args:  takesOne("the name of one file, or - for stdin"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importFile(cmd.Context(), args[0], reason, dry)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would change, and change nothing")
	reasonFlag(cmd, &reason)
	return cmd
}

// registrar is where clients are registered: the running daemon, else the state file.
type registrar struct {
	admin.Actor
	world admin.World
	batch int    // clients per command
	local *local // the state file, where no daemon runs; else nil
	close func()
}

func (a *app) registrar(ctx context.Context) (*registrar, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	world, err := client.World(ctx)
	switch {
	case err == nil:
		return &registrar{Actor: client, world: world, batch: admin.MaxClients, close: func() {}}, nil
	case !errors.Is(err, admin.ErrNoDaemon):
		return nil, told(err)
	}
	return a.offline()
}

// offlineBatch is the number of clients per command while no daemon runs.
const offlineBatch = 10_000

// offline registers straight into the state file.
func (a *app) offline() (*registrar, error) {
	cfg, err := a.plainConfig()
	if err != nil {
		return nil, err
	}
	store, err := bolt.Open(cfg.State.Path, bolt.Options{AllowFilesystem: cfg.State.AllowFilesystem, Warn: a.note})
	if err != nil {
		return nil, openFailure(err)
	}
	a.note("rotad does not run; this goes into the state file " + cfg.State.Path)
	now := time.Now
	acts := &actions{
		store: store, config: func() *config.Config { return cfg }, now: now, log: slog.New(slog.DiscardHandler), wake: func() {},
		env: func(rec credential.Record) rotation.Env {
			at := now().UTC()
			return rotation.Env{Now: at, Second: at, NextLook: at, Policy: cfg.Policies[rec.Client.Policy], Instance: store.Meta().Instance}
		},
	}
	here := &local{acts, store}
	world := admin.World{Now: now().UTC(), Policies: cfg.Policies}
	return &registrar{Actor: here, world: world, local: here, batch: offlineBatch, close: func() { _ = store.Close() }}, nil
}

// local is the actor of a command that works on the state file itself.
type local struct {
	*actions
	bulk bulkStore
}

// Do does what is asked under the name of this process's user.
func (l *local) Do(ctx context.Context, c admin.Command) (admin.Reply, error) {
	return l.actions.Do(ctx, l.signed(c))
}

func (*local) signed(c admin.Command) admin.Command {
	c.Actor = fmt.Sprintf("uid:%d", os.Getuid())
	return c
}

// importer is one import under way.
type importer struct {
	*app
	to       *registrar
	command  admin.Command // without clients
	name     string
	batch    []credential.Client
	lines    []int // of the clients in the batch, or of all that were loaded
	bytes    int   // about as many in the request
	progress bool

	index    config.Index // of a dry run, which no store can tell that a file names a client twice
	sum      admin.Registered
	problems config.Problems
	conflict int
}

func (a *app) importFile(ctx context.Context, name, reason string, dry bool) error {
	in, done, err := a.input(name)
	if err != nil {
		return err
	}
	defer done()
	to, err := a.registrar(ctx)
	if err != nil {
		return err
	}
	defer to.close()
	i := &importer{
		app: a, to: to, name: name, progress: isTerminal(a.err),
		command: admin.Command{Verb: admin.VerbRegister, Source: admin.SourceImport, Reason: reason, DryRun: dry},
	}
	if to.local != nil && !dry {
		// A short run that makes much garbage and keeps little: some 100 MiB more are worth a tenth of its time.
		defer debug.SetGCPercent(debug.SetGCPercent(loadGCPercent))
		return i.report(i.load(ctx, in))
	}
	problems, err := config.DecodeClients(in, name, func(c credential.Client, line int) error { return i.take(ctx, c, line) })
	if err == nil {
		err = i.flush(ctx)
	}
	i.problems = append(i.problems, problems...)
	return i.report(err)
}

// loadGCPercent is GOGC while a file is loaded (100 is Go's default).
const loadGCPercent = 300

// errLoadEnded ends the reading of a file whose clients the state takes no more.
var errLoadEnded = errors.New("the state takes no more clients")

// load streams the file into the state.
func (i *importer) load(ctx context.Context, in io.Reader) error {
	var problems config.Problems
	var readErr error
	sum, err := i.to.local.load(ctx, i.to.local.bulk, i.to.local.signed(i.command), func(yield func(credential.Client) bool) {
		problems, readErr = config.DecodeClients(in, i.name, func(c credential.Client, line int) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			i.lines = append(i.lines, line)
			if !yield(c) {
				return errLoadEnded
			}
			return nil
		})
	}, i.told)
	i.sum.New, i.sum.Changed, i.sum.Unchanged = sum.New, sum.Changed, sum.Unchanged
	for _, rejected := range sum.Rejected {
		i.reject(i.lines[rejected.Index], rejected)
	}
	i.problems = append(i.problems, problems...)
	if err == nil {
		err = readErr
	}
	return err
}

// told shows how far an import is.
func (i *importer) told(sum admin.Registered) {
	if i.progress {
		_, _ = fmt.Fprintf(i.err, "\r%d clients ", sum.New+sum.Changed+sum.Unchanged)
	}
}

func (a *app) input(name string) (io.Reader, func(), error) {
	if name == "-" {
		return a.in, func() {}, nil
	}
	f, err := os.Open(name) //nolint:gosec // the file that the person names
	if err != nil {
		return nil, nil, wrong(err, "name a file of clients, or - for stdin")
	}
	return f, func() { _ = f.Close() }, nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// requestBytes bounds a batch that travels to the daemon, well below what it takes.
const requestBytes = 4 << 20

// take adds a client to the batch.
func (i *importer) take(ctx context.Context, c credential.Client, line int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if i.command.DryRun {
		if twice := i.index.Add(c); len(twice) > 0 {
			i.reject(line, admin.Rejected{Path: twice[0].Path, What: twice[0].What, Hint: twice[0].Hint})
			return nil
		}
	}
	i.batch, i.lines = append(i.batch, c), append(i.lines, line)
	if i.to.batch < offlineBatch {
		encoded, err := json.Marshal(c)
		if err != nil {
			return err
		}
		i.bytes += len(encoded)
	}
	if len(i.batch) >= i.to.batch || i.bytes >= requestBytes {
		return i.flush(ctx)
	}
	return nil
}

// flush registers the batch.
func (i *importer) flush(ctx context.Context) error {
	if len(i.batch) == 0 {
		return nil
	}
	c := i.command
	c.Clients = i.batch
	reply, err := i.to.Do(ctx, c)
	if err != nil {
		return err
	}
	if r := reply.Registered; r != nil {
		i.sum.New += r.New
		i.sum.Changed += r.Changed
		i.sum.Unchanged += r.Unchanged
		for _, rejected := range r.Rejected {
			if rejected.Index >= 0 && rejected.Index < len(i.lines) {
				i.reject(i.lines[rejected.Index], rejected)
			}
		}
	}
	i.batch, i.lines, i.bytes = i.batch[:0], i.lines[:0], 0
	i.told(i.sum)
	return nil
}

func (i *importer) reject(line int, r admin.Rejected) {
	if r.Conflict {
		i.conflict++
	}
	i.problems = append(i.problems, config.Problem{File: i.name, Line: line, Path: r.Path, What: r.What, Hint: r.Hint})
}

// imported is the result of an import for programs.
type imported struct {
	New       int      `json:"new"`
	Changed   int      `json:"changed"`
	Unchanged int      `json:"unchanged"`
	Rejected  int      `json:"rejected"`
	DryRun    bool     `json:"dry_run,omitzero"`
	Problems  []string `json:"problems,omitempty"`
}

// report says what was done, also where the run was ended by an error: what was taken is taken.
func (i *importer) report(err error) error {
	if i.progress {
		_, _ = fmt.Fprint(i.err, "\r\x1b[K")
	}
	errs := i.problems.Errors()
	result := imported{i.sum.New, i.sum.Changed, i.sum.Unchanged, len(errs), i.command.DryRun, nil}
	for _, p := range i.problems {
		result.Problems = append(result.Problems, p.String())
		_, _ = fmt.Fprintln(i.err, clean(p.String()))
	}
	var printErr error
	if i.json {
		printErr = printJSON(i.out, result)
	} else {
		would := ""
		if i.command.DryRun {
			would = "would be "
		}
		printErr = printed(fmt.Fprintf(i.out, "%d new, %d changed, %d unchanged, %d %srejected\n",
			result.New, result.Changed, result.Unchanged, result.Rejected, would))
	}
	again := "what is right has been taken; mend the rest and import the file again"
	switch {
	case err != nil:
		return interrupted(err, again)
	case len(errs) > i.conflict:
		return wrong(fmt.Errorf("%d of the clients in %s are wrong", len(errs), i.name), again)
	case len(errs) > 0:
		return refused(fmt.Errorf("%d of the clients in %s were refused", len(errs), i.name), again)
	}
	return printErr
}

// interrupted is the error of a run that ended before the end of its file.
func interrupted(err error, again string) error {
	if errors.Is(err, context.Canceled) {
		return failed(errors.New("interrupted"), again)
	}
	return told(err)
}
