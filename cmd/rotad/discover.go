package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/tenant"
	"github.com/rotad/rotad/providers"
)

// discoverFlags are the flags of "rotad discover".
type discoverFlags struct {
	adopt, to, progress string
	drift               bool
	overlap             string
}

func newDiscover(a *app) *cobra.Command {
	var f discoverFlags
	cmd := &cobra.Command{
		Use:   "discover PROVIDER",
		Short: "Walk a provider's whole tenant and list every credential in it; with --adopt, register clients by rules. Nothing is changed at the provider.",
		Long: "Walk a provider's whole tenant, page by page, and list every credential: how old it is, when it expires, who owns it as the\n" +
			"provider knows it, and who made it. Throttled answers are obeyed. With --progress, a walk that was cut off goes on from there.",
		Args: takesOne("the name of one provider of the configuration"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.discover(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.adopt, "adopt", "", "file of rules: which of the clients found are registered, and how; prints a part of the configuration instead of the listing")
	flags.StringVar(&f.to, "to", "", "write to this file instead of stdout, whole or not at all; never over one that exists")
	flags.StringVar(&f.progress, "progress", "", "small file that keeps how far the walk is, until its end; with --to it is the file beside that one")
	flags.BoolVar(&f.drift, "drift", false, "list only what differs from what rotad has on record of its clients")
	flags.StringVar(&f.overlap, "left-behind", "30d", "how long two secrets of a client may stand side by side before the older one counts as left behind")
	return cmd
}

// discovery is one walk under way.
type discovery struct {
	*app
	f        discoverFlags
	cfg      *config.Config
	provider config.Provider
	lister   providers.Lister
	records  *recorded
	judge    tenant.Judge
	take     taker // what is done with each client
	out      *output
	at       tenant.Progress
	began    time.Time
	wait     func(time.Duration) <-chan time.Time
}

// taker does something with each client of a tenant: list it, adopt it, compare it.
type taker interface {
	take(d *discovery, c providers.Listed) error
	// end is told that the walk has reached the end.
	end(d *discovery) error
}

func (a *app) discover(ctx context.Context, name string, f discoverFlags) error {
	d, err := a.newDiscovery(ctx, name, f)
	if err != nil {
		return err
	}
	if err = d.open(); err != nil {
		return err
	}
	err = d.walk(ctx)
	if closed := d.out.close(err == nil); err == nil && closed != nil {
		err = failed(closed, "is there room, and may "+d.f.to+" be written?")
	}
	if err != nil {
		return err
	}
	return d.finish()
}

// newDiscovery reads the configuration and opens the provider. Nothing has been asked for when it returns.
func (a *app) newDiscovery(ctx context.Context, name string, f discoverFlags) (*discovery, error) {
	clock := realClocks()
	cfg, problems := config.Load(a.config(), configKinds(), config.At(clock.now))
	if err := a.usable(problems); err != nil {
		return nil, err
	}
	provider, ok := cfg.Provider(name)
	if !ok {
		return nil, wrong(fmt.Errorf("there is no provider %q", name), "providers: of "+a.config()+" names them")
	}
	overlap, err := credential.ParseDuration(f.overlap)
	if err != nil {
		return nil, wrong(fmt.Errorf("--left-behind: %w", err), "write 30d, 2w or 72h")
	}
	if err = f.check(); err != nil {
		return nil, err
	}
	lister, err := a.lister(provider, clock)
	if err != nil {
		return nil, err
	}
	d := &discovery{app: a, f: f, cfg: cfg, provider: provider, lister: lister, began: clock.now(), wait: clock.after}
	if d.records, err = a.recorded(ctx, cfg, name, f.drift || f.adopt != ""); err != nil {
		return nil, err
	}
	d.judge = tenant.Judge{Now: d.began, Overlap: overlap, Known: d.records.find}
	d.take, err = d.task()
	return d, err
}

// check refuses flags that do not go together, and fills in where the progress is kept.
func (f *discoverFlags) check() error {
	switch {
	case f.drift && f.adopt != "":
		return wrong(errors.New("--drift and --adopt are two walks"), "run one after the other")
	case f.adopt != "" && f.to == "" && f.progress != "":
		return wrong(errors.New("adopting goes on only where it has written to a file"), "add --to FILE")
	case f.drift && f.progress != "":
		return wrong(errors.New("--drift compares the whole tenant in one walk, and takes no --progress"), "leave --progress out")
	case f.progress == "" && f.to != "" && !f.drift:
		f.progress = f.to + ".progress"
	}
	return nil
}

// lister opens a provider that can be walked.
func (a *app) lister(provider config.Provider, clock clocks) (providers.Lister, error) {
	d := &daemon{daemonSettings: daemonSettings{clocks: clock, log: slog.New(slog.DiscardHandler)}}
	d.meters = newMeters(d)
	connection, err := d.open(provider)
	if err != nil {
		return nil, wrong(fmt.Errorf("provider %s: %w", provider.Name, err), a.namesAll())
	}
	lister, ok := providers.AsLister(connection.Provider)
	if !ok {
		return nil, wrong(fmt.Errorf("providers of the kind %s cannot list their clients", provider.Kind), "rotad kinds --json says which kinds can (walks_tenants)")
	}
	return lister, nil
}

// task chooses what the walk is for.
func (d *discovery) task() (taker, error) {
	switch {
	case d.f.adopt != "":
		return newAdopting(d)
	case d.f.drift:
		return &drifting{}, nil
	}
	return listing{}, nil
}

// open takes up a walk that was cut off, or begins one.
func (d *discovery) open() error {
	found := false
	var err error
	if d.f.progress != "" {
		if d.at, found, err = tenant.LoadProgress(d.f.progress); err != nil {
			return wrong(err, "delete "+d.f.progress+" to begin again")
		}
	}
	task := d.taskName()
	switch {
	case found && (d.at.Provider != d.provider.Name || d.at.Task != task):
		return wrong(fmt.Errorf("%s belongs to another walk (%s, %s)", d.f.progress, d.at.Provider, d.at.Task), "delete it to begin this one, or repeat that one")
	case found:
		d.note(fmt.Sprintf("going on after page %d with %d clients, as %s says", d.at.Pages, d.at.Clients, d.f.progress))
	default:
		d.at = tenant.Progress{Provider: d.provider.Name, Task: task, Began: d.began}
	}
	d.out, err = d.openOutput(d.at.Written)
	return err
}

// taskName is what a file of progress is for: a walk for something else has another output.
func (d *discovery) taskName() string {
	switch {
	case d.f.adopt != "":
		return "adopt " + d.f.adopt
	case d.f.drift:
		return "drift"
	case d.json:
		return "list as JSON"
	}
	return "list"
}

func (d *discovery) walk(ctx context.Context) error {
	w := tenant.Walk{
		Lister: d.lister, After: d.wait, Page: d.page, Taken: d.taken,
		Waiting: func(pause time.Duration, why error) {
			d.note(fmt.Sprintf("waiting %s: %s", pause.Round(time.Second), clean(why.Error())))
		},
	}
	at, err := w.Run(ctx, d.at.Position)
	d.at.Position = at
	if err == nil {
		return d.take.end(d)
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if ctx.Err() != nil {
		return failed(fmt.Errorf("interrupted after %s with %s", counted(at.Pages, "page"), counted(at.Clients, "client")), d.again(""))
	}
	return failed(tenant.Ended(at, err), d.again("; rotad check --online says more about the provider"))
}

// again says how a walk that ended early goes on, and more where no file of it was kept.
func (d *discovery) again(more string) string {
	switch {
	case d.at.Pages == 0:
		return "no page was taken: repeat it once rotad check --online is content with the provider"
	case d.f.progress != "":
		return "the same command goes on from there; delete " + d.f.progress + " to begin again"
	case d.f.drift:
		return "--drift compares the whole tenant in one walk: repeat it" + more
	}
	return "with --to FILE a walk that was cut off goes on where it was" + more
}

func (d *discovery) page(p providers.Page) error {
	for _, c := range p.Clients {
		if err := d.take.take(d, c); err != nil {
			return err
		}
	}
	return d.out.flush()
}

// taken keeps how far the walk is. What it has printed is in the file by then, so that a kill loses and repeats nothing.
func (d *discovery) taken(at tenant.Position) error {
	d.at.Position, d.at.Written = at, d.out.written
	begin, end := "\r", " "
	if !isTerminal(d.err) {
		begin, end = "", "\n"
	}
	if end == " " || at.Pages%100 == 0 {
		_, _ = fmt.Fprint(d.err, begin, counted(at.Clients, "client"), ", ", counted(at.Pages, "page"), end)
	}
	if d.f.progress == "" {
		return nil
	}
	return d.at.Save(d.f.progress)
}

// finish says what was met. The walk is over, so nothing has to be kept of it.
func (d *discovery) finish() error {
	if isTerminal(d.err) {
		_, _ = fmt.Fprint(d.err, "\r\x1b[K")
	}
	if d.f.progress != "" {
		if err := os.Remove(d.f.progress); err != nil && !errors.Is(err, os.ErrNotExist) {
			d.note(err.Error())
		}
	}
	_, _ = fmt.Fprintln(d.err, met(d.at))
	if d.f.adopt != "" {
		return d.adopted()
	}
	return nil
}

// met says in one line what a walk has met. What there was none of is left out.
func met(at tenant.Progress) string {
	c := at.Counts
	line := fmt.Sprintf("%s in %s (%s), %d of them registered; %s",
		counted(at.Clients, "client"), counted(at.Pages, "page"), counted(at.Requests, "request"), c.Registered, counted(c.Credentials, "credential"))
	mark := ": "
	for _, one := range []struct {
		n    int
		what string
	}{
		{c.Never, "never expire"},
		{c.Century, "live ten years or longer"},
		{c.Expired, "have expired"},
		{c.LeftBehind, "were left behind"},
		{c.Rotad, "carry a label of rotad"},
		{c.Without, "of the clients have none"},
	} {
		if one.n > 0 {
			line, mark = fmt.Sprintf("%s%s%d %s", line, mark, one.n, one.what), ", "
		}
	}
	return line
}
