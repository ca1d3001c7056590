package quickstart_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/test/servers"
)

const (
	home = "/tmp/rotad-playground"
	root = "../.."
	page = root + "/docs/quickstart.md"
	// patience is how long a command may be typed again. The page says so.
	patience = 2 * time.Minute
	// down is the command that ends the playground; before it, nothing is gone yet that could be looked for.
	down = "make playground DOWN=1"
)

// TestQuickstart is the page, from its first command to its last.
func TestQuickstart(t *testing.T) {
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("there is a playground already, or what is left of one: %s", down)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	list, err := steps(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(list); n < 10 || list[n-1].command != down {
		t.Fatalf("the page has %d commands, and does not end with %s", n, down)
	}
	s := newShell(t, root)
	t.Cleanup(func() { s.run(t, down) })
	for _, step := range list {
		if step.command == down {
			noSecretIsShown(t, string(text)+s.said.String())
		}
		play(t, s, step)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left in %s: %v", home, err)
	}
}

// play types one command, and again where the page says that it waits.
func play(t *testing.T, s *shell, step step) {
	t.Helper()
	var out string
	try := func(context.Context) error {
		var code int
		out, code = s.run(t, step.command)
		switch {
		case code != 0:
			return fmt.Errorf("it ends with %d", code)
		case !matches(step.shows, lines(out)):
			return errors.New("that is not what the page shows")
		}
		return nil
	}
	var err error
	if step.again {
		err = servers.Until(t.Context(), patience, 500*time.Millisecond, try)
	} else {
		err = try(t.Context())
	}
	if err != nil {
		t.Fatalf("%s:%d: %s: %v\nit shows\n%s\nthe page shows\n%s", page, step.line, step.command, err, out, strings.Join(step.shows, "\n"))
	}
}

// noSecretIsShown looks for every secret of the playground, those of Vault included, in what was shown.
func noSecretIsShown(t *testing.T, shown string) {
	t.Helper()
	var secrets []string
	for _, name := range []string{"vault-secret-id", "keycloak-secret", "smtp-password"} {
		raw, err := os.ReadFile(home + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, strings.TrimSpace(string(raw)))
	}
	token := rootToken(t)
	for _, secret := range append(secrets, token, published(t, token)) {
		if len(secret) < 8 {
			t.Errorf("a secret is too short to look for")
		} else if strings.Contains(shown, secret) {
			t.Errorf("a secret of the playground is shown")
		}
	}
}

func rootToken(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(home + "/vault/vault-keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var keys struct {
		RootToken string `json:"root_token"`
	}
	if err := json.Unmarshal(raw, &keys); err != nil {
		t.Fatal(err)
	}
	return keys.RootToken
}

var address = regexp.MustCompile(`address: (http://127\.0\.0\.1:\d+)`)

// published is the secret that the rotation has put into Vault.
func published(t *testing.T, token string) string {
	t.Helper()
	config, err := os.ReadFile(home + "/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	vault := address.FindSubmatch(config)
	if vault == nil {
		t.Fatal("the configuration names no vault")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, string(vault[1])+"/v1/secret/data/apps/billing", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var stored struct {
		Data struct {
			Data map[string]string `json:"data"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &stored); err != nil {
		t.Fatalf("reading vault's answer: %v", err)
	}
	return stored.Data.Data["client_secret"]
}
