package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/providers"
)

// kindView is a kind as "rotad kinds --json" shows it.
type kindView struct {
	Kind    string   `json:"kind"`
	Summary string   `json:"summary"`
	Ref     []string `json:"ref"`
	Fields  []string `json:"fields"`
	adapter
	Presets []preset `json:"presets,omitempty"`
}

// preset is a preset as "rotad kinds --json" shows it.
type preset struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	adapter
}

// adapter is what kinds and presets have in common: what they can do, and what they were proved against.
type adapter struct {
	Modes    []string `json:"modes"`
	Rights   string   `json:"rights"`
	Value    string   `json:"value_chosen_by"`
	Live     string   `json:"live_at_once"`
	Lists    bool     `json:"lists"`
	Revokes  bool     `json:"revokes_by_id"`
	Usage    bool     `json:"shows_usage"`
	Walks    bool     `json:"walks_tenants"`
	Evidence string   `json:"evidence"`
	Unproven bool     `json:"needs_allow_unproven"`
	Instead  []string `json:"instead_of_secrets"` // methods to log in without a shared secret

	level providers.EvidenceLevel // Evidence without the servers
}

func adapterOf(modes []string, rights string, t providers.Traits, e providers.Evidence) adapter {
	instead := []string{}
	for _, way := range t.Instead {
		instead = append(instead, way.Method)
	}
	return adapter{
		Modes: modes, Rights: rights, Value: t.Value, Live: t.Live, Lists: t.Lists, Revokes: t.Revokes, Usage: t.Usage, Walks: t.Walks,
		Instead:  instead,
		Evidence: e.String(), Unproven: !e.Proven(), level: e.Level,
	}
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

// kindViews are all kinds with their presets.
func kindViews() []kindView {
	views := make([]kindView, 0, len(kinds()))
	for _, k := range kinds() {
		v := kindView{
			Kind: k.Name, Summary: k.Summary, Ref: k.Ref, Fields: k.Fields,
			adapter: adapterOf(k.Modes, k.Rights, k.Traits, evidenceOf(k.Name, "")),
		}
		for _, p := range k.Presets {
			v.Presets = append(v.Presets, preset{p.Name, p.Summary, adapterOf(p.Modes, p.Rights, p.Traits, evidenceOf(k.Name, p.Name))})
		}
		views = append(views, v)
	}
	return views
}

func (a *app) listKinds() error {
	views := kindViews()
	if a.json {
		encoder := json.NewEncoder(a.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(views)
	}
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "KIND\tMODES\tREF\tEVIDENCE\tSUMMARY")
	for _, v := range views {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", v.Kind, strings.Join(v.Modes, ", "), strings.Join(v.Ref, ", "), v.level, v.Summary)
	}
	_, _ = fmt.Fprintln(table, "\nPRESET\tMODES\tKIND\tEVIDENCE\tSUMMARY")
	for _, v := range views {
		for _, p := range v.Presets {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.Name, strings.Join(p.Modes, ", "), v.Kind, p.level, p.Summary)
		}
	}
	return table.Flush()
}
