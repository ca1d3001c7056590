package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/config"
)

// What "rotad check" takes for the place of a webhook, the daemon can open: an error that comes only then would be an outage
// after a restart.
func TestEveryURLThatIsTakenCanBeOpened(t *testing.T) {
	dir, taken := t.TempDir(), 0
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(scriptKey), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, url := range []string{
		"https://a", "https://a:8443/b/c", "HTTPS://A/", "https://[::1]/", "https://a?", "https://a#", "https://a/?x=y", "https://u:p@a/", "https://a b",
		"http://a", "http://localhost:1/x", "http://LOCALHOST/", "http://127.0.0.1", "http://127.1.2.3:9/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]/",
		"HTTP://localhost/", "http://localhost.:1/", "//a", "a", "ftp://a", "https:a", "https://", "https://a:99999", "https://a/%zz",
	} {
		file := filepath.Join(dir, fmt.Sprintf("%d.yaml", i))
		text := fmt.Sprintf("vault: {address: https://v, auth: {method: token, token_file: %s}}\nchannels: {ops: {kind: webhook, url: %q, secret_file: %s}}\n", secret, url, secret)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, problems := config.Load(file, configKinds())
		if cfg == nil {
			if !strings.Contains(problems.String(), "channels.ops.url") {
				t.Errorf("%q: %s", url, problems)
			}
			continue
		}
		taken++
		if _, err := allChannels(cfg); err != nil {
			t.Errorf("check takes %q, and the daemon ends with: %v", url, err)
		}
	}
	if taken < 8 {
		t.Errorf("only %d were taken", taken)
	}
}
