package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// checkProvider asks a provider what rotad's account may do there. Where rotad only watches, what stands against a rotation is
// only worth knowing.
func (a *app) checkProvider(
	ctx context.Context, p config.Provider, provider providers.Provider, held rotation.Vault, cfg *config.Config,
) (bad int) {
	where, watching := "provider "+p.Name, watchesOnly(cfg)
	rights, unknown := a.rights(ctx, p, provider, held, cfg)
	findings, checked := a.findings(ctx, provider)
	missing := slices.ContainsFunc(rights, providers.Right.Missing)
	bad = a.unexplained(where, findings, missing, watching)
	for _, g := range grouped(rights) {
		bad += a.right(where, g, watching)
	}
	if unknown != nil && providers.ClassOf(unknown) != providers.ClassUnsupported && bad == 0 {
		a.finding(where, false, "its rights could not be read: "+unknown.Error(), "needed are: "+leastRights(p))
	}
	if len(findings) == 0 && !missing && checked {
		_, _ = fmt.Fprintf(a.out, "%s: ok%s\n", where, summed(p, rights, unknown))
	}
	return bad
}

// unexplained says what a check found, but for what a missing right explains: that is said by its name.
func (a *app) unexplained(where string, findings []providers.Finding, missing, watching bool) (bad int) {
	for _, f := range findings {
		switch {
		case f.Refused && missing:
		case f.Rotation && watching:
			a.finding(where, false, enoughToWatch, "to rotate: "+f.Hint)
		default:
			bad += a.finding(where, f.Problem, f.What, f.Hint)
		}
	}
	return bad
}

// summed says in a few words which rights were found, or why that is all that is known.
func summed(p config.Provider, rights []providers.Right, unknown error) string {
	switch names, least := heldOf(rights), leastRights(p); {
	case unknown == nil && len(names) > 0:
		return "; its rights: " + some(names)
	case unknown != nil && least != "":
		return "; which rights it has cannot be read here, needed are: " + least + why(unknown)
	}
	return ""
}

// why is what stands against reading the rights, in the kind's own words; empty = the kind reads none.
func why(unknown error) string {
	if e, ok := errors.AsType[*providers.Error](unknown); ok && e.Err != nil {
		return " (" + clean(e.Err.Error()) + ")"
	}
	return ""
}

func (a *app) findings(ctx context.Context, p providers.Provider) (findings []providers.Finding, checked bool) {
	checker, ok := providers.AsChecker(p)
	if !ok {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	return checker.Check(ctx), true
}

// errNoReader is why the rights of an account are not known: its kind has nothing that says.
var errNoReader = &providers.Error{Class: providers.ClassUnsupported, Operation: "rights"}

// rights reads the rights of rotad's account, at all of the provider's clients in the configuration.
func (a *app) rights(
	ctx context.Context, p config.Provider, provider providers.Provider, held rotation.Vault, cfg *config.Config,
) ([]providers.Right, error) {
	reader, ok := providers.AsRightsReader(provider)
	if !ok {
		return nil, errNoReader
	}
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	var clients []providers.Target
	for _, c := range cfg.Clients {
		if c.Provider == p.Name {
			clients = append(clients, rotation.Target(held, c, ""))
		}
	}
	return reader.Rights(ctx, clients)
}

// group are rights of which the same has to be said.
type group struct {
	providers.Right
	names, clients []string
}

// grouped puts rights together that differ by nothing but their names, and then those that differ by nothing but their clients: a
// policy that is too wide by two words for a thousand clients is one line, with the command for the first of them. What is needed
// and held is left out.
func grouped(rights []providers.Right) []group {
	var atOnce, all []group
	named, placed := map[string]int{}, map[string]int{}
	for _, r := range rights {
		if !r.Missing() && !r.TooWide() {
			continue
		}
		key := strings.Join([]string{string(r.Need), r.Why, r.Change, r.Client}, "\x00")
		i, seen := named[key]
		if !seen {
			i, named[key] = len(atOnce), len(atOnce)
			atOnce = append(atOnce, group{Right: r, clients: with(nil, r.Client)})
		}
		atOnce[i].names = with(atOnce[i].names, r.Name)
	}
	for _, g := range atOnce {
		key := strings.Join(append(slices.Clone(g.names), string(g.Need), g.Why), "\x00")
		if g.Client == "" {
			key += "\x00" + g.Change
		}
		i, seen := placed[key]
		if !seen {
			placed[key] = len(all)
			all = append(all, g)
			continue
		}
		all[i].clients = append(all[i].clients, g.clients...)
	}
	return all
}

func with(list []string, name string) []string {
	if name == "" || slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// maxNamed is how many names one line of a finding has; the others are counted.
const maxNamed = 10

func some(names []string) string {
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}

// right says of one group what is missing, or what is too wide, and what to do.
func (a *app) right(where string, g group, watching bool) int {
	at := ""
	if len(g.clients) > 0 {
		at = " at " + some(g.clients)
	}
	if g.TooWide() {
		return a.finding(where, false, fmt.Sprintf("right too wide: %s%s (%s)", some(g.names), at, g.Why), g.Change)
	}
	if watching && g.Need == providers.NeedRotate {
		return a.finding(where, false, enoughToWatch, "to rotate: "+g.Change)
	}
	return a.finding(where, true, fmt.Sprintf("right missing: %s%s (%s)", some(g.names), at, g.Why), g.Change)
}

// heldOf are the names of the needed rights that are held by the whole account.
func heldOf(rights []providers.Right) (names []string) {
	for _, r := range rights {
		if r.Held && r.Need != providers.NeedNone && r.Client == "" {
			names = with(names, r.Name)
		}
	}
	return names
}

// leastRights are the rights that a provider's kind, or its preset, asks for.
func leastRights(p config.Provider) string {
	kind, ok := kindNamed(p.Kind)
	if !ok {
		return ""
	}
	if preset, ok := presetBehind(p, kind); ok {
		return preset.Rights
	}
	return kind.Rights
}

// presetBehind returns the preset that a provider stands on; false = its description is its own, or its kind has no presets.
func presetBehind(p config.Provider, kind providers.Kind) (providers.Preset, bool) {
	described, ok := p.Settings.(interface{ Described() string })
	if !ok {
		return providers.Preset{}, false
	}
	i := slices.IndexFunc(kind.Presets, func(preset providers.Preset) bool { return preset.Name == described.Described() })
	if i < 0 {
		return providers.Preset{}, false
	}
	return kind.Presets[i], true
}
