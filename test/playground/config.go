package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/freeport"
	"github.com/rotad/rotad/test/servers"
)

// The realms, each with one client: one keeps an old secret for a while, the other ends it at once.
const (
	realmGrace = "grace"
	realmPlain = "plain"
	keptFor    = 40 * time.Second
	lifetime   = 20 * 24 * time.Hour // of a new secret in the first one
)

var clientOf = map[string]string{realmGrace: "billing", realmPlain: "reports"}

// pathOf is where consumers read the secret of a client, below the mount.
func pathOf(client string) string { return "apps/" + client }

// writeSecret writes a secret that rotad itself logs in with.
func writeSecret(name, value string) error {
	if err := os.WriteFile(inHome(name), []byte(value+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing a secret of rotad: %w", err)
	}
	return nil
}

// rotadConfig watches only. Its times are short, so that something happens while somebody looks.
const rotadConfig = `# The rotad of the playground. It watches only: see start: below.
state: {path: rotad.db}
scan: "@every 5s"
listen: {metrics: "METRICS", admin: "unix:admin.sock"}

vault:
  address: VAULT
  auth: {method: approle, role_id: rotad, secret_id_file: ./vault-secret-id}

smtp:
  host: 127.0.0.1
  port: PORT
  ca_cert_file: CERTIFICATE
  username: USER
  password_file: ./smtp-password
  from: Secrets <secrets@DOMAIN>
admins:
  email: [admins@DOMAIN]

providers:
  grace: # this realm keeps an old secret for 40 seconds
    kind: keycloak
    url: KEYCLOAK
    realm: grace
    client_id: rotad
    client_secret_file: ./keycloak-secret
    propagation: 1s
  plain: # this one ends it at once
    kind: keycloak
    url: KEYCLOAK
    realm: plain
    client_id: rotad
    client_secret_file: ./keycloak-secret
    propagation: 1s

policies:
  default:
    start: observe       # metrics and mails; nothing is changed
    lifetime: 20d
    rotate_before: 10d
    overlap: 30s         # both secrets work
    overlap_min: 20s

owners:
  payments:
    email: [payments@DOMAIN]
`

func (p *playground) configure(context.Context) error {
	port, err := freeport.Loopback()
	if err != nil {
		return err
	}
	p.metrics = fmt.Sprintf("127.0.0.1:%d", port)
	text := strings.NewReplacer(
		"METRICS", p.metrics, "VAULT", p.vault.URL, "KEYCLOAK", p.keycloak.URL, "PORT", fmt.Sprint(p.postfix.Port),
		"CERTIFICATE", p.postfix.CAFile, "USER", servers.MailUser, "DOMAIN", servers.MailDomain,
	).Replace(rotadConfig)
	if err := os.WriteFile(inHome("config.yaml"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing rotad's configuration: %w", err)
	}
	return nil
}

var webhook = regexp.MustCompile(`webhook_configs:\n +- url: \S+\n`)

// alerts writes the shipped configuration of Alertmanager, with the playground's mailbox in place of a pager.
func (p *playground) alerts() (string, error) {
	raw, err := os.ReadFile(filepath.Join(p.root, "deploy", "alertmanager", "alertmanager.yaml"))
	if err != nil {
		return "", fmt.Errorf("reading the configuration of alertmanager: %w", err)
	}
	mails := fmt.Sprintf(`email_configs:
      - to: alerts@%[1]s
        from: alertmanager@%[1]s
        smarthost: 127.0.0.1:%[2]d
        auth_username: %[3]s
        auth_password: %[4]s
        tls_config: {ca_file: %[5]s}
`, servers.MailDomain, p.postfix.Port, servers.MailUser, servers.MailPassword, p.postfix.CAFile)
	text := webhook.ReplaceAllLiteralString(string(raw), mails)
	if !strings.Contains(text, "alerts@") {
		return "", errors.New("deploy/alertmanager/alertmanager.yaml has no webhook that could become a mailbox")
	}
	file := inHome("alertmanager.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("writing the configuration of alertmanager: %w", err)
	}
	return file, nil
}

// writeEnv writes what a shell needs.
func (p *playground) writeEnv() error {
	if err := os.WriteFile(inHome("env"), []byte(p.environment()), 0o644); err != nil {
		return fmt.Errorf("writing the environment: %w", err)
	}
	return nil
}

// environment says where rotad is, which configuration it has, and where one can look at it.
func (p *playground) environment() string {
	return fmt.Sprintf("export PATH=%s:$PATH ROTAD_CONFIG=%s METRICS=http://%s PROMETHEUS=%s ALERTMANAGER=http://%s\n",
		inHome("bin"), inHome("config.yaml"), p.metrics, p.prometheus.URL, p.alertmanager.Address)
}
