package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/reload"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/providers"
)

// errNoLogin says that a login, which a rotation has to prove, is not configured any more.
var errNoLogin = errors.New("the configuration names no such login any more; where that is right: rotad resume CLIENT --undelivered")

// reload makes a consumer take a new secret. Where that is rotad itself, it logs in anew with what the file holds now.
func (d *daemon) reload(ctx context.Context, r credential.Reload, o credential.Occasion) error {
	if r.Login == "" {
		return reload.Do(ctx, r, o)
	}
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	if err := d.logIn(ctx, r.Login); err != nil {
		return fmt.Errorf("%s: %w", r.What(), err)
	}
	return nil
}

// logIn proves a login by doing it. A provider and the mail server are asked over a connection of their own, because the one
// in use may go on with what it got for the old secret; Vault's is replaced.
func (d *daemon) logIn(ctx context.Context, at string) error {
	cfg := d.config()
	name, atProvider := strings.CutPrefix(at, config.LoginProvider)
	further, atFurther := strings.CutPrefix(at, config.LoginFurther)
	switch {
	case at == config.LoginVault:
		return logInToVault(ctx, d.vault, cfg.Vault.Auth)
	case atFurther:
		return logInToVault(ctx, d.vaults.client(further), cfg.Vaults[further].Auth)
	case at == config.LoginSMTP && cfg.SMTP != nil:
		channel, err := mailChannel(cfg.SMTP)
		if err != nil {
			return err
		}
		return errors.Join(channel.Check(ctx), channel.Close())
	case atProvider:
		if p, ok := cfg.Provider(name); ok {
			return d.logInToProvider(ctx, p)
		}
	}
	return errNoLogin
}

// logInToVault takes a new token, with which everything goes on.
func logInToVault(ctx context.Context, client *vault.Client, auth config.VaultAuth) error {
	if client == nil || !slices.Contains([]string{vault.MethodAppRole, vault.MethodToken}, auth.Method) {
		return errNoLogin
	}
	return client.Login(ctx)
}

// logInToProvider opens the provider anew, so that nothing is known of the login before.
func (d *daemon) logInToProvider(ctx context.Context, p config.Provider) error {
	opened, err := d.open(p)
	if err != nil {
		return err
	}
	if closer, ok := providers.AsCloser(opened.Provider); ok {
		defer func() { _ = closer.Close(ctx) }()
	}
	checker, ok := providers.AsChecker(opened.Provider)
	if !ok { // then it has no login: a test sees to it
		return nil
	}
	for _, f := range checker.Check(ctx) {
		if f.Problem && !f.Rotation {
			return errors.New(f.What)
		}
	}
	return nil
}
