package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/providers"
)

// blocks are settings of every kind that the configuration takes: what is written here, else what the example shows.
// FuzzKindSettings changes one at a time.
func blocks(f *testing.F, secret, program string) map[string]map[string]string {
	f.Helper()
	all := written(secret, program)
	for kind, block := range shownBlocks(f, secret) {
		if all[kind] == nil {
			all[kind] = block
		}
	}
	return all
}

// shownBlocks are the settings of each kind in the example that are texts.
func shownBlocks(f *testing.F, secret string) map[string]map[string]string {
	f.Helper()
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	var file struct {
		Providers map[string]map[string]any `yaml:"providers"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		f.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, shown := range file.Providers {
		block := map[string]string{}
		for key, value := range shown {
			text, ok := value.(string)
			switch {
			case strings.HasSuffix(key, "_file"):
				block[key] = secret
			case ok && key != "kind" && key != "deadline" && key != "propagation":
				block[key] = text
			}
		}
		all[shown["kind"].(string)] = block //nolint:forcetypeassert // the example is checked elsewhere
	}
	return all
}

// written are settings that say more than the example.
func written(secret, program string) map[string]map[string]string {
	return map[string]map[string]string{
		"dcr": {
			"url": "https://idp.example.com/register", "token_url": "https://idp.example.com/token",
			"introspection_url": "https://idp.example.com/introspect", "rotates": "never",
		},
		"entra": {
			"tenant_id": "t", "client_id": "c", "client_secret_file": secret, "graph_url": "https://graph.example.com/v1.0",
			"login_url": "https://login.example.com", "verify_scope": "x",
		},
		"exec": {
			"program_file": program, "directory": "/", "credential_file": secret, "secret_field": "client_secret", "timeout": "20s",
			"kill_after": "5s",
		},
		"http": {
			"preset": "telicent", "url": "https://auth.example.com", "token_file": secret, "login_header": "X-Api-Key", "login_scheme": "Key",
			"login_url": "https://auth.example.com/token", "reason": "x", "grace": "7d",
		},
		"generated": {"use": "salt", "length": "64", "alphabet": "hex", "restart": "none", "invalidates": "x"},
		"jwks":      {"token_url": "https://idp.example.com/token", "audience": "https://idp.example.com", "directory": "/", "algorithm": "EdDSA", "max_age": "1h"},
		"keycloak":  {"url": "https://kc.example.com", "realm": "r", "login_realm": "master", "client_id": "rotad", "client_secret_file": secret},
		"lightapi": {
			"url": "https://portal.example.com", "host_id": "h", "token_url": "https://oauth.example.com/oauth2/token", "wire": "legacy",
			"client_id": "c", "client_secret_file": secret, "scope": "portal.w", "stale_code": "ERR11639",
		},
		"manual": {"token_url": "https://idp.example.com/token", "introspection_url": "https://idp.example.com/introspect", "instructions": "x"},
		"odc": {
			"url": "https://acme.outsystems.dev", "api": "auto", "overlap_hours": "24", "instructions": "x", "client_id": "c", "client_secret_file": secret, "scope": "s",
		},
		"telekom": {
			"url": "https://plane.example.com", "group": "g", "team": "t", "token_url": "https://idp.example.com/token", "client_id": "c",
			"client_secret_file": secret, "verify_url": "https://idp.example.com/token", "secret_rotation": "on", "grace_period": "7d",
		},
		"telicent": {
			"url": "https://auth.example.com", "token_file": secret, "secret_path": "a.b", "created_path": "c", "token_url": "https://auth.example.com/token",
		},
		"vault-approle": {"address": "https://v.example.com", "namespace": "n", "mount": "approle", "values": "own", "token_file": secret},
	}
}

// FuzzKindSettings puts any text in the place of one setting of a kind. What "rotad check" takes, the daemon can open: an
// error that comes only then would be an outage after a restart.
func FuzzKindSettings(f *testing.F) {
	for i, text := range []string{"https://[::1]", "https://a b", "http://h:99999", "//h", "https://u:p@h/x?y#z", "\x00", "a/../b", "own", "..", " ", "{client_id}", "https://h/%zz"} {
		for kind := range kinds() {
			f.Add(uint8(kind), uint8(i), text)
		}
	}
	dir := f.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("s\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		f.Fatal(err)
	}
	all := blocks(f, secret, program)
	names := slices.Sorted(maps.Keys(all))
	if len(names) != len(kinds()) {
		f.Fatalf("there are settings for %v only", names)
	}
	file := filepath.Join(dir, "config.yaml")
	f.Fuzz(func(t *testing.T, which, setting uint8, text string) {
		name := names[int(which)%len(names)]
		block := maps.Clone(all[name])
		changed := slices.Sorted(maps.Keys(block))[int(setting)%len(block)]
		if strings.HasSuffix(changed, "_file") {
			return
		}
		block[changed] = strings.ToValidUTF8(text, "?")
		if err := os.WriteFile(file, []byte(oneProvider(name, secret, block)), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, problems := config.Load(file, configKinds())
		if problems.Err() != nil {
			return
		}
		p, _ := cfg.Provider("p")
		kind, _ := kindNamed(name)
		_, err := kind.Open(providers.Opening{
			Name: p.Name, Settings: p.Settings, Secret: p.Secret, Elapsed: func() time.Duration { return 0 },
		})
		if err != nil {
			t.Errorf("%s: %q passes the check and cannot be opened: %v", changed, text, err)
		}
	})
}

// oneProvider is a configuration with one provider.
func oneProvider(kind, secret string, block map[string]string) string {
	var b strings.Builder
	b.WriteString("vault: {address: \"https://v.example.com\", auth: {method: token, token_file: " + secret + "}}\nproviders:\n  p:\n    kind: " + kind + "\n    allow_unproven: true\n")
	for _, name := range slices.Sorted(maps.Keys(block)) {
		b.WriteString("    " + name + ": " + strconv.QuoteToASCII(block[name]) + "\n")
	}
	return b.String()
}
