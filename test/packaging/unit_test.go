package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const unitFile = "../../deploy/systemd/rotad.service"

// systemd-analyze exits 0 on keys that it does not know and only says so, hence: it must say nothing.
func TestUnitIsUnderstoodWhole(t *testing.T) {
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	// verify looks for the program, which is not installed here.
	unit := strings.ReplaceAll(string(text), "/usr/bin/rotad", "/bin/true")
	path := filepath.Join(t.TempDir(), "rotad.service")
	if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

var overall = regexp.MustCompile(`Overall exposure level for rotad\.service: ([0-9.]+)`)

func TestUnitIsHardened(t *testing.T) {
	out := run(t, exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", unitFile))
	m := overall.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no overall exposure in:\n%s", out)
	}
	exposure, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("exposure %.1f", exposure)
	if exposure >= 2.0 {
		t.Errorf("exposure %.1f, want below 2.0", exposure)
	}
}

// Each of these lines has a reason that no tool checks.
func TestUnitKeepsItsPromises(t *testing.T) {
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			values[key] = append(values[key], value)
		}
	}
	for _, c := range []struct{ why, key, want string }{
		{"the daemon says itself when it is ready", "Type", "notify"},
		{"a reload is a SIGHUP", "ExecReload", "/bin/kill -HUP $MAINPID"},
		{"neither a wrong configuration nor a refused state is tried again", "RestartPreventExitStatus", "2 3"},
		{"a panic must not look like a wrong configuration, which exits with 2 as well", "Environment", "GOTRACEBACK=crash"},
		{"a core would hold clear secrets", "LimitCORE", "0"},
		{"the state is nobody else's business", "StateDirectoryMode", "0700"},
		{"the admin socket lives here", "RuntimeDirectory", "rotad"},
		{"the credentials come from systemd", "LoadCredential", "vault-secret-id:/etc/rotad/credentials/vault-secret-id"},
	} {
		if !strings.Contains(strings.Join(values[c.key], "\n"), c.want) {
			t.Errorf("%s=%q, want %s: %s", c.key, values[c.key], c.want, c.why)
		}
	}
	if values["PrivateUsers"] != nil {
		t.Error("PrivateUsers= is set: the audit could no longer name the caller of the admin socket")
	}
	for key, atLeast := range map[string]int{"TimeoutStopSec": 91, "WatchdogSec": 1} {
		seconds, err := strconv.Atoi(strings.TrimSuffix(strings.Join(values[key], ""), "s"))
		if err != nil || seconds < atLeast {
			t.Errorf("%s=%v, want at least %d seconds", key, values[key], atLeast)
		}
	}
}
