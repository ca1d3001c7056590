package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Config is a configuration without errors: plain data, with every default filled in.
type Config struct {
	File      string // where it was read from
	State     State
	Scan      string // see Schedule
	Listen    Listen
	Vault     Vault
	Vaults    map[string]VaultServer // further ones, by name
	SMTP      *SMTP                  // nil = nobody is told anything by mail
	Channels  []Channel              // sorted by name
	Admins    Admins
	Handshake Handshake
	Publish   Publish
	PublicURL string
	Templates string // directory; empty = none
	Metrics   Metrics
	Log       Log
	Runtime   Runtime
	Providers []Provider // sorted by name
	Policies  map[string]credential.Policy
	Owners    map[string]Owner
	Clients   []credential.Client // in the order they are written; Source is "file:line"

	copied map[string]string // the Key of a path in rotad's own Vault to the client that has a destination there

	now func() time.Time // see At; nil = how far away a date is does not matter
	own []ownLogin       // what rotad itself logs in with
}

// Provider is a configured connection to an identity provider.
type Provider struct {
	Name        string
	Kind        string
	Settings    any               // what Kind.Settings returned, decoded and validated; nil if the kind has none
	Deadline    time.Duration     // of a create; 0 = the kind's default
	Propagation time.Duration     // until a change is seen everywhere; 0 = the kind's default
	Headers     map[string]string // added to every request
	Limits      Limits
	Pace        credential.Pace // what may begin at once, and on one day
	Ref         []string        // fields of a client's ref, as in Kind.Ref
	Fields      []string        // fields of the bundle, as in Kind.Fields
	Secret      Secrets         // reads the secrets among Settings
	Source      string          // "file:line"

	// Unproven names what its block stands on where that is documentation alone and nobody has said allow_unproven; empty = it was
	// proved, or somebody has. What was registered before goes on; nothing new is taken that could rotate.
	Unproven string
}

// Provider returns the provider of this name.
func (c *Config) Provider(name string) (Provider, bool) {
	i, ok := slices.BinarySearchFunc(c.Providers, name, func(p Provider, name string) int {
		return strings.Compare(p.Name, name)
	})
	if !ok {
		return Provider{}, false
	}
	return c.Providers[i], true
}

// Unasked says why a provider may get no new client under a policy: it stands on documentation alone, nobody has allowed it, and the
// policy does more than watch, so that this client would be the first whose secret it rotates. ok is false where nothing stands against
// it. What is configured or registered already goes on.
func (c *Config) Unasked(provider, policy string) (what, hint string, ok bool) {
	p, _ := c.Provider(provider)
	if p.Unproven == "" || c.Policies[policy].OnlyWatches() {
		return "", "", false
	}
	return p.Unproven + unmet + ", and nobody has allowed it",
		"in the block of " + p.Name + " " + hintUnproven + "; or choose a policy with start: observe", true
}

// WithDefaults fills in what a client leaves to the configuration: its policy, and the mount and namespace of its
// path and of its destinations in Vaults, so that (namespace, mount, path) can be compared. What rotad itself logs in with gets
// it as its first consumer.
func (c *Config) WithDefaults(client credential.Client) credential.Client {
	if client.Policy == "" {
		client.Policy = DefaultPolicy
	}
	if client.Vault.Mount == "" {
		client.Vault.Mount = c.Vault.Mount
	}
	if client.Vault.Namespace == "" {
		client.Vault.Namespace = c.Vault.Namespace
	}
	if p, ok := c.Provider(client.Provider); ok {
		client.Vault.Fields = withFields(client.Vault.Fields, p.Fields)
	}
	client.Destinations = c.withVaults(client.Destinations)
	client.Reloads = c.withLogins(client)
	return client
}

// withFields names the fields of a kind's bundle that are not among the usual ones: others may stand beside a bundle under such names,
// so Vault's reader takes them for a part of it only where it is told.
func withFields(named map[string]string, fields []string) map[string]string {
	out := named
	for _, field := range fields {
		if _, ok := named[field]; ok || slices.Contains(credential.UsualFields(), field) {
			continue
		}
		if len(out) == len(named) {
			out = map[string]string{}
			maps.Copy(out, named)
		}
		out[field] = field
	}
	return out
}

// CheckClient finds what is wrong with a client, in itself and against this configuration: names that do not exist,
// fields that the provider's kind does not have. Paths are relative to the client; file and line are empty. Whether
// it is registered twice is another question, which an Index answers.
func (c *Config) CheckClient(client credential.Client) Problems {
	found := complaint{problems: checkClient(&client)}
	if _, ok := c.Owners[client.Owner]; !ok && client.Owner != "" {
		found.unknown("owner", client.Owner, slices.Collect(maps.Keys(c.Owners)))
	}
	found.noExpiryEnds(client.NoExpiry, c.now)
	full := c.WithDefaults(client)
	if _, ok := c.Policies[full.Policy]; !ok {
		found.unknown("policy", full.Policy, slices.Collect(maps.Keys(c.Policies)))
	}
	found.staging(c.Vault, full.Vault)
	found.vaults(c, &full)
	found.seen(client.Consumers, c.Vault.AuditLog)
	c.logins(&found, full)
	if provider, ok := c.Provider(client.Provider); ok {
		found.ref(client.Ref, provider)
		found.bundle(client.Vault.Fields, provider)
		found.copied(client.Destinations, provider)
		found.awaited(&full, c.Policies[full.Policy])
	} else if client.Provider != "" {
		found.unknown("provider", client.Provider, c.providerNames())
	}
	return found.problems
}

func (c *Config) providerNames() []string {
	names := make([]string, len(c.Providers))
	for i, p := range c.Providers {
		names[i] = p.Name
	}
	return names
}

func (c *complaint) unknown(sort, name string, known []string) {
	hint := suggest(name, known)
	if hint == "" {
		hint = "it is not among those that the configuration names"
	}
	c.add(sort, fmt.Sprintf("there is no %s %q", sort, name), hint)
}

// staging refuses a consumer path among rotad's own: the rights of consumers must not reach staging.
func (c *complaint) staging(v Vault, p credential.VaultPath) {
	if v.stages(p) {
		c.add("vault.path", fmt.Sprintf("lies in the staging path %q", v.Staging),
			"consumers must not be able to read staging")
	}
}

func (c *complaint) ref(ref credential.Ref, p Provider) {
	if len(p.Ref) == 0 {
		return
	}
	var known []string
	if len(ref) == 0 && !slices.ContainsFunc(p.Ref, func(name string) bool { return !strings.HasSuffix(name, "?") }) {
		c.add("ref", "is required", "write one of "+strings.ReplaceAll(strings.Join(p.Ref, ", "), "?", ""))
	}
	for _, name := range p.Ref {
		bare, optional := strings.CutSuffix(name, "?")
		known = append(known, bare)
		if _, written := ref[bare]; !written && !optional {
			c.add(joinPath("ref", bare), "is required", fmt.Sprintf("the kind %s finds clients by it", p.Kind))
		}
	}
	for _, name := range sortedKeys(ref) {
		switch {
		case !slices.Contains(known, name):
			c.add(joinPath("ref", name), fmt.Sprintf("the kind %s has no such field", p.Kind), suggest(name, known))
		case ref[name] == "":
			c.add(joinPath("ref", name), "is empty", "")
		}
	}
}

func (c *complaint) bundle(fields map[string]string, p Provider) {
	if len(p.Fields) == 0 {
		return
	}
	for _, name := range sortedKeys(fields) {
		if !slices.Contains(p.Fields, name) {
			c.add(joinPath("vault.fields", name), fmt.Sprintf("bundles of the kind %s have no such field", p.Kind),
				suggest(name, p.Fields))
		}
	}
}

// copied finds files that are to hold a field which the bundle does not have.
func (c *complaint) copied(list []credential.Destination, p Provider) {
	for i, d := range list {
		if d.File == nil || d.File.Format != credential.FileRaw && d.File.Format != "" || len(p.Fields) == 0 {
			continue
		}
		field := cmp.Or(d.File.Field, credential.FieldClientSecret)
		if bare := strings.ReplaceAll(strings.Join(p.Fields, " "), "?", ""); !slices.Contains(strings.Fields(bare), field) {
			c.add(fmt.Sprintf("destinations[%d].file.field", i), fmt.Sprintf("bundles of the kind %s have no field %s", p.Kind, field), suggest(field, p.Fields))
		}
	}
}

func sortedKeys[M ~map[string]V, V any](m M) []string { return slices.Sorted(maps.Keys(m)) }
