package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/handshake"
)

func newToken(a *app) *cobra.Command {
	var consumer, out string
	cmd := a.aboutOne("token ID", "Write the token with which a consumer says which version it runs on into a new file.",
		func(_ *cobra.Command, id string) error { return a.token(id, consumer, out) })
	cmd.Flags().StringVar(&consumer, "consumer", "", "the consumer that the token is for")
	cmd.Flags().StringVar(&out, "out", "", "the file; it must not exist yet")
	return cmd
}

// token writes a token where its owner alone can read it: no command prints a secret.
func (a *app) token(id, consumer, out string) error {
	if consumer == "" || out == "" {
		return wrong(errors.New("a token is for one consumer, and goes into a file"), "rotad token "+quote(id)+" --consumer NAME --out FILE")
	}
	cfg, problems := config.Load(a.config(), configKinds(), config.SyntaxOnly())
	if err := a.usable(problems); err != nil {
		return err
	}
	key, err := cfg.Handshake.Secret("token_key")
	if err != nil {
		return failed(err, "set handshake.token_key_file, and run this as somebody who can read it")
	}
	token, err := handshake.Token(credential.NewSensitive(key), id, consumer)
	if err != nil {
		return wrong(err, "make one: openssl rand -base64 32")
	}
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the file that the person names
	if err != nil {
		return failed(err, "name a file that does not exist yet, in a directory that does")
	}
	_, err = f.WriteString(token.Reveal() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return failed(err, "")
	}
	return printed(fmt.Fprintf(a.out, "%s: a token for %s of %s; give it to that consumer and to nobody else\n", out, clean(consumer), clean(id)))
}
