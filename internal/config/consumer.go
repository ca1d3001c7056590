package config

import (
	"fmt"
	"net"

	"github.com/rotad/rotad/internal/credential"
)

// consumerSettings is a consumer that says which version it runs on, as it is written.
type consumerSettings struct {
	// Name of the consumer, unique within the client.
	Name string `yaml:"name" json:"name" required:"true"`
	// Optional leaves the old secret free to go before this one has moved.
	Optional bool `yaml:"optional" json:"optional" implied:"false"`
}

func (c *clientSettings) consumers() []credential.NamedConsumer {
	var out []credential.NamedConsumer
	for _, n := range c.Consumers {
		out = append(out, credential.NamedConsumer{Name: n.Name, Optional: n.Optional})
	}
	return out
}

func (c *complaint) consumers(list []credential.NamedConsumer) {
	seen := map[string]bool{}
	for i, n := range list {
		path := fmt.Sprintf("consumers[%d].name", i)
		c.name(path, n.Name)
		if seen[n.Name] && n.Name != "" {
			c.add(path, fmt.Sprintf("is the second consumer of the name %q", n.Name), "give each consumer a name of its own")
		}
		seen[n.Name] = true
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
	if h.Address == off {
		return
	}
	if what, hint := listenProblem(h.Address); what != "" {
		s.child("address").report(what, hint)
		return
	}
	if h.TokenKeyFile == "" && h.TokenKeyEnv == "" {
		s.child("token_key_file").report("is required where the handshake listens", "32 random bytes: openssl rand -base64 32")
	}
	if (h.TLSCertFile == "") != (h.TLSKeyFile == "") {
		s.child("tls_cert_file").report("needs tls_key_file, and the other way round", "write both, or neither")
	}
	host, _, _ := net.SplitHostPort(h.Address)
	if ip := net.ParseIP(host); h.TLSCertFile == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		s.child("address").warn("consumers' tokens travel in clear", "write tls_cert_file and tls_key_file, or let a proxy in front of it do TLS")
	}
}
