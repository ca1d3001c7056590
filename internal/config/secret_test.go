package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/config"
)

const withToken = `
vault: {address: "https://vault.example.com", auth: {method: token, token_file: "${TOKEN_FILE}"}}
smtp: {host: smtp.example.com, from: rotad@example.com}
`

func TestModesOfSecretFiles(t *testing.T) {
	tests := []struct {
		rule     string
		mode     os.FileMode
		guard    func(t *testing.T, dir string)
		errors   int
		warnings int
	}{
		{"private", 0o600, nil, 0, 0},
		{"owner may execute", 0o700, nil, 0, 0},
		{"readable by the group", 0o640, nil, 0, 1},
		{"readable by everybody", 0o604, nil, 0, 1},
		{"writable by the group", 0o620, nil, 0, 0},
		{"writable by everybody", 0o602, nil, 1, 0},
		{"writable and readable by everybody", 0o666, nil, 1, 0},
		{"in the directory of systemd credentials", 0o666, func(t *testing.T, dir string) {
			t.Setenv("CREDENTIALS_DIRECTORY", dir)
		}, 0, 0},
		{"beside the directory of systemd credentials", 0o666, func(t *testing.T, dir string) {
			t.Setenv("CREDENTIALS_DIRECTORY", dir+"x")
		}, 1, 0},
		{"in a Kubernetes volume", 0o666, func(t *testing.T, dir string) {
			if err := os.Symlink("..2026_01_01", filepath.Join(dir, "..data")); err != nil {
				t.Fatal(err)
			}
		}, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Setenv("CREDENTIALS_DIRECTORY", "")
			dir := t.TempDir()
			file := write(t, filepath.Join(dir, "token"), "x")
			if err := os.Chmod(file, test.mode); err != nil {
				t.Fatal(err)
			}
			t.Setenv("TOKEN_FILE", file)
			if test.guard != nil {
				test.guard(t, dir)
			}
			_, problems := loadText(t, withToken)
			if len(problems.Errors()) != test.errors || len(problems.Warnings()) != test.warnings {
				t.Errorf("got %v", problems)
			}
			if len(problems.Strict().Errors()) != test.errors+test.warnings {
				t.Errorf("strict: got %v", problems.Strict())
			}
		})
	}
}

func TestSecretsAreReadAfresh(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "token"), "one\n")
	t.Setenv("TOKEN_FILE", file)
	c, problems := loadText(t, withToken)
	if c == nil {
		t.Fatal(problems)
	}
	for _, step := range []struct{ rule, content, want string }{
		{"without its line end", "one\r\n", "one"},
		{"as it is now", "two", "two"},
		{"with the spaces that belong to it", " three \n\n", " three "},
	} {
		write(t, file, step.content)
		if got, err := c.Vault.Auth.Secret("token"); err != nil || got != step.want {
			t.Errorf("%s: got %q, %v", step.rule, got, err)
		}
	}
	for _, step := range []struct{ rule, content string }{
		{"empty", "\n"}, {"too large", strings.Repeat("x", 1<<20+1)},
	} {
		write(t, file, step.content)
		if got, err := c.Vault.Auth.Secret("token"); err == nil {
			t.Errorf("%s: got %q", step.rule, got)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Vault.Auth.Secret("token"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("gone: got %v", err)
	}
	if _, err := c.Vault.Auth.Secret("secret_id"); !errors.Is(err, config.ErrNoSecret) {
		t.Errorf("not configured: got %v", err)
	}
}

func TestSecretsComeFromTheEnvironment(t *testing.T) {
	t.Setenv("ROTAD_TEST_TOKEN", "from-the-environment")
	c, problems := loadText(t, `
vault: {address: "https://vault.example.com", auth: {method: token, token_env: "${ROTAD_TEST_PREFIX}_TOKEN"}}
`)
	if c != nil {
		t.Fatal("a variable that is not set is accepted")
	}
	t.Setenv("ROTAD_TEST_PREFIX", "ROTAD_TEST")
	c, problems = config.Load(problems[0].File, nil)
	if c == nil {
		t.Fatal(problems)
	}
	if got, err := c.Vault.Auth.Secret("token"); err != nil || got != "from-the-environment" {
		t.Errorf("got %q, %v", got, err)
	}
	t.Setenv("ROTAD_TEST_TOKEN", "")
	if got, err := c.Vault.Auth.Secret("token"); err == nil {
		t.Errorf("an empty variable: got %q", got)
	}
}

// People paste secrets where a name belongs. No message repeats them.
func TestNoProblemRepeatsASecret(t *testing.T) {
	const secret = "Hunter2-c4n4ry"
	credentials(t)
	_, problems := loadText(t, `
vault:
  address: https://vault.example.com
  token: `+secret+`
  auth: {method: token, token: `+secret+`, token_env: `+secret+`}
smtp: {host: a, from: a@example.com, username: u, password_file: `+secret+`, password: [`+secret+`]}
providers:
  a: {kind: keycloak, client_secret: `+secret+`, client_secret_env: `+secret+`, headers: {Authorization: Bearer `+secret+`}}
`)
	if len(problems.Errors()) < 5 {
		t.Errorf("only %d errors: %v", len(problems.Errors()), problems)
	}
	if strings.Contains(problems.String(), secret) {
		t.Errorf("a problem repeats the secret:\n%s", problems)
	}
}
