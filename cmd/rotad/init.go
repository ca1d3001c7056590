package main

import (
	"bytes"
	_ "embed" // of the template
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/providers"
)

//go:embed init.yaml.tmpl
var initConfig string

// defaultKind is the kind of provider that a new configuration has where none is named.
const defaultKind = "keycloak"

func newInit(a *app) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented minimal configuration, which only watches; never over a file that exists.",
		Long: "Write a commented minimal configuration to the file that --config names, and list what is to be filled in.\n" +
			"It watches only: it has metrics and mails, and changes nothing until its policy says so.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.init(kind) },
	}
	cmd.Flags().StringVar(&kind, "kind", defaultKind, "kind of the identity provider: "+strings.Join(kindNames(), ", "))
	return cmd
}

func kindNames() []string {
	var list []string
	for _, k := range kinds() {
		list = append(list, k.Name)
	}
	return list
}

func (a *app) init(kindName string) error {
	kind, known := kindNamed(kindName)
	if !known {
		return wrong(fmt.Errorf("there is no kind %q of providers", kindName), "one of "+strings.Join(kindNames(), ", "))
	}
	text, err := newConfig(kind)
	if err != nil {
		return err
	}
	file := a.config()
	if err := writeNew(file, text); err != nil {
		return notWritten(file, err)
	}
	_, problems := config.Load(file, configKinds())
	_, _ = fmt.Fprintf(a.out, "%s is written. What rotad check says about it until it is complete:\n", file)
	for _, p := range problems {
		_, _ = fmt.Fprintf(a.out, "  %s\n", p)
	}
	return nil
}

// newConfig is a minimal configuration with one provider of a kind. What the provider needs is read from its settings,
// so that a new kind needs no words here.
func newConfig(kind providers.Kind) ([]byte, error) {
	all := configKinds()
	i := slices.IndexFunc(all, func(k config.Kind) bool { return k.Name == kind.Name })
	parsed, err := template.New("init").Option("missingkey=error").Funcs(template.FuncMap{
		"fill": func(words string) string { return strconv.Quote(config.Placeholder(words)) },
		"file": func(s config.Setting) string { return secretFile(kind.Name, s.Name) },
	}).Parse(initConfig)
	if err != nil {
		return nil, fmt.Errorf("reading the template of a configuration: %w", err)
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, map[string]any{
		"Kind": kind.Name, "Summary": kind.Summary, "Rights": kind.Rights, "Ref": strings.TrimSuffix(refFields(kind.Ref)[0], "?"),
		"Settings": config.Required(all[i]), "Unproven": unprovenIn(kind),
	})
	return out.Bytes(), err
}

// unprovenIn names what a new provider of a kind may stand on without a proof; empty = nothing.
func unprovenIn(kind providers.Kind) string {
	if !evidenceOf(kind.Name, "").Proven() {
		return "the kind " + kind.Name
	}
	for _, p := range kind.Presets {
		if !evidenceOf(kind.Name, p.Name).Proven() {
			return "some presets"
		}
	}
	return ""
}

// secretFile names the file of a provider's secret: keycloak-client-secret for client_secret_file.
func secretFile(kind, setting string) string {
	return kind + "-" + strings.ReplaceAll(strings.TrimSuffix(setting, "_file"), "_", "-")
}

// writeNew writes a file that does not exist yet, whole or not at all. Everybody may read it, because the commands of
// people do, and no secret is in it.
func writeNew(file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // the file that the person names; not a secret
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(file)
	}
	return err
}

// notWritten says why there is no new configuration, and where one could be.
func notWritten(file string, err error) error {
	const elsewhere = "rotad init --config ./config.yaml writes into the directory that you are in"
	switch {
	case errors.Is(err, fs.ErrExist):
		return refused(fmt.Errorf("%s exists already and stays as it is", file),
			"rotad check says what it lacks; rotad init --config OTHER.yaml writes beside it")
	case errors.Is(err, fs.ErrNotExist):
		return failed(fmt.Errorf("writing the configuration: there is no directory %s", filepath.Dir(file)),
			"mkdir -p "+filepath.Dir(file)+"; or "+elsewhere)
	case errors.Is(err, fs.ErrPermission):
		return failed(fmt.Errorf("writing the configuration: %w", err), "sudo rotad init; or "+elsewhere)
	}
	return failed(fmt.Errorf("writing the configuration: %w", err), elsewhere)
}
