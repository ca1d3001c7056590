package main

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/config"
)

// A door that is open cannot be moved by a reload, and a certificate that is renewed is no other door.
func TestAReloadMovesNoDoor(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*config.Config)
		want   string
	}{
		"another state":             {func(c *config.Config) { c.State.Path = "/other" }, "state: "},
		"another socket":            {func(c *config.Config) { c.Listen.Admin = "unix:/other" }, "listen: "},
		"another Vault":             {func(c *config.Config) { c.Vault.Address = "https://other" }, "vault: "},
		"another audit log":         {func(c *config.Config) { c.Vault.AuditLog = "/other" }, "vault: "},
		"a handshake":               {func(c *config.Config) { c.Handshake.Address = "127.0.0.1:9849" }, "handshake: "},
		"a handshake without TLS":   {func(c *config.Config) { c.Handshake.TLSCertFile = "" }, "handshake: "},
		"published elsewhere":       {func(c *config.Config) { c.Publish.Address = "127.0.0.1:9850" }, "publish: "},
		"published with TLS":        {func(c *config.Config) { c.Publish.TLSCertFile = "/tls.crt" }, "publish: "},
		"people elsewhere":          {func(c *config.Config) { c.Listen.Public.Address = "127.0.0.1:9851" }, "listen.public: "},
		"people with TLS":           {func(c *config.Config) { c.Listen.Public.TLSCertFile = "/tls.crt" }, "listen.public: "},
		"another key of the links":  {func(c *config.Config) { c.Listen.Public.KeyFile = "/other" }, ""},
		"another proxy":             {func(c *config.Config) { c.Listen.Public.TrustedProxies = []string{"10.0.0.0/8"} }, ""},
		"another certificate":       {func(c *config.Config) { c.Handshake.TLSCertFile = "/renewed.crt" }, ""},
		"another key of the tokens": {func(c *config.Config) { c.Handshake.TokenKeyFile = "/other" }, ""},
		"nothing":                   {func(*config.Config) {}, ""},
	} {
		old := config.Config{Handshake: config.Handshake{Address: "off", TLSCertFile: "/tls.crt"}, Publish: config.Publish{Address: "off"}}
		now := old
		tt.change(&now)
		err := sameProcess(&old, &now)
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
