package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, a contract of the command line.
const (
	exitDone    = 0
	exitFailed  = 1
	exitWrong   = 2 // wrong use, or a wrong configuration
	exitRefused = 3 // a hold, or a conflict
)

// app is what every command works with: its streams, its environment and the flags that all commands share.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      map[string]string

	configFile string
	socket     string
	json       bool
}

// failure is an error as a command shows it: two lines, and an exit code.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failed makes an error with exit code 1.
func failed(err error, hint string) error { return &failure{exitFailed, err, hint} }

// wrong makes an error with exit code 2.
func wrong(err error, hint string) error { return &failure{exitWrong, err, hint} }

// refused makes an error with exit code 3.
func refused(err error, hint string) error { return &failure{exitRefused, err, hint} }

// run is main without the process: it returns the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer, environ []string) int {
	a := &app{in: in, out: out, err: errOut, env: environment(environ)}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(ctx)
	return a.exit(misused(cmd, args, err))
}

// misused adds to an error of the command line where the use of the command at hand is described.
func misused(cmd *cobra.Command, args []string, err error) error {
	if _, hinted := errors.AsType[*failure](err); err == nil || hinted {
		return err
	}
	if !cmd.HasParent() {
		return wrong(err, nearestCommand(cmd, args))
	}
	return wrong(err, cmd.CommandPath()+" --help says how it is used")
}

// nearestCommand is the hint for a command that does not exist.
func nearestCommand(root *cobra.Command, args []string) string {
	const all = "rotad --help lists the commands"
	for _, arg := range args {
		if near := root.SuggestionsFor(arg); len(near) > 0 && !strings.HasPrefix(arg, "-") {
			return "did you mean rotad " + near[0] + "? " + all
		}
	}
	return all
}

// exit shows an error, if there is one, and returns the exit code.
func (a *app) exit(err error) int {
	if err == nil {
		return exitDone
	}
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{exitWrong, err, ""}
	}
	if text := f.err.Error(); text != "" {
		_, _ = fmt.Fprintf(a.err, "error: %s\n", text)
	}
	if f.hint != "" {
		_, _ = fmt.Fprintf(a.err, "hint: %s\n", f.hint)
	}
	return f.code
}

func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	return env
}

// defaultConfig is where the configuration stands where nothing else is said.
const defaultConfig = "/etc/rotad/config.yaml"

// config returns the configuration file: --config, else $ROTAD_CONFIG, else the default.
func (a *app) config() string {
	switch {
	case a.configFile != "":
		return a.configFile
	case a.env["ROTAD_CONFIG"] != "":
		return a.env["ROTAD_CONFIG"]
	}
	return defaultConfig
}

// newRoot builds the command tree. Errors are shown by exit, never as a usage dump.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "rotad",
		Short:         "Rotates OAuth and OIDC client secrets before they expire, and tells the people who own them.",
		SilenceUsage:  true,
		SilenceErrors: true,

		DisableSuggestions:         true, // they stand in the hint, on a line of their own
		SuggestionsMinimumDistance: 2,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "configuration file (default $ROTAD_CONFIG, else "+defaultConfig+")")
	flags.StringVar(&a.socket, "socket", "", "admin socket of the daemon (default $ROTAD_SOCKET, else the configured one)")
	flags.BoolVar(&a.json, "json", false, "print JSON where the command lists something")
	for _, build := range commands() {
		root.AddCommand(build(a))
	}
	return root
}
