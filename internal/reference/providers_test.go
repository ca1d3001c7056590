package reference_test

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/reference"
)

func TestThePageSaysWhatThereIs(t *testing.T) {
	page, err := reference.Providers([]byte(`[
		{"kind": "a-b", "summary": "one | two", "ref": ["id?"], "modes": ["manual"], "evidence": "real-server X 1"},
		{"kind": "c", "presets": [{"name": "d", "modes": ["staged"], "rights": "r", "evidence": "documentation", "needs_allow_unproven": true}]}
	]`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| [a-b](../../providers/ab/README.md) | manual |", "| real-server X 1 |\n", `one \| two`, "| `id?` | - |",
		"| d | staged |", "| documentation, needs `allow_unproven` |\n",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if _, err := reference.Providers([]byte("{")); err == nil {
		t.Error("kinds that are cut off make a page")
	}
}
