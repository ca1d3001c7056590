package exec

import (
	"context"
	"fmt"
	"slices"

	"github.com/rotad/rotad/providers"
)

// needed are the operations that no program can do without.
var needed = []string{opDescribe, opInspect, opCreate, opVerify}

// Check implements providers.Checker: the program says what it is, and whether its own credential suffices.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, got, _, err := p.ask(ctx, call{Operation: opDescribe})
	switch {
	case err != nil:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "run the program by hand with a call on stdin; docs/reference/exec.md shows one"}}
	case got.Describe == nil:
		return []providers.Finding{{Problem: true, What: "describe: " + errNoMember.Error(), Hint: "reply with {\"protocol\": 1, \"describe\": {...}}"}}
	}
	findings := missing(got.Describe.Operations)
	if !slices.Contains(got.Describe.Operations, opCheck) {
		return findings
	}
	r, got, _, err := p.ask(ctx, call{Operation: opCheck})
	switch {
	case err != nil:
		return append(findings, providers.Finding{Problem: true, What: err.Error(), Hint: "see what the program wrote to stderr"})
	case got.Findings == nil:
		return append(findings, providers.Finding{Problem: true, What: "check: " + errNoMember.Error(), Hint: "reply with \"findings\", an empty list if all is well"})
	}
	for _, f := range *got.Findings {
		findings = append(findings, providers.Finding{
			Problem: f.Problem, Rotation: f.Rotation, What: r.message(f.What), Hint: r.message(f.Hint),
		})
	}
	return findings
}

func missing(offered []string) (findings []providers.Finding) {
	for _, operation := range needed {
		if !slices.Contains(offered, operation) {
			findings = append(findings, providers.Finding{
				Problem: true, What: fmt.Sprintf("the program does not offer the operation %s", operation),
				Hint: "describe lists what it offers",
			})
		}
	}
	if !slices.Contains(offered, opRevoke) {
		findings = append(findings, providers.Finding{
			What: "the program does not offer revoke: old secrets stay until the provider or a person ends them",
			Hint: "in mode two-slot offer revoke; in the others it is not needed",
		})
	}
	return findings
}
