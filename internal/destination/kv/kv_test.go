package kv_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination"
	"github.com/rotad/rotad/internal/destination/kv"
	"github.com/rotad/rotad/internal/destination/kv/kvtest"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

func TestConformanceOfTheSandbox(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) vaulttest.Server {
		t.Helper()
		server := sandbox.NewKV(time.Now)
		server.AddToken("token-of-rotad", time.Hour, shippedGrants(t)...)
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte("token-of-rotad"), 0o600); err != nil {
			t.Fatal(err)
		}
		listener := httptest.NewServer(server)
		t.Cleanup(listener.Close)
		return vaulttest.Server{
			Address: listener.URL, Root: server.RootToken(),
			Settings: vault.Settings{Mount: "secret", Auth: vault.Auth{Method: vault.MethodToken, TokenFile: file}},
		}
	})
}

var policyBlock = regexp.MustCompile(`(?s)\npath "([^"]+)" \{\s*capabilities = \[([^\]]*)\]\s*\}`)

// shippedGrants are the rights of the policy for further Vaults, with the tests' folder in place of the example's path.
func shippedGrants(t *testing.T) (grants []sandbox.KVGrant) {
	t.Helper()
	policy, err := os.ReadFile("../../../deploy/vault/rotad-copies.hcl")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(policy), "team/billing", "apps/*", 1)
	for _, block := range policyBlock.FindAllStringSubmatch(text, -1) {
		grants = append(grants, sandbox.KVGrant{Path: block[1], Capabilities: strings.Split(strings.ReplaceAll(block[2], `"`, ""), ", ")})
	}
	if len(grants) != strings.Count(text, "\npath ") || !strings.Contains(text, "apps/*") {
		t.Fatalf("read %d blocks", len(grants))
	}
	return grants
}

// standby is a Vault whose reads come from a node that is behind.
type standby struct{ made int }

func (*standby) HasKeys(context.Context, credential.VaultPath, credential.Keys) (int, bool, error) {
	return 3, false, nil
}

func (s *standby) PutKeys(_ context.Context, _ credential.VaultPath, cas int, _ credential.Keys) (int, error) {
	s.made++
	return cas + 1, nil
}

func copyOf() credential.Copy {
	return credential.Copy{Client: "billing", Version: 1, Bundle: credential.Bundle{"client_secret": credential.NewSensitive("s3cret")}}
}

func TestAReadThatIsBehindIsNoSomebodyElse(t *testing.T) {
	var s standby
	written, err := kv.Deliver(t.Context(), &s, credential.VaultPlace{Vault: "edge", Mount: "kv", Path: "a/b"}, copyOf())
	if err == nil || written || s.made != 1 || err.Error() != "edge:kv/a/b: version 4 was written, and a read still shows version 3: a standby is behind" {
		t.Errorf("written %t, %d times: %v", written, s.made, err)
	}
}

// What a Vault refuses comes with what to do about it.
func TestARefusalSaysWhatToDo(t *testing.T) {
	for cause, want := range map[error]string{
		credential.ErrDenied: "create, read and update", credential.ErrNoMount: "a mount of KV version 2", credential.ErrSealed: "unseal it",
	} {
		_, err := kv.Deliver(t.Context(), refusing{cause}, credential.VaultPlace{Mount: "kv", Path: "a/b"}, copyOf())
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "kv/a/b: ") {
			t.Error(err)
		}
	}
}

type refusing struct{ err error }

func (r refusing) HasKeys(context.Context, credential.VaultPath, credential.Keys) (int, bool, error) {
	return 0, false, r.err
}

func (r refusing) PutKeys(context.Context, credential.VaultPath, int, credential.Keys) (int, error) {
	return 0, r.err
}

func TestAVaultThatIsNotConfiguredIsNamed(t *testing.T) {
	d := credential.Destination{Name: "edge", Vault: &credential.VaultPlace{Vault: "edge", Mount: "kv", Path: "a/b"}}
	for name, set := range map[string]destination.Set{
		"there is no Vault": {},
		"edge:kv/a/b: none": {Vault: func(string) (kv.Vault, error) { return nil, errors.New("none") }},
	} {
		if written, err := set.Deliver(t.Context(), d, copyOf()); written || err == nil || !strings.Contains(err.Error(), name) {
			t.Error(written, err)
		}
	}
}
