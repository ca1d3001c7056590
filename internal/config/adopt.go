package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// AdoptRule says which clients of a tenant are registered, and how. Rules are tried in their order; the first whose match
// fits decides.
type AdoptRule struct {
	// Match is what a client must have: every key that is written.
	Match AdoptMatch `yaml:"match"`
	// Ignore leaves what matches alone; then nothing else is written.
	Ignore bool `yaml:"ignore"`
	// ID of the client: {name} and {client_id} stand for what the provider says.
	ID string `yaml:"id" default:"{name}"`
	// Owner is the name of the team that answers for it.
	Owner string `yaml:"owner"`
	// Policy is the name of its policy: one with start: observe or approve, unless rotate is true.
	Policy string `yaml:"policy" default:"default"`
	// Rotate permits a policy that rotates by itself: then the daemon may begin as soon as it has been reloaded.
	Rotate bool `yaml:"rotate"`
	// Vault is where consumers read the bundle; {id}, {name} and {client_id} in its path stand for what they say.
	Vault *vaultPathSettings `yaml:"vault"`
	// Labels are free text for people.
	Labels map[string]string `yaml:"labels"`

	source string // "file:line"
}

// AdoptMatch is what a client must have, by patterns: * is any text, ? any character.
type AdoptMatch struct {
	// Name of the client at the provider; of one that has none there, its client id.
	Name string `yaml:"name"`
	// Tag is one of its tags.
	Tag string `yaml:"tag"`
	// Owner is one of its owners, as the provider knows them.
	Owner string `yaml:"owner"`
}

// Candidate is a client of a tenant, as rules see it.
type Candidate struct {
	Provider string // name of the configured provider
	Ref      credential.Ref
	Name     string // at the provider; empty = it has none, and {name} stands for its client id
	ClientID string
	Tags     []string
	Owners   []string
}

// LoadAdoptRules reads a file of rules and finds every mistake in one run, also those against the configuration: a name that
// it does not have, a policy that would rotate what nobody has looked at.
func (c *Config) LoadAdoptRules(file string) ([]AdoptRule, Problems) {
	s, d := newSink(), newDecoder()
	at, ok := parseFile(s, file)
	if !ok {
		return nil, s.problems.sorted()
	}
	var content struct {
		Rules block `yaml:"rules"`
	}
	d.structs(at, reflectElem(&content))
	var entries []block
	if list := content.Rules.scope; isNull(list.node) {
		at.child("rules").report("is required", "write a list of rules")
	} else {
		d.value(list, reflectElem(&entries), field{})
	}
	rules := make([]AdoptRule, 0, len(entries))
	for _, entry := range entries {
		rule := AdoptRule{source: fmt.Sprintf("%s:%d", entry.scope.file, entry.scope.line)}
		d.structs(entry.scope, reflectElem(&rule))
		c.checkRule(entry.scope, rule)
		rules = append(rules, rule)
	}
	return rules, s.problems.sorted()
}

func (c *Config) checkRule(at scope, r AdoptRule) {
	if r.Match == (AdoptMatch{}) {
		at.child("match").report("is required", `write name, tag or owner; name: "*" matches every client`)
	}
	if r.Ignore {
		return
	}
	if r.Owner == "" {
		at.child("owner").report("is required", suggest("", sortedKeys(c.Owners)))
	} else if _, ok := c.Owners[r.Owner]; !ok {
		at.child("owner").report(fmt.Sprintf("there is no owner %q", r.Owner), suggest(r.Owner, sortedKeys(c.Owners)))
	}
	policy, ok := c.Policies[r.Policy]
	switch {
	case !ok:
		at.child("policy").report(fmt.Sprintf("there is no policy %q", r.Policy), suggest(r.Policy, sortedKeys(c.Policies)))
	case !r.Rotate && policy.Start != credential.StartObserve && policy.Start != credential.StartApprove:
		at.child("policy").report(fmt.Sprintf("the policy %q rotates by itself, and adopting must not rotate", r.Policy),
			"name a policy with start: observe, or write rotate: true")
	}
	checkFilled(at.child("id"), r.ID, "id", "name", "client_id")
	if r.Vault == nil {
		at.child("vault").report("is required", `write {path: "apps/{id}/oidc"}, as your consumers read it`)
	} else if r.Vault.Path != "" {
		checkFilled(at.child("vault").child("path"), r.Vault.Path, "path", "id", "name", "client_id")
	}
}

// checkFilled reports a text that would be the same for every client, or has a placeholder that nothing is put in place of.
func checkFilled(at scope, text, what string, known ...string) {
	write := "write one of {" + strings.Join(known, "}, {") + "} in it"
	parts := strings.Split(text, "{")[1:]
	if len(parts) == 0 {
		at.report("gives every client the same "+what, write)
	}
	for _, part := range parts {
		if name, _, closed := strings.Cut(part, "}"); !closed || !slices.Contains(known, name) {
			at.report(fmt.Sprintf("has {%s}, which stands for nothing here", name), write)
			return
		}
	}
}

// Source returns where the rule stands, as "file:line".
func (r AdoptRule) Source() string { return r.source }

// Decide returns the first rule that a client fits; ok is false where none does.
func Decide(rules []AdoptRule, c Candidate) (rule AdoptRule, ok bool) {
	for _, r := range rules {
		if r.Match.fits(c) {
			return r, true
		}
	}
	return AdoptRule{}, false
}

func (m AdoptMatch) fits(c Candidate) bool {
	one := func(pattern string, of []string) bool {
		if pattern == "" {
			return true
		}
		for _, text := range of {
			if glob(pattern, text) {
				return true
			}
		}
		return false
	}
	return one(m.Name, []string{cmp.Or(c.Name, c.ClientID)}) && one(m.Tag, c.Tags) && one(m.Owner, c.Owners)
}

// glob says whether a text fits a pattern in which * is any text and ? any character. Case does not count: providers keep
// names as people type them.
func glob(pattern, text string) bool {
	p, t := []rune(strings.ToLower(pattern)), []rune(strings.ToLower(text))
	star, mark, i, j := -1, 0, 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// Entry makes the client that a rule registers, and the line by which a configuration holds it. Problems are those of
// CheckClient: the configuration could not take it.
func (c *Config) Entry(r AdoptRule, of Candidate) (client credential.Client, line []byte, problems Problems) {
	name := cmp.Or(of.Name, of.ClientID)
	plain := strings.NewReplacer("{name}", word(name), "{client_id}", word(of.ClientID))
	settings := clientSettings{ID: plain.Replace(r.ID), Provider: of.Provider, Ref: of.Ref, Owner: r.Owner, Policy: r.Policy, Vault: *r.Vault, Labels: r.Labels}
	settings.Vault.Path = plain.Replace(strings.ReplaceAll(r.Vault.Path, "{id}", settings.ID))
	client = c.WithDefaults(settings.client(r.source))
	problems = c.CheckClient(client)
	line, err := json.Marshal(settings.written())
	if err != nil {
		problems = append(problems, Problem{What: "cannot be written: " + err.Error()})
	}
	return client, line, problems
}

// written is an entry as it stands in a file: JSON, which is YAML as well, with nothing that means its default.
func (c *clientSettings) written() any {
	type place struct {
		Path      string            `json:"path"`
		Mount     string            `json:"mount,omitempty"`
		Namespace string            `json:"namespace,omitempty"`
		Fields    map[string]string `json:"fields,omitempty"`
	}
	return struct {
		ID       string            `json:"id"`
		Provider string            `json:"provider"`
		Ref      map[string]string `json:"ref"`
		Owner    string            `json:"owner"`
		Policy   string            `json:"policy"`
		Vault    place             `json:"vault"`
		Labels   map[string]string `json:"labels,omitempty"`
	}{c.ID, c.Provider, c.Ref, c.Owner, c.Policy, place(c.Vault), c.Labels}
}

// word makes a name of what a provider calls a client: what a name cannot have becomes a dash.
func word(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80 && nameByte(byte(r)): //nolint:gosec // it fits
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "._-:@")
}
