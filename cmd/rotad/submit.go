package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

func newSubmit(a *app) *cobra.Command {
	var expires, reason string
	cmd := a.aboutOne("submit ID", "Bring a secret that a person made, from the terminal without an echo or from stdin.",
		func(cmd *cobra.Command, id string) error { return a.submit(cmd.Context(), id, expires, reason) })
	cmd.Long = "Bring a secret that a person made, from the terminal without an echo or from stdin.\n" +
		"Keep the value until this command says that Vault has it.\n\n" + shownOnce
	cmd.Flags().StringVar(&expires, "expires", "", "when it expires: a duration (90d), a date, an RFC 3339 time, or never")
	reasonFlag(cmd, &reason)
	return cmd
}

func (a *app) submit(ctx context.Context, id, expires, reason string) error {
	command := admin.Command{Verb: admin.VerbSubmit, Client: id, Reason: reason}
	if err := a.expiry(ctx, &command, expires); err != nil {
		return err
	}
	if _, err := a.do(ctx, admin.Command{Verb: admin.VerbPrepare, Client: id}); err != nil {
		return err
	}
	value, err := a.secret(ctx, id)
	if err != nil {
		return err
	}
	command.Value = value
	reply, err := a.do(ctx, command)
	if err != nil {
		return unstored(err)
	}
	if expires == "" {
		a.note("nobody has said when it expires, so nobody can be warned: next time --expires 90d, or expires: in the configuration")
	}
	return a.granted(reply.Record, "%[1]s: Vault has the value; it is verified and published next: rotad show %[1]s")
}

// expiry reads what the person says about the end of the value.
func (a *app) expiry(ctx context.Context, c *admin.Command, text string) error {
	switch text {
	case "":
		return nil
	case "never":
		c.Never = true
		return nil
	}
	now, err := a.now(ctx)
	if err != nil {
		return err
	}
	if c.Expires, err = parseMoment(text, now); err != nil {
		return wrong(fmt.Errorf("reading --expires: %w", err), momentHint+", or never")
	}
	if !c.Expires.After(now) {
		return wrong(fmt.Errorf("--expires %s has passed", stamp(c.Expires)), "give the moment at which the new secret expires")
	}
	return nil
}

// unstored says what to do with a value that was not taken.
func unstored(err error) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	kept := *f
	var said *admin.Error
	switch {
	case strings.HasPrefix(f.hint, keepValue):
	case errors.As(err, &said), errors.Is(err, admin.ErrNoDaemon), errors.Is(err, admin.ErrNoRight):
		kept.hint = keepValue + ": nothing was stored"
		if f.hint != "" {
			kept.hint += "; " + f.hint
		}
	default:
		kept.hint = keepValue + ": whether it was stored is not known; rotad show says so"
	}
	return &kept
}

// maxSecret bounds a submitted value, in bytes.
const maxSecret = 64 << 10

// secret asks for the value: on a terminal without an echo, else it is all of stdin without its last line end.
func (a *app) secret(ctx context.Context, id string) (credential.Sensitive, error) {
	var raw []byte
	var err error
	if f, ok := a.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		raw, err = a.typed(ctx, f, id)
	} else {
		raw, err = io.ReadAll(io.LimitReader(a.in, maxSecret+1))
	}
	if err != nil {
		return credential.Sensitive{}, failed(fmt.Errorf("reading the value: %w", err), "nothing was stored")
	}
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	switch {
	case len(raw) == 0:
		return credential.Sensitive{}, wrong(errors.New("the value is empty"), "nothing was stored; type it, or give it on stdin")
	case len(raw) > maxSecret:
		return credential.Sensitive{}, wrong(errors.New("the value is longer than 64 KiB"), "nothing was stored")
	case !utf8.Valid(raw) || bytes.ContainsAny(raw, "\n\r\x00\ufffd"):
		return credential.Sensitive{}, wrong(errors.New("the value is not one line of text"), "nothing was stored; Vault keeps text only")
	}
	return credential.NewSensitive(string(raw)), nil
}

// typed reads a line from a terminal without an echo. An interrupt puts the echo back.
func (a *app) typed(ctx context.Context, f *os.File, id string) ([]byte, error) {
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(a.err, "new secret of %s (it is not shown): ", id)
	type line struct {
		text []byte
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		lines <- line{text, err}
	}()
	defer func() { _, _ = fmt.Fprintln(a.err) }()
	select {
	case <-ctx.Done():
		return nil, errors.Join(errors.New("interrupted"), term.Restore(fd, before))
	case l := <-lines:
		return l.text, l.err
	}
}
