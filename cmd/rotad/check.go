package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/providers"
)

// checkFlags are the flags of "rotad check".
type checkFlags struct {
	online, syntaxOnly, strict bool
}

func newCheck(a *app) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Name every error in the configuration at once; with --online also ask Vault, the providers, destinations, SMTP and the channels.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.check(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.online, "online", false, "log in to Vault, the providers, clusters and SMTP, and look at the rights and at every destination, and connect to the channels")
	flags.BoolVar(&f.syntaxOnly, "syntax-only", false, "do not look at the files that the configuration names")
	flags.BoolVar(&f.strict, "strict", false, "treat warnings as errors")
	return cmd
}

func (a *app) check(ctx context.Context, f checkFlags) error {
	options := []config.Option{config.At(realClocks().now)}
	if f.syntaxOnly {
		options = append(options, config.SyntaxOnly())
	}
	cfg, problems := config.Load(a.config(), configKinds(), options...)
	if f.strict {
		problems = problems.Strict()
	}
	for _, p := range problems {
		_, _ = fmt.Fprintln(a.out, p.String())
	}
	errs := len(problems.Errors())
	if !f.syntaxOnly {
		errs += checkTemplates(cfg, a.out)
	}
	if errs > 0 {
		return wrong(fmt.Errorf("%s, %s in %s", counted(errs, "error"), counted(len(problems.Warnings()), "warning"), a.config()), a.missing())
	}
	_, _ = fmt.Fprintf(a.out, "%s: ok (%s in the configuration, %s, %s)\n", a.config(),
		counted(len(cfg.Clients), "client"), counted(len(cfg.Providers), "provider"), counted(len(problems.Warnings()), "warning"))
	if !f.online {
		return nil
	}
	return a.checkOnline(ctx, cfg)
}

// counted says how many there are of something whose plural ends in s.
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// onlineTimeout bounds the online check of one server.
const onlineTimeout = 30 * time.Second

// checkOnline asks every server, whatever the others answered. It changes nothing.
func (a *app) checkOnline(ctx context.Context, cfg *config.Config) error {
	d := &daemon{daemonSettings: daemonSettings{clocks: realClocks(), log: a.logger(cfg.Log)}}
	d.meters = newMeters(d)
	bad := a.checkVault(ctx, cfg) + a.checkVaults(ctx, cfg) + a.checkProviders(ctx, d, cfg) + a.checkPlaces(ctx, cfg) + a.checkMail(ctx, cfg) + a.checkChannels(ctx, cfg)
	if bad > 0 {
		return failed(fmt.Errorf("%s online", counted(bad, "problem")), "")
	}
	return nil
}

// enoughToWatch is said once in place of every right that only a rotation needs.
const enoughToWatch = "rotad may not change anything here, which is enough as long as every policy has start: observe"

func (a *app) finding(where string, problem bool, what, hint string) int {
	mark, count := "note", 0
	if problem {
		mark, count = "problem", 1
	}
	_, _ = fmt.Fprintf(a.out, "%s: %s: %s\n", where, mark, what)
	if hint != "" {
		_, _ = fmt.Fprintf(a.out, "    hint: %s\n", hint)
	}
	return count
}

func (a *app) checkVault(ctx context.Context, cfg *config.Config) (bad int) {
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	client, err := vault.Open(vaultSettings(cfg), realClocks().ofVault(), nil)
	if err != nil {
		return a.finding("vault", true, err.Error(), "")
	}
	paths := make([]credential.VaultPath, len(cfg.Clients))
	for i, client := range cfg.Clients {
		paths[i] = client.Vault
	}
	findings := client.Check(ctx, paths, copiesIn(cfg, ""))
	watching := false
	for _, f := range findings {
		if f.Rotation && watchesOnly(cfg) {
			watching = true
			continue
		}
		bad += a.finding("vault", f.Problem, f.What, f.Hint)
	}
	if watching {
		a.finding("vault", false, enoughToWatch, "deploy/vault/rotad.hcl has the rights to rotate")
	}
	if len(findings) == 0 {
		_, _ = fmt.Fprintf(a.out, "vault: ok (%s)\n", cfg.Vault.Address)
	}
	return bad
}

// checkVaults logs in to the further Vaults, and looks at the rights of destinations there.
func (a *app) checkVaults(ctx context.Context, cfg *config.Config) (bad int) {
	for _, name := range slices.Sorted(maps.Keys(cfg.Vaults)) {
		bad += a.checkFurther(ctx, cfg, name)
	}
	return bad
}

func (a *app) checkFurther(ctx context.Context, cfg *config.Config, name string) (bad int) {
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	where, server := "vault "+name, cfg.Vaults[name]
	client, err := vault.Open(serverSettings(server), realClocks().ofVault(), nil)
	if err != nil {
		return a.finding(where, true, err.Error(), "")
	}
	findings := client.CheckCopies(ctx, copiesIn(cfg, name))
	for _, f := range findings {
		bad += a.finding(where, f.Problem, f.What, f.Hint)
	}
	if len(findings) == 0 {
		_, _ = fmt.Fprintf(a.out, "%s: ok (%s)\n", where, server.Address)
	}
	return bad
}

// copiesIn returns where clients have destinations in a Vault; "" = rotad's own.
func copiesIn(cfg *config.Config, name string) (paths []credential.VaultPath) {
	for _, c := range cfg.Clients {
		for _, d := range c.Destinations {
			if d.Vault != nil && d.Vault.Vault == name {
				paths = append(paths, d.Vault.At())
			}
		}
	}
	return paths
}

func (a *app) checkProviders(ctx context.Context, d *daemon, cfg *config.Config) (bad int) {
	held := reader(cfg)
	for _, p := range cfg.Providers {
		connection, err := d.open(p)
		if err != nil {
			bad += a.finding("provider "+p.Name, true, err.Error(), "")
			continue
		}
		bad += a.checkProvider(ctx, p, connection.Provider, held, cfg)
		bad += a.checkClients(ctx, p, connection.Provider, held, cfg)
	}
	return bad
}

// reader returns what reads Vault for the kinds whose key to a client stands there; nil = Vault cannot be had, which has
// been said by then.
func reader(cfg *config.Config) rotation.Vault {
	client, err := vault.Open(vaultSettings(cfg), realClocks().ofVault(), nil)
	if err != nil {
		return nil
	}
	return client
}

// checkClients looks at every client of a provider: is it known, and how would it be rotated?
func (a *app) checkClients(
	ctx context.Context, p config.Provider, provider providers.Provider, held rotation.Vault, cfg *config.Config,
) (bad int) {
	_, revokes := providers.AsRevoker(provider)
	for _, c := range cfg.Clients {
		if c.Provider != p.Name {
			continue
		}
		where, deletesEarly := "client "+c.ID, cfg.Policies[cfg.WithDefaults(c).Policy].DeleteEarly
		snap, err := a.inspect(ctx, provider, held, c)
		switch {
		case err != nil:
			bad += a.finding(where, true, err.Error(), "")
		case snap.Caps.Mode == credential.ModeGraceWindow && deletesEarly && !revokes:
			bad += a.finding(where, false, "delete_early has no effect: this provider cannot end a replaced secret, its own timer does",
				"leave delete_early out of the policy "+c.Policy)
		case snap.Caps.Mode == credential.ModeHardCutover && !c.AllowCut:
			bad += a.finding(where, false, "hard-cutover: "+snap.Caps.Reason, "allow_cutover: true permits a rotation without overlap")
		default:
			_, _ = fmt.Fprintf(a.out, "%s: %s (%s)\n", where, snap.Caps.Mode, snap.Caps.Reason)
		}
	}
	return bad
}

func (a *app) inspect(ctx context.Context, p providers.Provider, held rotation.Vault, c credential.Client) (providers.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	return p.Inspect(ctx, rotation.Target(held, c, ""))
}

func (a *app) checkMail(ctx context.Context, cfg *config.Config) int {
	if cfg.SMTP == nil {
		return a.finding("smtp", false, "not configured: nobody is told anything by mail", "")
	}
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	channel, err := mailChannel(cfg.SMTP)
	if err == nil {
		err = errors.Join(channel.Check(ctx), channel.Close())
	}
	if err != nil {
		return a.finding("smtp", true, err.Error(), "see smtp: host, port, tls, username and password_file")
	}
	_, _ = fmt.Fprintf(a.out, "smtp: ok (%s)\n", cfg.SMTP.Host)
	return 0
}
