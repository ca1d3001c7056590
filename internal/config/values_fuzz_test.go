package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/rotad/rotad/internal/config"
)

// shapes are configurations with one value of each sort left open. %q stands for it.
var shapes = []string{
	"scan: %q\n" + minimal,
	"listen: {metrics: %q}\n" + minimal,
	"listen: {admin: %q}\n" + minimal,
	"vault: {address: %q, auth: {method: token, token_file: \"${CREDENTIALS_DIRECTORY}/secret\"}}\n",
	"vault: {address: \"https://v\", timeout: %q, auth: {method: token, token_file: \"${CREDENTIALS_DIRECTORY}/secret\"}}\n",
	"vault: {address: \"https://v\", auth: {method: token, token_file: %q}}\n",
	"vault: {address: \"https://v\", auth: {method: token, token_env: %q}}\n",
	minimal + "smtp: {host: %q, from: rotad@example.com}\n",
	minimal + "smtp: {host: smtp.example.com, from: %q}\n",
	minimal + "admins: {email: [%q]}\n",
	minimal + "policies: {default: {warn: {at: [%q]}}}\n",
	minimal + "policies: {default: {window: {cron: %q, duration: 1h}}}\n",
	minimal + "policies: {default: {window: {cron: \"0 9 * * *\", duration: 6h, timezone: %q}}}\n",
	minimal + "providers: {corp: {kind: manual, token_url: %q}}\n",
	minimal + "providers: {corp: {kind: manual, headers: {X-Tenant: %q}}}\n",
	minimal + "providers: {corp: {kind: manual, headers: {%q: x}}}\n",
	small + "clients: [{id: %q, provider: portal, ref: {client_id: a}, owner: team, vault: {path: a}}]\n",
	small + "clients: [{id: a, provider: portal, ref: {client_id: a}, owner: team, vault: {path: %q}}]\n",
	small + "clients: [{id: a, provider: portal, ref: {client_id: a}, owner: team, expires: %q, vault: {path: a}}]\n",
	small + "include: [%q]\n",
}

// FuzzValues puts any text where a value of each sort belongs. The configuration is taken, or every problem says where
// it is and what is wrong; and a file or variable that holds a secret is never named by what was pasted in its place.
func FuzzValues(f *testing.F) {
	for i := range shapes {
		for _, text := range []string{"17 * * * *", "P1M", "127.0.0.1:99999", "https://[::1", "x\x00y", "${HOME}/x", "A <a@b>", "Europe/Berlin", "../x", ""} {
			f.Add(uint8(i), text)
		}
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("a-secret\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Setenv("CREDENTIALS_DIRECTORY", dir)
	file := filepath.Join(dir, "config.yaml")
	f.Fuzz(func(t *testing.T, shape uint8, text string) {
		template := shapes[int(shape)%len(shapes)]
		written := strings.Replace(template, "%q", strconv.QuoteToASCII(strings.ToValidUTF8(text, "?")), 1)
		if err := os.WriteFile(file, []byte(written), 0o600); err != nil {
			t.Fatal(err)
		}
		c, problems := config.Load(file, kinds())
		checkTexts(t, problems)
		if (c == nil) == (problems.Err() == nil) {
			t.Errorf("a configuration: %v, errors: %v", c != nil, problems.Err())
		}
		for _, p := range problems {
			if strings.ContainsFunc(p.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("a problem holds what is not printable: %q", p)
			}
			if strings.Contains(template, "token_env: %q") && len(text) > 12 && strings.Contains(p.String(), text) {
				t.Errorf("what may be a secret is repeated: %q", p)
			}
		}
	})
}

// FuzzSecretFile reads anything from a file that holds a secret: it is the content without the line end that editors
// leave, or an error that does not repeat it.
func FuzzSecretFile(f *testing.F) {
	for _, content := range []string{"s3cret\n", "s3cret", "a\r\n", "\n", "", "two\nlines\n", "\xef\xbb\xbfbom", "nul\x00", "# not a comment\n", "NAME=value\n", " x "} {
		f.Add([]byte(content))
	}
	dir := f.TempDir()
	secret := filepath.Join(dir, "secret")
	file := filepath.Join(dir, "config.yaml")
	text := "vault: {address: \"https://v\", auth: {method: token, token_file: " + secret + "}}\n"
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.WriteFile(secret, []byte("x"), 0o600)); err != nil {
		f.Fatal(err)
	}
	c, problems := config.Load(file, kinds())
	if err := problems.Err(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(secret, content, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := c.Vault.Auth.Secret("token")
		want := strings.TrimRight(string(content), "\r\n")
		if (err != nil) != (want == "") || err == nil && got != want {
			t.Errorf("%q is read as %q, %v", content, got, err)
		}
		if err != nil && len(want) > 8 && strings.Contains(err.Error(), want) {
			t.Errorf("the error repeats the secret: %v", err)
		}
	})
}
