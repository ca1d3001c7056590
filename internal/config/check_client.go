package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rotad/rotad/internal/credential"
)

// maxName bounds ids and names, in bytes: they are keys of the store, labels of metrics and words of a command line.
const maxName = 253

// complaint collects problems of one client, without file and line.
type complaint struct{ problems Problems }

func (c *complaint) add(path, what, hint string) {
	c.problems = append(c.problems, Problem{Path: path, What: what, Hint: hint})
}

func (c *complaint) warn(path, what, hint string) {
	c.problems = append(c.problems, Problem{Path: path, What: what, Hint: hint, Warning: true})
}

// checkClient finds what is wrong with a client whatever the configuration is.
func checkClient(cl *credential.Client) Problems {
	var c complaint
	c.name("id", cl.ID)
	c.required("provider", cl.Provider)
	c.required("owner", cl.Owner)
	c.vaultPath(&cl.Vault)
	c.verify(&cl.Verify)
	for i := range cl.Probes {
		c.probe(fmt.Sprintf("probes[%d]", i), &cl.Probes[i])
	}
	c.destinations(cl.Destinations)
	c.reloads(cl)
	c.consumers(cl.Consumers)
	if cl.Grace < 0 {
		c.add("grace", "is negative", "")
	}
	c.noExpiry(cl)
	if cl.RenamedFrom != "" && cl.RenamedFrom == cl.ID {
		c.add("renamed_from", "is the id itself", "write the former id, or delete the key")
	}
	return c.problems
}

func (c *complaint) required(path, text string) {
	if text == "" {
		c.add(path, "is required", "")
	}
}

// name checks an id or the name of a section.
func (c *complaint) name(path, text string) {
	if text == "" {
		c.add(path, "is required", "")
		return
	}
	if what := nameProblem(text); what != "" {
		c.add(path, what, "letters, digits and . _ - : @ are allowed, a letter or digit first")
	}
}

func nameProblem(text string) string {
	switch {
	case text == "":
		return "is an empty name"
	case len(text) > maxName:
		return fmt.Sprintf("is longer than %d characters", maxName)
	case strings.IndexByte("._-:@", text[0]) >= 0:
		return fmt.Sprintf("%q does not begin with a letter or digit", text)
	}
	for i := range len(text) {
		if !nameByte(text[i]) {
			return fmt.Sprintf("%q has a character that a name cannot have", text)
		}
	}
	return ""
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("._-:@", b) >= 0
}

func (c *complaint) vaultPath(p *credential.VaultPath) {
	if p.Path == "" {
		c.add("vault.path", "is required", "")
	} else if what, hint := vaultPathProblem(p.Path); what != "" {
		c.add("vault.path", what, hint)
	}
	if strings.HasPrefix(p.Path, "data/") {
		c.warn("vault.path", `begins with "data/"`, "KV v2 adds that by itself")
	}
	for _, other := range []struct{ path, text string }{{"vault.mount", p.Mount}, {"vault.namespace", p.Namespace}} {
		if what, hint := vaultPathProblem(other.text); other.text != "" && what != "" {
			c.add(other.path, what, hint)
		}
	}
	c.renamed(p.Fields)
}

// vaultPathProblem says what keeps a text from being a path in Vault that arrives as it was written.
func vaultPathProblem(text string) (what, hint string) {
	for segment := range strings.SplitSeq(text, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Sprintf("%q has an empty or relative part", text), "write a/b, without slashes at the ends"
		}
	}
	if strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) >= 0 {
		return fmt.Sprintf("%q has a space or an unprintable character", text), ""
	}
	return "", ""
}

// renamed checks vault.fields: two fields of a bundle under one name would overwrite each other.
func (c *complaint) renamed(fields map[string]string) {
	if len(fields) == 0 {
		return
	}
	from := map[string]string{}
	for _, field := range sortedKeys(fields) {
		name := fields[field]
		switch other, taken := from[name]; {
		case name == "":
			c.add(joinPath("vault.fields", field), "is an empty name", "")
		case taken:
			c.add(joinPath("vault.fields", field), fmt.Sprintf("has the name of %q", other), "give each field a name of its own")
		}
		from[name] = field
	}
}

func (c *complaint) verify(v *credential.VerifySettings) {
	methods := []string{"auto", "client_credentials", "introspection", "auth_code"}
	c.oneOf("verify.method", string(v.Method), methods)
	c.oneOf("verify.auth", v.Auth, []string{"basic", "post"})
	if v.Successes < 0 {
		c.add("verify.successes", "is negative", "")
	}
	if v.Interval < 0 || v.Deadline < 0 {
		c.add("verify", "has a negative duration", "")
	}
	full := v.WithDefaults()
	if float64(full.Successes-1)*float64(full.Interval) >= float64(full.Deadline) && full.Deadline > 0 {
		c.add("verify.deadline", fmt.Sprintf("%d successes every %s do not fit into it", full.Successes,
			credential.FormatDuration(full.Interval)), "raise deadline, or lower successes or interval")
	}
}

func (c *complaint) oneOf(path, word string, known []string) {
	if word != "" && !slices.Contains(known, word) {
		c.add(path, fmt.Sprintf("%q is not one of %s", word, strings.Join(known, ", ")), suggestOnly(word, known))
	}
}

func (c *complaint) probe(path string, p *credential.Probe) {
	if p.URL == "" {
		c.add(path+".url", "is required", "")
	} else if what, hint := formatProblem("probe", p.URL); what != "" {
		c.add(path+".url", what, hint)
	}
	if p.Expect != 0 && (p.Expect < 100 || p.Expect > 599) {
		c.add(path+".expect", fmt.Sprintf("%d is not an HTTP status", p.Expect), "they go from 100 to 599")
	}
}
