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
}

func newKinds(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "kinds",
		Short: "List the kinds of providers: their overlap modes, and what a client's ref holds.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.listKinds()
		},
	}
}

func (a *app) listKinds() error {
	views := make([]kindView, 0, len(kinds()))
	for _, k := range kinds() {
		views = append(views, kindView{k.Name, k.Summary, k.Modes, k.Ref, k.Fields, k.Rights})
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
	return table.Flush()
}
