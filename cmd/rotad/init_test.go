package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

// fillIn is what a person puts in for each placeholder, by the last word of its setting.
var fillIn = map[string]string{
	"address": "https://vault.example.com:8200", "directory": "/keys", "url": "https://sso.example.com", "host": "smtp.example.com",
	"from": "Secrets <secrets@example.com>", "email": "payments@example.com", "tenant_id": "00000000-0000-0000-0000-000000000000",
	"token_url": "https://oauth.example.com/oauth2/token", "program_file": "program",
	"preset": "telicent", "spare_slot": "overwrite", "user_pool": "eu-central-1_AbCdEf123",
}

var placeholderLine = regexp.MustCompile(`^config\.yaml:(\d+): (\S+?)(?:\[0\])?: is not filled in yet`)

// complete fills in what check names, and nothing else.
func complete(t *testing.T, said string) (filled int) {
	t.Helper()
	raw, err := os.ReadFile("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.Replace(string(raw), "# allow_unproven: true", "allow_unproven: true", 1), "\n")
	for line := range strings.Lines(said) {
		if file := regexp.MustCompile(`the file (\S+) does not exist`).FindStringSubmatch(line); file != nil {
			if err := os.WriteFile(file[1], []byte("a secret\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m := placeholderLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		value := fillIn[m[2][strings.LastIndex(m[2], ".")+1:]]
		if value == "" {
			value = "something"
		}
		i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, `"<fill in: `) && !strings.HasPrefix(l, "#") })
		lines[i] = regexp.MustCompile(`"<fill in: .*>"`).ReplaceAllString(lines[i], `"`+value+`"`)
		filled++
	}
	if err := os.WriteFile("config.yaml", []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return filled
}

// Whatever the kind: what init writes is right once that is filled in which check names, and it changes nothing.
func TestANewConfigurationIsRightOnceItIsFilledIn(t *testing.T) {
	for _, kind := range kindNames() {
		t.Run(kind, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("CREDENTIALS_DIRECTORY", "")
			if err := os.WriteFile("program", []byte("#!/bin/sh\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			if code := run([]string{"init", "--config", "config.yaml", "--kind", kind}, nil, &out, &errs, nil); code != exitDone {
				t.Fatalf("init: code %d: %s", code, &errs)
			}
			if n := complete(t, out.String()); n < 6 {
				t.Errorf("init names %d things to fill in:\n%s", n, &out)
			}
			cfg, problems := config.Load("config.yaml", configKinds())
			if len(problems.Errors()) > 0 {
				raw, _ := os.ReadFile("config.yaml")
				t.Fatalf("%s\n%s", problems, raw)
			}
			if p := cfg.Policies[config.DefaultPolicy]; p.Start != credential.StartObserve {
				t.Errorf("it starts with %q", p.Start)
			}
			if _, known := cfg.Provider(kind); !known {
				t.Errorf("it has no provider %s", kind)
			}
		})
	}
}

// The example that stands in the comments is a client that can be registered.
func TestTheClientInANewConfigurationIsRight(t *testing.T) {
	for _, kind := range kindNames() {
		t.Run(kind, func(t *testing.T) {
			t.Chdir(t.TempDir())
			k, _ := kindNamed(kind)
			text, err := newConfig(k)
			if err != nil {
				t.Fatal(err)
			}
			_, example, found := strings.Cut(string(text), "# clients:\n")
			if !found {
				t.Fatal("there is no example")
			}
			text = append(text, "clients:\n"+strings.ReplaceAll(example, "#", " ")...)
			if err := os.WriteFile("config.yaml", text, 0o600); err != nil {
				t.Fatal(err)
			}
			_, problems := config.Load("config.yaml", configKinds(), config.SyntaxOnly())
			for _, p := range problems.Errors() {
				if p.What != "is not filled in yet" && !strings.HasSuffix(p.Path, ".allow_unproven") {
					t.Error(p)
				}
			}
		})
	}
}

func TestAConfigurationIsWrittenWholeOrNotAtAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.Symlink("/nowhere/config.yaml", file); err != nil {
		t.Fatal(err)
	}
	if err := writeNew(file, []byte("x")); !os.IsExist(err) {
		t.Errorf("through a link that leads nowhere: %v", err)
	}
}
