package reference

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ProvidersPage is where the page about kinds and presets lies.
const ProvidersPage = "docs/reference/providers.md"

// kind and adapter are as "rotad kinds --json" shows them.
type kind struct {
	Kind    string   `json:"kind"`
	Summary string   `json:"summary"`
	Ref     []string `json:"ref"`
	Fields  []string `json:"fields"`
	adapter
	Presets []preset `json:"presets"`
}

type preset struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	adapter
}

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
	Instead  []string `json:"instead_of_secrets"`
}

const beginning = "# Kinds of providers, and presets\n\n" +
	"Written by `make generate` from `rotad kinds --json`; do not edit. What a kind needs to be told stands in its own page.\n\n" +
	"## What they were proved against\n\n" +
	"| evidence | means |\n|---|---|\n" +
	"| `real-server` | a test in `test/` starts these servers, in these versions, and asks them through the adapter |\n" +
	"| `recorded` | answers that a live system gave are played in the tests |\n" +
	"| `documentation` | written from what the maker publishes, and tested with answers, mostly also a stand-in, made from the same pages. The provider " +
	"is warned of until it says `allow_unproven: true`, and `rotad check --strict` refuses it until then; `rotad add` and `rotad import` take no new client of it but to watch |\n" +
	"| `own` | there is no maker to compare with: a program or a description of your own, or values that rotad makes itself |\n\n" +
	"What documentation leaves out is found by the first who tries. Do it with one client that nobody depends on: `start: approve`,\n" +
	"`rotad check --online`, one rotation, and a look at the provider's own pages. An error that says `not-understood` has lost nothing: the\n" +
	"answer lies in Vault staging.\n\n"

const (
	headOf = "value chosen by | live at once | shows what there is | ends one by its id | shows usage | walks a tenant | evidence |"
	ruleOf = "---|---|---|---|---|---|---|"
)

// Providers returns the page about kinds and presets, from what "rotad kinds --json" says.
func Providers(kinds []byte) ([]byte, error) {
	var all []kind
	if err := json.Unmarshal(kinds, &all); err != nil {
		return nil, fmt.Errorf("reading the kinds: %w", err)
	}
	var page strings.Builder
	page.WriteString(beginning + "## Kinds\n\n| kind | modes | " + headOf + "\n|---|---|" + ruleOf + "\n")
	for _, k := range all {
		fmt.Fprintf(&page, "| [%s](../../providers/%s/README.md) | %s | %s\n", k.Kind, strings.ReplaceAll(k.Kind, "-", ""), strings.Join(k.Modes, ", "), k.row())
	}
	page.WriteString("\n| kind | is for | a client's `ref` | bundle | rights of rotad's own account | instead of a shared secret |\n|---|---|---|---|---|---|\n")
	for _, k := range all {
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s |\n", k.Kind, cell(k.Summary), names(k.Ref), names(k.Fields), cell(k.Rights), names(k.Instead))
	}
	for _, k := range all {
		if len(k.Presets) > 0 {
			page.WriteString(k.presets())
		}
	}
	return []byte(page.String()), nil
}

// presets are the tables of a kind's presets.
func (k kind) presets() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Presets of the kind %s\n\n| preset | mode | %s\n|---|---|%s\n", k.Kind, headOf, ruleOf)
	for _, p := range k.Presets {
		fmt.Fprintf(&b, "| %s | %s | %s\n", p.Name, strings.Join(p.Modes, ", "), p.row())
	}
	b.WriteString("\n| preset | is for | rights of rotad's own account | instead of a shared secret |\n|---|---|---|---|\n")
	for _, p := range k.Presets {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.Name, cell(p.Summary), cell(p.Rights), names(p.Instead))
	}
	return b.String()
}

func (a adapter) row() string {
	evidence := a.Evidence
	if a.Unproven {
		evidence += ", needs `allow_unproven`"
	}
	return fmt.Sprintf("%s | %s | %s | %s | %s | %s | %s |", a.Value, cell(a.Live), yes(a.Lists), yes(a.Revokes), yes(a.Usage), yes(a.Walks), evidence)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// names are names in code spans; a dash where there is none.
func names(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return "`" + strings.Join(list, "` `") + "`"
}

// cell is a text that cannot end a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
