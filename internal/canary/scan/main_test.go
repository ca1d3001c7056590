package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/canary"
	"github.com/rotad/rotad/internal/proof"
)

func TestAPlantedLeakFailsTheScan(t *testing.T) {
	t.Setenv(proof.Directory, t.TempDir())
	ledger, left := filepath.Join(t.TempDir(), canary.LedgerFile), t.TempDir()
	l, err := canary.OpenLedger(ledger)
	if err != nil {
		t.Fatal(err)
	}
	value := rand.Text()
	if _, err := l.Note("client_secret", value); err != nil {
		t.Fatal(err)
	}
	scan := func() (string, error) {
		var out bytes.Buffer
		err := run([]string{"-ledger", ledger, "-proof", "canary-test", left}, &out, func() time.Duration { return time.Second })
		return out.String(), err
	}
	if _, err := scan(); err == nil {
		t.Error("an empty directory proves nothing")
	}
	write(t, filepath.Join(left, "clean.log"), "nothing to see")
	if out, err := scan(); err != nil || !strings.Contains(out, "1 secrets in 1 files, 14 bytes in 1s: 0 hits") {
		t.Errorf("%s%v", out, err)
	}
	write(t, filepath.Join(left, "rotad.log"), "secret="+base64.StdEncoding.EncodeToString([]byte(value)))
	out, err := scan()
	if err == nil || !strings.Contains(out, "rotad.log: offset 7: secret #1 of the ledger (client_secret), base64 at 0") {
		t.Errorf("%s%v", out, err)
	}
	if figures, err := os.ReadFile(filepath.Join(os.Getenv(proof.Directory), "canary-test.json")); err != nil ||
		!bytes.Contains(figures, []byte(`"ok": false`)) {
		t.Errorf("%s%v", figures, err)
	}
	if _, err := os.Stat(ledger); err != nil || strings.Contains(out, value) {
		t.Errorf("the secret is printed, or %v", err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
