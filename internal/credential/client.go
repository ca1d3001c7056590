package credential

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Client is what someone registered: an id, a provider and a reference in it, an owner, a policy, a Vault path.
type Client struct {
	ID           string            `json:"id"`
	Provider     string            `json:"provider"`               // name of the configured provider
	Ref          Ref               `json:"ref,omitzero"`           // what the provider calls it
	Owner        string            `json:"owner"`                  // name of the owner
	Policy       string            `json:"policy"`                 // name of the policy
	Vault        VaultPath         `json:"vault,omitzero"`         // where consumers read the bundle
	Verify       VerifySettings    `json:"verify,omitzero"`        // how a secret is proved
	Probes       []Probe           `json:"probes,omitempty"`       // asked after promote; a failing one blocks the revoke
	Expires      time.Time         `json:"expires,omitzero"`       // expiry that a person states; zero = the provider says it
	NoExpiry     NoExpiry          `json:"no_expiry,omitzero"`     // who wants a secret that never expires; zero = nobody has said so
	CurrentID    string            `json:"current_id,omitempty"`   // id of the secret now in Vault, where a person knows it
	AllowCut     bool              `json:"allow_cutover,omitzero"` // a rotation without overlap is permitted
	Bootstrap    bool              `json:"bootstrap,omitzero"`     // the first secret may be made when Vault has none
	Grace        time.Duration     `json:"grace,omitzero"`         // grace that the provider grants, where it cannot be read; 0 = unknown
	KeepRetired  bool              `json:"keep_retired,omitzero"`  // keep the consumer's retired Vault version
	RenamedFrom  string            `json:"renamed_from,omitempty"` // former id: the record moves with its history
	Destinations []Destination     `json:"destinations,omitempty"` // further places that get a copy of what is published
	Reloads      []Reload          `json:"reloads,omitempty"`      // how consumers take a new secret, one after the other
	Stagger      time.Duration     `json:"stagger,omitzero"`       // between two of them
	Consumers    []NamedConsumer   `json:"consumers,omitempty"`    // that say which version they run on
	Labels       map[string]string `json:"labels,omitempty"`       // free text for people
	Source       string            `json:"source,omitempty"`       // "file:line", "import" or "api": each client has one source
}

// Ref is what a provider calls a client, for example {"client_id": "billing"}. Its fields belong to the kind.
type Ref map[string]string

// Canonical returns the one spelling of a Ref that makes (provider, canonical ref) unique: sorted "key=value" pairs,
// each escaped, joined by "&".
func (r Ref) Canonical() string {
	if len(r) == 1 { // as nearly all are
		for k, v := range r {
			return escapePart(k) + "=" + escapePart(v)
		}
	}
	keys := make([]string, 0, len(r))
	for k := range r {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var b strings.Builder
	for i, k := range keys {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escapePart(k))
		b.WriteByte('=')
		b.WriteString(escapePart(r[k]))
	}
	return b.String()
}

// escapePart escapes what separates pairs. Most texts have nothing to escape, and an import asks a million times.
func escapePart(s string) string {
	if !strings.ContainsAny(s, "%&=") {
		return s
	}
	return strings.NewReplacer("%", "%25", "&", "%26", "=", "%3D").Replace(s)
}

// VaultPath is the place in a KV v2 mount where consumers read a bundle.
type VaultPath struct {
	Namespace string            `json:"namespace,omitempty"`
	Mount     string            `json:"mount,omitempty"`  // empty = the configured mount
	Path      string            `json:"path,omitempty"`   // below the mount, without "data/"
	Fields    map[string]string `json:"fields,omitempty"` // bundle field to name in Vault; a missing one keeps its name
}

// Key returns the spelling that makes a Vault path unique within one Vault address.
func (p VaultPath) Key() string { return p.Namespace + "\x00" + p.Mount + "\x00" + p.Path }

// String returns "mount/path" for people.
func (p VaultPath) String() string { return p.Mount + "/" + p.Path }

// Field returns the name in Vault of a bundle field.
func (p VaultPath) Field(name string) string {
	if mapped, ok := p.Fields[name]; ok {
		return mapped
	}
	return name
}

// StagingKey names the staging entry of a client below the staging path: hex SHA-256 of (provider, canonical ref). It
// does not depend on the client's id, so that a rename or a lost state file finds the same entry.
func (c Client) StagingKey() string {
	sum := sha256.Sum256([]byte(c.Provider + "\x00" + c.Ref.Canonical()))
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// VerifyMethod is how a secret is proved against the token endpoint.
type VerifyMethod string

// The methods of verification. VerifyAuto lets the kind choose.
const (
	VerifyAuto              VerifyMethod = "auto"
	VerifyClientCredentials VerifyMethod = "client_credentials"
	VerifyIntrospection     VerifyMethod = "introspection"
	VerifyAuthCode          VerifyMethod = "auth_code"
)

// VerifySettings says how a client's secret is proved. Zero values take the defaults of the provider's kind.
type VerifySettings struct {
	Method    VerifyMethod  `json:"method,omitempty"`
	Auth      string        `json:"auth,omitempty"`      // basic | post; empty = basic (RFC 6749 section 2.3.1)
	Scope     string        `json:"scope,omitempty"`     // scope asked for
	Successes int           `json:"successes,omitempty"` // consecutive successes that prove a new secret; 0 = 3
	Interval  time.Duration `json:"interval,omitzero"`   // between two tries; 0 = 2s
	Deadline  time.Duration `json:"deadline,omitzero"`   // after this the rotation is held; 0 = 15m
}

// Defaults of VerifySettings.
const (
	DefaultSuccesses      = 3
	DefaultVerifyInterval = 2 * time.Second
	DefaultVerifyDeadline = 15 * time.Minute
)

// WithDefaults fills zero values.
func (v VerifySettings) WithDefaults() VerifySettings {
	if v.Method == "" {
		v.Method = VerifyAuto
	}
	if v.Auth == "" {
		v.Auth = "basic"
	}
	if v.Successes == 0 {
		v.Successes = DefaultSuccesses
	}
	if v.Interval == 0 {
		v.Interval = DefaultVerifyInterval
	}
	if v.Deadline == 0 {
		v.Deadline = DefaultVerifyDeadline
	}
	return v
}

// Probe is a request to a consumer that must answer as expected after a promote.
type Probe struct {
	URL    string `json:"url"`
	Expect int    `json:"expect,omitempty"` // HTTP status; 0 = 200
}
