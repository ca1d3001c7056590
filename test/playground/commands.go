package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// summary says what runs where, and what to type next.
func (p *playground) summary() string {
	return strings.NewReplacer(
		"HOME", home, "METRICS", p.metrics, "KEYCLOAK", p.keycloak.URL, "VAULT", p.vault.URL, "SMTP", fmt.Sprint(p.postfix.Port),
		"PROMETHEUS", p.prometheus.URL, "ALERTMANAGER", p.alertmanager.Address,
	).Replace(`The playground runs in HOME:
  rotad          watches only; configuration config.yaml, log rotad.log, metrics http://METRICS/metrics
  Keycloak       KEYCLOAK (admin, admin): realm grace keeps an old secret for 40 seconds, realm plain ends it at once
  Vault          VAULT; its root token stands in vault/vault-keys.json
  Postfix        127.0.0.1:SMTP; every mail ends in postfix/mail/all/new
  Prometheus     PROMETHEUS
  Alertmanager   http://ALERTMANAGER
Next:
  . HOME/env
  rotad add billing --provider grace --ref client_id=billing --owner payments --vault-path apps/billing
  and so on, as docs/quickstart.md goes
End it, with all that it has made: make playground DOWN=1
`)
}

// grant gives rotad the rights that it needs to rotate. It says how a person does that elsewhere.
func (p *playground) grant(ctx context.Context, _ []string) (string, error) {
	policy, err := os.ReadFile(filepath.Join(p.root, "deploy", "vault", "rotad.hcl"))
	if err != nil {
		return "", fmt.Errorf("reading rotad's rights in vault: %w", err)
	}
	if err := p.vault.SetPolicy(ctx, "rotad", string(policy)); err != nil {
		return "", err
	}
	said := []string{"vault policy write rotad deploy/vault/rotad.hcl"}
	for _, realm := range []string{realmGrace, realmPlain} {
		if err := p.keycloak.Grant(ctx, realm, "manage-clients"); err != nil {
			return "", err
		}
		said = append(said, "kcadm.sh add-roles -r "+realm+
			" --uusername service-account-rotad --cclientid realm-management --rolename manage-clients")
	}
	return strings.Join(said, "\n") + "\n", nil
}

var errLogin = errors.New("usage: playground login CLIENT [VERSION]")

// login is a consumer: it logs in to Keycloak with what Vault hands out, or with an earlier version of that.
func (p *playground) login(ctx context.Context, args []string) (string, error) {
	version := 0
	var err error
	switch len(args) {
	case 2:
		version, err = strconv.Atoi(args[1])
	case 1:
	default:
		err = errLogin
	}
	if err != nil {
		return "", errLogin
	}
	id := args[0]
	realm := ""
	for r, client := range clientOf {
		if client == id {
			realm = r
		}
	}
	if realm == "" {
		return "", fmt.Errorf("the playground has the clients billing and reports, and no %q", id)
	}
	stored, err := p.vault.Get(ctx, pathOf(id), version)
	if err != nil {
		return "", err
	}
	if stored.Text("client_secret") == "" {
		kept, err := p.vault.Metadata(ctx, pathOf(id))
		if err != nil {
			return "", err
		}
		return absent(pathOf(id), version, kept.Current)
	}
	accepted, err := p.keycloak.Accepts(ctx, realm, id, stored.Text("client_secret"))
	if err != nil {
		return "", err
	}
	word := "refuses"
	if accepted {
		word = "accepts"
	}
	return fmt.Sprintf("Keycloak %s version %d of secret/%s\n", word, stored.Version, pathOf(id)), nil
}

// absent says why Vault hands out nothing: a version is gone, or there never was one of that number.
func absent(path string, version, newest int) (string, error) {
	if version < 0 || version > newest {
		return "", fmt.Errorf("there is no version %d of secret/%s; the newest is %d", version, path, newest)
	}
	return fmt.Sprintf("version %d of secret/%s is gone\n", version, path), nil
}

// mail lists the mails that were delivered, the oldest first.
func (p *playground) mail(context.Context, []string) (string, error) {
	mails, err := p.postfix.Mails("")
	if err != nil {
		return "", err
	}
	var list strings.Builder
	for _, m := range mails {
		fmt.Fprintf(&list, "to %s: %s\n", m.To, m.Subject)
	}
	return list.String(), nil
}
