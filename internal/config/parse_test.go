package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/config"
)

// What is not YAML is found where it stands, or where it begins: never behind the end of the file.
func TestBrokenYAMLIsFoundWithinTheFile(t *testing.T) {
	const above = ", the mistake is here or in the line above"
	for what, c := range map[string]struct {
		text string
		want string // the end of the problem, behind the name of the file
	}{
		"a line that is indented too far is noticed": {
			"vault:\n  address: x\n   mount: y\n  path: z\n", ":3: is not YAML: mapping values are not allowed in this context" + above,
		},
		"a continued text is noticed one line late": {
			"owners:\n  team\n  email: x\n", ":3: is not YAML: mapping values are not allowed in this context" + above,
		},
		"a line that is not indented enough": {
			"vault:\n   address: x\n  mount: y\n", ":3: is not YAML: did not find expected key while parsing a block mapping" + above,
		},
		"the first line has none above it": {
			"vault: address: x\n", ":1: is not YAML: mapping values are not allowed in this context",
		},
		"a list without its end": {
			"state: x\ninclude: [a,\n  b\n\n\n", ":2: is not YAML: did not find expected ',' or ']' while parsing a flow sequence, what begins here does not end",
		},
		"a list without its end, and without the end of the last line": {
			"include: [a, b", ":1: is not YAML: did not find expected ',' or ']' while parsing a flow sequence, what begins here does not end",
		},
		"a list that ends with the file": {
			"state: x\ninclude: [\n", ":2: is not YAML: did not find expected node content while parsing a flow node",
		},
		"a quoted text without its end": {
			"state: \"x\nscan: 1\n", ":1: is not YAML: found unexpected end of stream while scanning a quoted scalar, what begins here does not end",
		},
		"a line without a colon at the end": {
			"state: |\n x\ny\n", ":3: is not YAML: could not find expected ':' while scanning a simple key",
		},
		"an alias may be a password that was not quoted": {
			"state: x\npublic_url: *hunter2\n", ":2: is not YAML: an alias (*) names no anchor (&)",
		},
	} {
		t.Run(what, func(t *testing.T) {
			file := write(t, filepath.Join(t.TempDir(), "config.yaml"), c.text)
			_, problems := config.Load(file, kinds())
			if got := strings.TrimPrefix(problems.String(), file); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
