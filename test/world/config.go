package world

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/freeport"
	"github.com/rotad/rotad/test/servers"
)

// Block is a mapping in the configuration.
type Block map[string]any

// Config is the daemon's configuration, as it is written.
type Config struct {
	State     Block            `yaml:"state"`
	Scan      string           `yaml:"scan"`
	Listen    Block            `yaml:"listen"`
	Vault     Block            `yaml:"vault"`
	SMTP      Block            `yaml:"smtp,omitempty"`
	Admins    Block            `yaml:"admins,omitempty"`
	Log       Block            `yaml:"log"`
	Runtime   Block            `yaml:"runtime,omitempty"`
	Providers map[string]Block `yaml:"providers"`
	Policies  map[string]Block `yaml:"policies"`
	Owners    map[string]Block `yaml:"owners"`
	Clients   []Block          `yaml:"clients"`
}

// baseConfig looks every two seconds and has one policy, whose overlap is short.
func (w *World) baseConfig() Config {
	w.T.Helper()
	port, err := freeport.Loopback()
	w.Must(err)
	return Config{
		State:  Block{"path": w.Path("state/rotad.db")},
		Scan:   "@every 2s",
		Listen: Block{"metrics": fmt.Sprintf("127.0.0.1:%d", port), "admin": "unix:" + w.Path("admin.sock")},
		Vault: Block{
			"address": w.Vault.URL, "mount": "secret", "staging": "rotad/staging",
			"auth": Block{"method": "approle", "role_id": w.Vault.RoleID, "secret_id_file": w.Path("vault-secret-id")},
		},
		Log:       Block{"level": "debug", "format": "json"},
		Providers: map[string]Block{},
		Policies: map[string]Block{"default": {
			"start": "auto", "lifetime": "90d", "rotate_before": "14d", "overlap": "20s", "announce": "7d",
		}},
		Owners: map[string]Block{"payments": {"email": []string{w.Address("payments")}, "timezone": "Europe/Berlin"}},
	}
}

// UsePostfix sends mail by the shared Postfix, after STARTTLS and AUTH.
func (w *World) UsePostfix() *servers.Postfix {
	w.T.Helper()
	p := w.Postfix(w.T)
	w.Config.SMTP = w.SMTPBlock(p)
	w.Config.Admins = Block{"email": []string{w.Address("admin")}}
	return p
}

// SMTPBlock is the configuration for a mail server.
func (w *World) SMTPBlock(p *servers.Postfix) Block {
	return Block{
		"host": "127.0.0.1", "port": p.Port, "username": servers.MailUser,
		"password_file": w.WriteSecret("smtp-password", servers.MailPassword),
		"from":          "Secrets <secrets@rotad.test>", "ca_cert_file": p.CAFile,
	}
}

// AddClient registers a client of the provider kc, with the settings that most scenarios want. More replaces or adds
// keys.
func (w *World) AddClient(id string, more Block) {
	c := Block{
		"id": id, "provider": "kc", "ref": Block{"client_id": id}, "owner": "payments",
		"vault":  Block{"path": AppPath(id)},
		"verify": Block{"successes": 2, "interval": "1s"},
	}
	maps.Copy(c, more)
	w.Config.Clients = append(w.Config.Clients, c)
}

// Client returns the block of a registered client, to be changed.
func (w *World) Client(id string) Block {
	w.T.Helper()
	for _, c := range w.Config.Clients {
		if c["id"] == id {
			return c
		}
	}
	w.T.Fatalf("the configuration has no client %s", id)
	return nil
}

// RemoveClient takes a client out of the configuration.
func (w *World) RemoveClient(id string) {
	kept := w.Config.Clients[:0:0]
	for _, c := range w.Config.Clients {
		if c["id"] != id {
			kept = append(kept, c)
		}
	}
	w.Config.Clients = kept
}

// WriteConfig writes the configuration and returns its path.
func (w *World) WriteConfig() string {
	w.T.Helper()
	raw, err := yaml.Marshal(w.Config)
	w.Must(err)
	w.Must(os.MkdirAll(w.Path("state"), 0o700))
	file := w.Path("config.yaml")
	w.Must(os.WriteFile(file, raw, 0o600))
	return file
}

// command makes an exec.Cmd with an environment of nothing but a search path.
func command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = servers.BareEnv()
	return cmd
}
