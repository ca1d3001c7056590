package config

import (
	"fmt"

	"github.com/rotad/rotad/internal/credential"
)

// consumerSettings is a consumer that says which version it runs on, as it is written.
type consumerSettings struct {
	// Name of the consumer, unique within the client.
	Name string `yaml:"name" json:"name" required:"true"`
	// Optional leaves the old secret free to go before this one has moved.
	Optional bool `yaml:"optional" json:"optional" implied:"false"`
	// VaultEntity is the id of the entity as which it reads the bundle, for vault.audit_log.
	VaultEntity string `yaml:"vault_entity" json:"vault_entity"`
	// VaultRole is the role with which it logs in to Vault (AppRole, JWT, Kubernetes), for vault.audit_log.
	VaultRole string `yaml:"vault_role" json:"vault_role"`
}

func (c *clientSettings) consumers() []credential.NamedConsumer {
	var out []credential.NamedConsumer
	for _, n := range c.Consumers {
		out = append(out, credential.NamedConsumer{Name: n.Name, Optional: n.Optional, Entity: n.VaultEntity, Role: n.VaultRole})
	}
	return out
}

func (c *complaint) consumers(list []credential.NamedConsumer) {
	seen, known := map[string]bool{}, map[[2]string]string{}
	for i, n := range list {
		path := fmt.Sprintf("consumers[%d].name", i)
		c.name(path, n.Name)
		if seen[n.Name] && n.Name != "" {
			c.add(path, fmt.Sprintf("is the second consumer of the name %q", n.Name), "give each consumer a name of its own")
		}
		seen[n.Name] = true
		as := [2]string{n.Entity, n.Role}
		if other, twice := known[as]; twice {
			c.add(fmt.Sprintf("consumers[%d]", i), fmt.Sprintf("%s is known in Vault as %s is", n.Name, other), "give each an entity or a role of its own there")
		}
		if as != [2]string{} {
			known[as] = n.Name
		}
	}
}

// seen warns of consumers that are to be seen in a log that nobody reads.
func (c *complaint) seen(list []credential.NamedConsumer, log string) {
	for i, n := range list {
		if log == "" && (n.Entity != "" || n.Role != "") {
			c.warn(fmt.Sprintf("consumers[%d]", i), "vault.audit_log is not written, so that nothing is seen of "+n.Name, "write vault.audit_log, or let it say what it runs on")
		}
	}
}

// awaited warns of a policy that waits for consumers of which the client names none.
func (c *complaint) awaited(cl *credential.Client, p credential.Policy) {
	for _, n := range cl.Consumers {
		if !n.Optional {
			return
		}
	}
	if p.OverlapEnds == credential.EndsMoved {
		c.warn("consumers", fmt.Sprintf("the policy %q waits until they have moved, and the client names none that it waits for", p.Name), "name them, or choose another overlap_ends")
	}
}

func (h *Handshake) check(s scope) {
	at := listener{h.Address, h.TLSCertFile, h.TLSKeyFile}
	if at.check(s, "consumers' tokens travel in clear") && h.TokenKeyFile == "" && h.TokenKeyEnv == "" {
		s.child("token_key_file").report("is required where the handshake listens", "32 random bytes: openssl rand -base64 32")
	}
}
