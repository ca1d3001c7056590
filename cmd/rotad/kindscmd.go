package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// kindView is a kind as "rotad kinds --json" shows it.
type kindView struct {
	Kind    string   `json:"kind"`
	Summary string   `json:"summary"`
	Modes   []string `json:"modes"`
	Ref     []string `json:"ref"`
	Fields  []string `json:"fields"`
	Rights  string   `json:"rights"`
	Presets []preset `json:"presets,omitempty"`
}

// preset is a preset as "rotad kinds --json" shows it.
type preset struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
}

func newKinds(a *app) *cobra.Command {
	var named string
	cmd := &cobra.Command{
		Use:   "kinds",
		Short: "List the kinds of providers: their overlap modes, and what a client's ref holds.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if named != "" {
				return a.printPreset(named)
			}
			return a.listKinds()
		},
	}
	cmd.Flags().StringVar(&named, "preset", "", "print this preset of the kind http, to read or to copy")
	return cmd
}

// printPreset prints the settings that a preset stands for.
func (a *app) printPreset(name string) error {
	var known []string
	for _, k := range kinds() {
		for _, p := range k.Presets {
			if p.Name == name {
				_, err := fmt.Fprint(a.out, p.Text)
				return err
			}
			known = append(known, p.Name)
		}
	}
	return wrong(fmt.Errorf("--preset: there is no preset %q", name), "known are "+strings.Join(known, ", "))
}

func (a *app) listKinds() error {
	views := make([]kindView, 0, len(kinds()))
	for _, k := range kinds() {
		v := kindView{Kind: k.Name, Summary: k.Summary, Modes: k.Modes, Ref: k.Ref, Fields: k.Fields, Rights: k.Rights}
		for _, p := range k.Presets {
			v.Presets = append(v.Presets, preset{p.Name, p.Summary})
		}
		views = append(views, v)
	}
	if a.json {
		encoder := json.NewEncoder(a.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(views)
	}
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "KIND\tMODES\tREF\tSUMMARY")
	for _, v := range views {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", v.Kind, strings.Join(v.Modes, ", "), strings.Join(v.Ref, ", "), v.Summary)
	}
	_, _ = fmt.Fprintln(table, "\nPRESET\tKIND\t\tSUMMARY")
	for _, v := range views {
		for _, p := range v.Presets {
			_, _ = fmt.Fprintf(table, "%s\t%s\t\t%s\n", p.Name, v.Kind, p.Summary)
		}
	}
	return table.Flush()
}
