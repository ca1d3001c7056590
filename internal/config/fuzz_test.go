package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

func checkTexts(t *testing.T, problems config.Problems) {
	t.Helper()
	for _, p := range problems {
		if strings.TrimSpace(p.What) == "" || strings.TrimSpace(p.String()) == "" {
			t.Errorf("a problem says nothing: %+v", p)
		}
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range append(files, exampleFile) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{
		"a: &a [*a]", "x: &x {<<: *x}", "clients: &c [*c]", "clients: [{<<: [{<<: &m {id: a}}, *m]}]", "? ? a", "\xff\xfe", "- a\n-",
		"!!binary x", "policies: {default: {warn: {at: [{before: !!float 1}]}}}", "vault: !x {auth: !!set {}}", "scan: '@every -1s'",
		minimal, small,
	} {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, problems := config.Load(file, kinds())
		checkTexts(t, problems)
		if (c == nil) == (problems.Err() == nil) {
			t.Errorf("a configuration: %v, errors: %v", c != nil, problems.Err())
		}
	})
}

func FuzzDecodeClients(f *testing.F) {
	for _, text := range []string{everyKey, "{}", "[]", "clients: [" + everyKey + "]", `{"a":{"b":[{"c":"\""}]}}`, "{\"id\":null}\n{", `{"\u0069d":"x"}`} {
		f.Add("f.ndjson", text)
		f.Add("f.yaml", text)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		problems, err := config.DecodeClients(strings.NewReader(text), name, func(c credential.Client, line int) error {
			if c.ID == "" || c.Owner == "" || c.Vault.Path == "" || line < 1 {
				t.Errorf("handed out: %+v at line %d", c, line)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		checkTexts(t, problems)
	})
}

func FuzzSchedule(f *testing.F) {
	for _, spec := range []string{"17 * * * *", "TZ=UTC", "CRON_TZ=Europe/Berlin 0 3 * * *", "@every 1d", "0 0 30 2 *", "*/0 * * * *"} {
		f.Add(spec, int64(1_750_000_000))
	}
	f.Fuzz(func(t *testing.T, spec string, second int64) {
		now := time.Unix(second%(1<<33), 0)
		s, err := config.Schedule(spec)
		if err != nil {
			return
		}
		if next := s.Next(now); !next.IsZero() && !next.After(now) {
			t.Errorf("%q: %s is not after %s", spec, next, now)
		}
		w, err := config.Window(credential.WindowSpec{Cron: spec, Duration: time.Hour, Timezone: "Europe/Berlin"})
		if err != nil {
			return
		}
		if next := w.Next(now); !next.IsZero() && (!next.After(now) || !w.Contains(next)) {
			t.Errorf("%q: the window is not open at its opening %s after %s", spec, next, now)
		}
	})
}
