package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/advice"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

func newAdvise(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "advise",
		Short: "Say how long overlaps have to be, as past rotations have shown, and which shared secrets could be done without.",
		Long: "Say how long overlaps have to be, and which shared secrets could be done without.\n" +
			"Nothing is changed and nobody is asked: the state has it. docs/reference/advise.md says what is counted.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.advise(cmd.Context()) },
	}
}

func (a *app) advise(ctx context.Context) error {
	cfg, err := a.plainConfig()
	if err != nil {
		return err
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	fleet := advice.NewFleet(
		func(name string) (credential.Policy, bool) {
			p, known := s.world.Policies[name]
			return p, known
		},
		func(provider string) (advice.Kind, bool) { return adapterBehind(cfg, provider) },
	)
	err = s.each(ctx, func(rec credential.Record) error {
		fleet.Add(&rec)
		return nil
	})
	if err != nil {
		return err
	}
	report := fleet.Report()
	if a.json {
		return printJSON(a.out, report)
	}
	a.adviseOverlaps(report)
	return a.adviseSecrets(report.Secrets)
}

// adapterBehind says what stands behind a configured provider: its kind, or its preset.
func adapterBehind(cfg *config.Config, provider string) (advice.Kind, bool) {
	p, ok := cfg.Provider(provider)
	if !ok {
		return advice.Kind{}, false
	}
	kind, ok := kindNamed(p.Kind)
	if !ok {
		return advice.Kind{}, false
	}
	out := advice.Kind{Name: kind.Name, Own: kind.Traits.Unshared, Instead: kind.Traits.Instead}
	out.Keys = slices.Equal(kind.Modes, []string{string(credential.ModeKeySet)})
	if preset, ok := presetBehind(p, kind); ok {
		out.Name, out.Instead = lineOf(kind.Name, preset.Name), preset.Traits.Instead
	}
	return out, true
}

// adviseOverlaps shows what is known of overlaps, and what would be better.
func (a *app) adviseOverlaps(r advice.Report) {
	if len(r.Clients) == 0 {
		_, _ = fmt.Fprintln(a.out, "No rotation has shown yet how long an old secret is needed: name the consumers of a client (consumers:), and let them say")
		_, _ = fmt.Fprintln(a.out, "which version they run on, or let Vault's audit log say it. docs/reference/handshake.md")
		_, _ = fmt.Fprintln(a.out)
		return
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "CLIENT\tCONSUMER\tROTATIONS\tP50\tP95\tOVERLAP\tBETTER")
	for _, c := range r.Clients {
		id, overlap, better := clean(c.ID), spanText(c.Overlap), betterText(c.Overlap, c.Recommended)
		for _, of := range c.Consumers {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", id, consumerText(of.Name), rotationsText(of), spanText(of.P50), spanText(of.P95), overlap, better)
			id, overlap, better = "", "", ""
		}
	}
	_ = w.Flush()
	_, _ = fmt.Fprintln(a.out)
	w = tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "POLICY\tCLIENTS\tROTATIONS\tP50\tP95\tOVERLAP\tBETTER")
	for _, p := range r.Policies {
		better := betterText(p.Overlap, p.Recommended)
		if p.Slowest != "" && better != "" {
			better += " (for " + clean(p.Slowest) + ")"
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%s\t%s\n", clean(p.Name), p.Clients, p.Rotations, spanText(p.P50), spanText(p.P95), spanText(p.Overlap), better)
	}
	_ = w.Flush()
	_, _ = fmt.Fprintln(a.out)
}

func consumerText(name string) string {
	if name == "" {
		return "(any)"
	}
	return clean(name)
}

func rotationsText(c advice.Consumer) string {
	if c.Outlasted == 0 {
		return fmt.Sprint(c.Rotations)
	}
	return fmt.Sprintf("%d, %d longer", c.Rotations, c.Outlasted)
}

// betterText is the overlap that would be better: nothing where the present one is, a dash where too little is known.
func betterText(overlap, recommended advice.Seconds) string {
	switch recommended {
	case 0:
		return "-"
	case overlap:
		return "as it is"
	}
	return spanText(recommended)
}

func spanText(s advice.Seconds) string {
	return credential.FormatDuration(time.Duration(s).Round(time.Minute))
}

// adviseSecrets shows how many secrets two sides know, and what could be in their place.
func (a *app) adviseSecrets(s advice.Secrets) error {
	_, _ = fmt.Fprintf(a.out, "%d shared secrets remain; %d clients have key pairs, %d have values that no provider knows\n", s.Shared, s.KeyPairs, s.Own)
	if s.Unknown > 0 {
		_, _ = fmt.Fprintf(a.out, "%d clients are not counted: their provider is not in the configuration\n", s.Unknown)
	}
	for _, m := range s.Movable {
		names := strings.Join(m.Some, ", ")
		if more := m.Clients - len(m.Some); more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		_, _ = fmt.Fprintf(a.out, "\n%s takes %s instead of %d of them: %s\n    hint: %s\n", m.Kind, m.Method, m.Clients, clean(names), m.How)
	}
	return nil
}
