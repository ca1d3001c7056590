package main

import (
	"fmt"
	"strings"
	"testing"
)

// told is a run of tests as "go test -json" tells it.
func told(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		f := strings.Fields(line)
		fmt.Fprintf(&b, "{\"Action\":%q,\"Package\":\"example.com/providers/%s\",\"Test\":%q}\n", f[0], f[1], strings.Join(f[2:], " "))
	}
	return b.String()
}

func TestCasesAreCountedAndNothingElse(t *testing.T) {
	run := told(
		"run entra TestConformance/InspectChangesNothing", "pass entra TestConformance/InspectChangesNothing",
		"pass entra TestConformance/CreateUnderFaults/a_reset", "pass entra TestConformance/CreateUnderFaults", "pass entra TestConformance",
		"pass entra TestElse/one", "pass entra TestElse",
		"pass http TestPreset/basic/InspectChangesNothing", "fail http TestPreset/basic/CreateUnderFaults", "fail http TestPreset/basic",
		"pass http TestPreset/post/InspectChangesNothing", "pass http TestPreset/post/CreateUnderFaults", "pass http TestPreset/post", "fail http TestPreset",
		"skip jwks TestConformance/InspectChangesNothing",
	)
	var out strings.Builder
	err := report(strings.NewReader(run), &out)
	got := strings.Join(strings.Fields(out.String()), " ")
	if want := "KIND SUITES CASES FAILED entra 1 2 0 http 2 4 1 2 kinds, 3 suites x 2 rules = 6 cases, 1 failed"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if err == nil || !strings.Contains(err.Error(), "1 cases failed") {
		t.Errorf("a failed case: %v", err)
	}
	for name, text := range map[string]string{"no suite": told("pass entra TestElse"), "no JSON": "ok  example.com/providers/entra 0.1s"} {
		if err := report(strings.NewReader(text), &out); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
