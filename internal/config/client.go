package config

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// clientSettings is a client as it is written, in YAML as well as in JSON.
type clientSettings struct {
	// ID of the client, unique over all sources.
	ID string `yaml:"id" json:"id" required:"true"`
	// Provider is the name of the configured provider.
	Provider string `yaml:"provider" json:"provider" required:"true"`
	// Ref is what the provider calls the client; its fields belong to the provider's kind.
	Ref map[string]string `yaml:"ref" json:"ref"`
	// Owner is the name of the team that answers for it.
	Owner string `yaml:"owner" json:"owner" required:"true"`
	// Policy is the name of its policy.
	Policy string `yaml:"policy" json:"policy" implied:"default"`
	// Vault is where consumers read the bundle.
	Vault vaultPathSettings `yaml:"vault" json:"vault"`
	// Verify says how a secret is proved.
	Verify verifySettings `yaml:"verify" json:"verify"`
	// Probes are asked after a promote; one that fails blocks the revoke.
	Probes []probeSettings `yaml:"probes" json:"probes"`
	// Destinations are further places that get a copy of what is published, for consumers that do not read Vault.
	Destinations []destinationSettings `yaml:"destinations" json:"destinations"`
	// Reload is how consumers take a new secret that has been published.
	Reload reloadSettings `yaml:"reload" json:"reload"`
	// Consumers are services that say which version of the bundle they run on. A policy whose overlap_ends is moved keeps the
	// old secret until they have.
	Consumers []consumerSettings `yaml:"consumers" json:"consumers"`
	// Expires is the expiry of the current secret where the provider does not say it: a date or an RFC 3339 time.
	Expires date `yaml:"expires" json:"expires"`
	// NoExpiry is who wants that the secret never expires; without it nobody has said so.
	NoExpiry *noExpirySettings `yaml:"no_expiry" json:"no_expiry"`
	// CurrentID is the id at the provider of the secret that is now in Vault, where a person knows it.
	CurrentID string `yaml:"current_id" json:"current_id"`
	// AllowCutover permits a rotation without overlap, where the provider knows no other.
	AllowCutover bool `yaml:"allow_cutover" json:"allow_cutover" implied:"false"`
	// Bootstrap permits to make the first secret when Vault has none.
	Bootstrap bool `yaml:"bootstrap" json:"bootstrap" implied:"false"`
	// Grace is how long the provider keeps the previous secret, where it cannot be read from it; 0 = not known.
	Grace span `yaml:"grace" json:"grace" implied:"0s"`
	// KeepRetired keeps the Vault version of a retired secret, which is destroyed otherwise.
	KeepRetired bool `yaml:"keep_retired" json:"keep_retired" implied:"false"`
	// RenamedFrom is the former id: the record moves with its history.
	RenamedFrom string `yaml:"renamed_from" json:"renamed_from"`
	// Labels are free text for people.
	Labels map[string]string `yaml:"labels" json:"labels"`
}

// vaultPathSettings is a place in Vault as it is written.
type vaultPathSettings struct {
	// Path below the mount, without "data/".
	Path string `yaml:"path" json:"path" required:"true"`
	// Mount of the KV v2 engine; not written = vault.mount.
	Mount string `yaml:"mount" json:"mount"`
	// Namespace of the mount; not written = vault.namespace.
	Namespace string `yaml:"namespace" json:"namespace"`
	// Fields renames fields of the bundle, for example {client_secret: OIDC_SECRET}.
	Fields map[string]string `yaml:"fields" json:"fields"`
}

// noExpirySettings are a person's word that a secret is not to expire, as it is written.
type noExpirySettings struct {
	// AcknowledgedBy is the person who answers for it.
	AcknowledgedBy string `yaml:"acknowledged_by" json:"acknowledged_by" required:"true"`
	// Reason is why.
	Reason string `yaml:"reason" json:"reason" required:"true"`
	// Until is the date on which somebody has to say so again, two years ahead at the most.
	Until date `yaml:"until" json:"until" required:"true"`
}

// verifySettings are how a secret is proved, as it is written.
type verifySettings struct {
	// Method asks the token endpoint: auto lets the kind choose.
	Method string `yaml:"method" json:"method" implied:"auto" enum:"auto,client_credentials,introspection,auth_code"`
	// Auth is where the secret stands in the request: basic (the Authorization header) or post (the form).
	Auth string `yaml:"auth" json:"auth" implied:"basic" enum:"basic,post"`
	// Scope that is asked for; empty = none.
	Scope string `yaml:"scope" json:"scope"`
	// Successes in a row that prove a new secret; 0 = 3.
	Successes int `yaml:"successes" json:"successes" implied:"3"`
	// Interval between two tries; 0 = 2s.
	Interval span `yaml:"interval" json:"interval" implied:"2s"`
	// Deadline after which a person is called; 0 = 15m.
	Deadline span `yaml:"deadline" json:"deadline" implied:"15m"`
}

// probeSettings is a request to a consumer, as it is written.
type probeSettings struct {
	// URL that is asked by GET.
	URL string `yaml:"url" json:"url" required:"true" format:"probe"`
	// Expect is the HTTP status that the answer must have.
	Expect int `yaml:"expect" json:"expect" implied:"200"`
}

// span is a duration that JSON writes as text, like YAML.
type span time.Duration

// UnmarshalText reads a duration; a bare number has no unit and is refused.
func (s *span) UnmarshalText(text []byte) error {
	d, err := parseSpan(string(text))
	*s = span(d)
	return err
}

// date is a time that may be written as a day.
type date time.Time

// UnmarshalText reads a date (midnight UTC) or an RFC 3339 time.
func (d *date) UnmarshalText(text []byte) error {
	t, err := parseDate(string(text))
	*d = date(t)
	return err
}

// client converts what is written. What is not written stays zero, which means the implied default: a client takes the
// same form from YAML and from JSON, and a record in the store carries no more than people said.
func (c *clientSettings) client(source string) credential.Client {
	return credential.Client{
		ID: c.ID, Provider: c.Provider, Ref: c.Ref, Owner: c.Owner, Policy: c.Policy,
		Vault: credential.VaultPath{
			Namespace: c.Vault.Namespace, Mount: c.Vault.Mount, Path: c.Vault.Path, Fields: c.Vault.Fields,
		},
		Verify: credential.VerifySettings{
			Method: credential.VerifyMethod(c.Verify.Method), Auth: c.Verify.Auth, Scope: c.Verify.Scope,
			Successes: c.Verify.Successes, Interval: time.Duration(c.Verify.Interval),
			Deadline: time.Duration(c.Verify.Deadline),
		},
		Probes: c.probes(), Destinations: c.destinations(), Reloads: c.reloads(), Stagger: time.Duration(c.Reload.Stagger), Consumers: c.consumers(), Expires: time.Time(c.Expires), CurrentID: c.CurrentID, AllowCut: c.AllowCutover,
		NoExpiry: c.NoExpiry.word(), Bootstrap: c.Bootstrap, Grace: time.Duration(c.Grace), KeepRetired: c.KeepRetired,
		RenamedFrom: c.RenamedFrom, Labels: c.Labels, Source: source,
	}
}

func (n *noExpirySettings) word() credential.NoExpiry {
	if n == nil {
		return credential.NoExpiry{}
	}
	return credential.NoExpiry{By: n.AcknowledgedBy, Reason: n.Reason, Until: time.Time(n.Until)}
}

func (c *clientSettings) probes() []credential.Probe {
	var out []credential.Probe
	for _, p := range c.Probes {
		out = append(out, credential.Probe{URL: p.URL, Expect: p.Expect})
	}
	return out
}
