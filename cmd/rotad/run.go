package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/state"
)

func newRun(a *app) *cobra.Command {
	var removals bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.daemon(cmd.Context(), removals)
		},
	}
	cmd.Flags().BoolVar(&removals, "allow-removals", false, "let more than a fifth of the clients leave at once")
	return cmd
}

// load reads the configuration. Warnings are shown, errors are all shown and end the command.
func (a *app) load() (*config.Config, error) {
	cfg, problems := config.Load(a.config(), configKinds(), config.At(realClocks().now))
	for _, p := range problems {
		_, _ = fmt.Fprintln(a.err, p.String())
	}
	if errs := problems.Errors(); len(errs) > 0 {
		return nil, wrong(fmt.Errorf("%s in the configuration %s", counted(len(errs), "error"), a.config()), cmp.Or(a.missing(), a.namesAll()))
	}
	if errs := checkTemplates(cfg, a.err); errs > 0 {
		return nil, wrong(fmt.Errorf("%s in the templates of %s", counted(errs, "error"), cfg.Templates), a.namesAll())
	}
	return cfg, nil
}

// daemon runs until a signal ends it.
func (a *app) daemon(ctx context.Context, removals bool) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	log := a.logger(cfg.Log)
	if ignored := ignoredEnv(cfg, os.Environ()); len(ignored) > 0 {
		log.Warn("environment variables of vault's own client are ignored; the configuration decides", "names", ignored)
	}
	d, err := newDaemon(cfg, daemonSettings{clocks: realClocks(), log: log, removals: removals})
	if err != nil {
		return openFailure(err)
	}
	runErr := a.serve(ctx, d)
	return errors.Join(runErr, d.close())
}

// openFailure shows why the state could not be opened, with what to do. The state of a newer rotad is refused rather
// than a failure: it would be the same at the next start, so the service manager makes none.
func openFailure(err error) error {
	file, ok := errors.AsType[*state.FileError](err)
	switch {
	case !ok:
		return failed(err, "")
	case errors.Is(err, state.ErrNewer):
		return refused(err, file.Hint())
	}
	return failed(err, file.Hint())
}

func (a *app) logger(l config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level))
	options := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(a.err, options))
	}
	return slog.New(slog.NewTextHandler(a.err, options))
}

// unwritten is what to do where the state could not be written.
const unwritten = "rotad starts again from the state and from Vault; look at the disk that holds the state file"

// serve registers the clients, opens the listeners, tells the service manager, and runs.
func (a *app) serve(ctx context.Context, d *daemon) error {
	switch err := d.register(ctx, d.config()); {
	case errors.Is(err, state.ErrFatal):
		return failed(err, unwritten)
	case err != nil && ctx.Err() != nil: // somebody stops it while it starts: nothing is wrong
		d.log.Info("rotad has stopped before it ran")
		return nil
	case err != nil:
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listeners, err := d.listen(ctx, a.adminSocket(d.config()))
	if err != nil {
		return failed(err, "see listen: in the configuration: the address must be free, and the directory of the socket must exist")
	}
	defer listeners.close()
	d.meters.Providers(providerNames(d.config()))
	d.meters.Reloaded(true)
	go a.reloads(ctx, d)
	go watchdog(ctx, d)
	_, _ = systemd.SdNotify(false, systemd.SdNotifyReady)
	d.log.Info("rotad runs", "config", a.config(), "clients_in_configuration", len(d.config().Clients), "metrics", listeners.metrics(), "admin", listeners.admin())
	err = d.run(ctx)
	_, _ = systemd.SdNotify(false, systemd.SdNotifyStopping)
	d.log.Info("rotad has stopped")
	if err != nil {
		return failed(err, unwritten)
	}
	return nil
}

// watchdog tells the service manager that the loop lives, as often as it wants to hear it.
func watchdog(ctx context.Context, d *daemon) {
	every, err := systemd.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	ticker := time.NewTicker(every / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if d.meters.health().Alive() {
				_, _ = systemd.SdNotify(false, systemd.SdNotifyWatchdog)
			}
		}
	}
}

// reloads takes a new configuration at every SIGHUP: a whole new world, or the old one.
func (a *app) reloads(ctx context.Context, d *daemon) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			_, _ = systemd.SdNotify(false, systemd.SdNotifyReloading)
			if err := a.reload(ctx, d); err != nil {
				d.log.Error("the configuration was not reloaded; the old one stays", "error", err)
			}
			_, _ = systemd.SdNotify(false, systemd.SdNotifyReady)
		}
	}
}

// reload builds the new world whole and then swaps it in. On any error nothing has changed.
func (a *app) reload(ctx context.Context, d *daemon) (err error) {
	d.loading.Lock()
	defer d.loading.Unlock()
	defer func() { d.meters.Reloaded(err == nil) }()
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if err = sameProcess(d.config(), cfg); err != nil {
		return err
	}
	world, err := d.world(cfg)
	if err != nil {
		return err
	}
	voice, err := d.voice(cfg)
	if err != nil {
		return err
	}
	further, err := d.vaults.open(cfg)
	if err != nil {
		return err
	}
	plan, err := d.compare(ctx, cfg)
	if err != nil {
		return err
	}
	if err = plan.refuse(cfg, d.removals); err != nil {
		return err
	}
	if err = d.sign(ctx, cfg); err != nil {
		return err
	}
	if err = d.notices.Replace(voice); err != nil {
		return err
	}
	d.cfg.Store(cfg)
	d.vaults.swap(further)
	d.renderer.Store(voice.Renderer)
	d.meters.Providers(providerNames(cfg))
	d.scheduler.Swap(world)
	if err = d.register(ctx, cfg); err != nil {
		return err
	}
	d.scheduler.Wake()
	d.log.Info("the configuration was reloaded", "clients_in_configuration", len(cfg.Clients), "changes", len(plan.changes))
	return nil
}

func providerNames(cfg *config.Config) []string {
	names := make([]string, len(cfg.Providers))
	for i, p := range cfg.Providers {
		names[i] = p.Name
	}
	return names
}

// sameProcess refuses what only a restart can change.
func sameProcess(old, now *config.Config) error {
	switch {
	case old.State != now.State:
		return errors.New("state: cannot change while rotad runs; restart it")
	case old.Listen.Metrics != now.Listen.Metrics, old.Listen.Admin != now.Listen.Admin:
		return errors.New("listen: cannot change while rotad runs; restart it")
	case otherDoor(old.Listen.Public.Address, now.Listen.Public.Address, old.Listen.Public.TLSCertFile, now.Listen.Public.TLSCertFile):
		return errors.New("listen.public: its address, and whether it has a certificate, cannot change while rotad runs; restart it")
	case otherDoor(old.Handshake.Address, now.Handshake.Address, old.Handshake.TLSCertFile, now.Handshake.TLSCertFile):
		return errors.New("handshake: its address, and whether it has a certificate, cannot change while rotad runs; restart it")
	case otherDoor(old.Publish.Address, now.Publish.Address, old.Publish.TLSCertFile, now.Publish.TLSCertFile):
		return errors.New("publish: its address, and whether it has a certificate, cannot change while rotad runs; restart it")
	case old.Vault.Address != now.Vault.Address || old.Vault.Namespace != now.Vault.Namespace ||
		old.Vault.Mount != now.Vault.Mount || old.Vault.Staging != now.Vault.Staging || old.Vault.AuditLog != now.Vault.AuditLog:
		return errors.New("vault: address, namespace, mount, staging and audit_log cannot change while rotad runs; restart it")
	}
	return nil
}

// otherDoor says whether a listener would have to be opened anew. A certificate that is renewed is no other door.
func otherDoor(old, now, oldCert, nowCert string) bool {
	return old != now || (oldCert == "") != (nowCert == "")
}
