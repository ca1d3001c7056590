package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/test/servers"
)

// playground is everything that runs.
type playground struct {
	module, root string // directories of the tests' module and of rotad's own
	cache        servers.Cache

	vault        *servers.Vault
	keycloak     *servers.Keycloak
	postfix      *servers.Postfix
	rotad        *servers.Process
	metrics      string // host:port
	prometheus   *servers.Prometheus
	alertmanager *servers.Alertmanager

	stops []func() // of what runs, in the order it was started
}

// serve starts all servers, carries out commands until one of them or a signal ends it, and stops what it has started.
func serve(ctx context.Context) error {
	if err := hold(); err != nil {
		return err
	}
	p, err := open()
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.start(ctx); err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	return control(ctx, map[string]command{
		"summary": func(context.Context, []string) (string, error) { return p.summary(), nil },
		"grant":   p.grant, "login": p.login, "mail": p.mail,
		"down": func(context.Context, []string) (string, error) {
			p.stop()
			end()
			return "", nil
		},
	})
}

func open() (*playground, error) {
	module, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("finding the tests' module: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil || !strings.HasPrefix(string(raw), "module github.com/rotad/rotad/test\n") {
		return nil, errors.New("the playground is started with make playground, in the directory of the source")
	}
	cache, err := servers.OpenCache()
	return &playground{module: module, root: filepath.Dir(module), cache: cache}, err
}

// stop stops what runs, the last first.
func (p *playground) stop() {
	for len(p.stops) > 0 {
		last := len(p.stops) - 1
		p.stops[last]()
		p.stops = p.stops[:last]
	}
}

func (p *playground) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		p.build, p.startVault, p.startKeycloak, p.startPostfix, p.configure, p.startRotad, p.startPrometheus,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *playground) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", inHome("bin/rotad"), "./cmd/rotad")
	cmd.Dir = p.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building rotad: %w\n%s", err, out)
	}
	return nil
}

// part makes the directory of one server.
func part(name string) (string, error) {
	dir := inHome(name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the directory of %s: %w", name, err)
	}
	return dir, nil
}

// tokenTTL of rotad's token in Vault.
const tokenTTL = time.Hour

func (p *playground) startVault(ctx context.Context) error {
	dir, err := part("vault")
	if err != nil {
		return err
	}
	if p.vault, err = servers.StartVault(ctx, p.cache, p.module, dir); err != nil {
		return err
	}
	p.stops = append(p.stops, p.vault.Stop)
	policy, err := os.ReadFile(filepath.Join(p.root, "deploy", "vault", "rotad-observe.hcl"))
	if err != nil {
		return fmt.Errorf("reading rotad's rights in vault: %w", err)
	}
	if err := p.vault.Prepare(ctx, string(policy), tokenTTL); err != nil {
		return err
	}
	id, err := p.vault.NewSecretID(ctx, "rotad")
	if err != nil {
		return err
	}
	return writeSecret("vault-secret-id", id.Value)
}

func (p *playground) startKeycloak(ctx context.Context) error {
	dir, err := part("keycloak")
	if err != nil {
		return err
	}
	if p.keycloak, err = servers.StartKeycloak(ctx, p.cache, dir); err != nil {
		return err
	}
	p.stops = append(p.stops, p.keycloak.Stop)
	for realm, rotated := range map[string]time.Duration{realmGrace: keptFor, realmPlain: 0} {
		if err := p.realm(ctx, realm, rotated); err != nil {
			return err
		}
	}
	return writeSecret("keycloak-secret", servers.RotadSecret)
}

// realm makes a realm with its client, whose secret somebody has made in the console: since then its expiry is known where
// the realm has a policy. Vault hands it out.
func (p *playground) realm(ctx context.Context, name string, rotated time.Duration) error {
	id := clientOf[name]
	err := p.keycloak.CreateRealm(ctx, servers.Realm{
		Name: name, Rotated: rotated, Expiration: lifetime, ReadOnly: true, Clients: []servers.RealmClient{{ID: id, Secret: rand.Text()}},
	})
	if err != nil {
		return err
	}
	secret, err := p.keycloak.Regenerate(ctx, name, id)
	if err != nil {
		return err
	}
	if err := p.keycloak.ForgetRotated(ctx, name, id); err != nil {
		return err
	}
	_, err = p.vault.Put(ctx, pathOf(id), map[string]any{"client_id": id, "client_secret": secret})
	return err
}

func (p *playground) startPostfix(ctx context.Context) error {
	dir, err := part("postfix")
	if err != nil {
		return err
	}
	if p.postfix, err = servers.StartPostfix(ctx, p.cache, dir); err != nil {
		return err
	}
	p.stops = append(p.stops, p.postfix.Stop)
	return writeSecret("smtp-password", servers.MailPassword)
}

func (p *playground) startRotad(ctx context.Context) error {
	var err error
	p.rotad, err = servers.Launch(servers.Spec{
		Name: "rotad", Path: inHome("bin/rotad"), Args: []string{"run", "--config", inHome("config.yaml")},
		Dir: home, Log: inHome("rotad.log"),
	})
	if err != nil {
		return err
	}
	p.stops = append(p.stops, func() { _ = p.rotad.Stop(2 * time.Minute) })
	if err := os.WriteFile(inHome("rotad.pid"), []byte(strconv.Itoa(p.rotad.Pid())+"\n"), 0o644); err != nil {
		return fmt.Errorf("noting rotad's process: %w", err)
	}
	return servers.Until(ctx, 30*time.Second, 100*time.Millisecond, func(ctx context.Context) error {
		if !p.rotad.Running() {
			return &servers.EndedError{Name: "rotad", Code: p.rotad.ExitCode(), Log: p.rotad.LogTail(20)}
		}
		return exec.CommandContext(ctx, inHome("bin/rotad"), "health", "--config", inHome("config.yaml")).Run()
	})
}

func (p *playground) startPrometheus(ctx context.Context) error {
	dir, err := part("prometheus")
	if err != nil {
		return err
	}
	config, err := p.alerts()
	if err != nil {
		return err
	}
	if p.alertmanager, err = servers.StartAlertmanager(ctx, p.cache, dir, config); err != nil {
		return err
	}
	p.stops = append(p.stops, p.alertmanager.Stop)
	p.prometheus, err = servers.StartScrape(ctx, p.cache, dir, servers.Scrape{
		Target: p.metrics, Rules: filepath.Join(p.root, "deploy", "prometheus", "rules.yaml"), Alertmanager: p.alertmanager.Address,
	})
	if err != nil {
		return err
	}
	p.stops = append(p.stops, p.prometheus.Stop)
	return p.writeEnv()
}
