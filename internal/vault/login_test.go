package vault_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

func replace(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const tokenEnded = "vault did not accept the token any more; logged in again"

func TestRefusalForcesOneLogin(t *testing.T) {
	byEvery(t, roleLogins, time.Hour, func(t *testing.T, f *fixture) {
		stage := func(cas int) error {
			_, _, err := f.client.Stage(t.Context(), "key", cas, vaulttest.Full())
			return err
		}
		if err := stage(0); err != nil {
			t.Fatal(err)
		}
		f.kv.RevokeTokens()
		if err := stage(1); err != nil {
			t.Fatalf("a new token would have been accepted: %v", err)
		}
		if !strings.Contains(f.log.String(), tokenEnded) {
			t.Errorf("nobody learns that the token had ended: %s", f.log)
		}
		if got := f.count(f.loginAt); got != 2 {
			t.Errorf("%d logins, want 2", got)
		}

		f.kv.RevokeTokens()
		if err := stage(2); !errors.Is(err, credential.ErrDenied) {
			t.Errorf("got %v a moment after a forced login", err)
		}
		if got := f.count(f.loginAt); got != 2 {
			t.Errorf("%d logins: refusals must not turn every call into a login", got)
		}
		f.pass(time.Minute)
		if err := stage(2); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}

func TestRefusalsAtOnceForceOneLogin(t *testing.T) {
	byEvery(t, roleLogins, time.Hour, func(t *testing.T, f *fixture) {
		if err := f.client.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.kv.RevokeTokens()
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, err := f.client.Staging(t.Context(), "key"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := f.count(f.loginAt); got != 2 {
			t.Errorf("%d logins, want 2", got)
		}
	})
}

func TestMissingRightStaysDenied(t *testing.T) {
	byEvery(t, roleLogins, time.Hour, func(t *testing.T, f *fixture) {
		for range 3 {
			_, err := f.client.Consumer(t.Context(), credential.VaultPath{Path: "elsewhere/x"}, 0)
			if !errors.Is(err, credential.ErrDenied) {
				t.Fatalf("got %v", err)
			}
		}
		if got := f.count(f.loginAt); got != 2 {
			t.Errorf("%d logins, want the first and one to make sure", got)
		}
		if strings.Contains(f.log.String(), tokenEnded) {
			t.Errorf("the token is blamed for a right that is missing: %s", f.log)
		}
	})
}

func TestLoginErrorsSayWhatToLookAt(t *testing.T) {
	f := newFixture(t, time.Hour)
	for name, c := range map[string]struct {
		auth vault.Auth
		want error
		text string
	}{
		"wrong secret id": {
			vault.Auth{RoleID: "rotad", SecretIDFile: file(t, "wrong-"+vaulttest.Canary)},
			credential.ErrDenied, "does not accept these credentials",
		},
		"no secret id where one is needed": {vault.Auth{RoleID: "rotad"}, credential.ErrDenied, "does not accept"},
		"missing file": {
			vault.Auth{RoleID: "rotad", SecretIDFile: "/does/not/exist"}, os.ErrNotExist, "/does/not/exist",
		},
		"empty file": {vault.Auth{TokenFile: file(t, " \n")}, nil, "is empty"},
		"garbage in the file": {
			vault.Auth{TokenFile: file(t, vaulttest.Canary+"\x00 x")}, nil, "unprintable",
		},
		"token that has ended": {vault.Auth{TokenFile: file(t, vaulttest.Canary)}, credential.ErrDenied, "lookup-self"},
		"unset variable":       {vault.Auth{TokenEnv: "ROTAD_TEST_UNSET"}, nil, "ROTAD_TEST_UNSET is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			err := f.open(vault.Settings{Address: f.settings.Address, Auth: c.auth}).Login(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.text) || (c.want != nil && !errors.Is(err, c.want)) {
				t.Errorf("got %v", err)
			}
			if strings.Contains(err.Error(), vaulttest.Canary) {
				t.Error("the error tells a secret")
			}
		})
	}
}

func TestSecretsComeFromTheEnvironmentToo(t *testing.T) {
	f := newFixture(t, time.Hour)
	t.Setenv("ROTAD_SECRET_ID", secretID)
	auth := vault.Auth{RoleID: "rotad", SecretIDEnv: "ROTAD_SECRET_ID"}
	if err := f.open(vault.Settings{Address: f.settings.Address, Auth: auth}).Login(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNamespaceOfAPathGoesWithItsRequests(t *testing.T) {
	f := newFixture(t, time.Hour)
	f.kv.Mount("team/kv", 2)
	f.kv.AddAppRole("rotad", secretID, time.Hour, append(slices.Clip(leastGrants(t)),
		sandbox.KVGrant{Path: "team/kv/*", Capabilities: []string{"create", "read", "update", "patch"}})...)
	path := credential.VaultPath{Namespace: "team", Mount: "kv", Path: "billing"}
	bundle := credential.Bundle{"client_secret": credential.NewSensitive("s")}
	if _, _, err := f.client.Promote(t.Context(), path, 0, bundle); err != nil {
		t.Fatal(err)
	}
	if err := f.client.Annotate(t.Context(), path, map[string]string{"a": "b"}); err != nil {
		t.Fatal(err)
	}
	if data, version := f.kv.Current("team/kv", "billing"); version != 1 || data["client_secret"] != "s" {
		t.Errorf("version %d, data %v", version, data)
	}
	if _, _, err := f.client.Stage(t.Context(), "key", 0, vaulttest.Full()); err != nil {
		t.Errorf("staging lies in the configured namespace: %v", err)
	}
}

func TestAnnotationsSurviveWhereVaultOrPolicyKnowsNoPatch(t *testing.T) {
	for name, status := range map[string]int{"old server": 405, "policy without patch": 403} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, time.Hour)
			path := credential.VaultPath{Path: "apps/x"}
			if err := f.client.Annotate(t.Context(), path, map[string]string{"theirs": "kept", "gone": "x"}); err != nil {
				t.Fatal(err)
			}
			f.faults.Status(sandbox.When{Method: "PATCH", Count: -1}, status, 0)
			for range 2 {
				if err := f.client.Annotate(t.Context(), path, map[string]string{"rotad_a": "b", "gone": ""}); err != nil {
					t.Fatal(err)
				}
			}
			got := custom(t, f, "apps/x")
			if len(got) != 2 || got["theirs"] != "kept" || got["rotad_a"] != "b" {
				t.Errorf("got %v", got)
			}
			if logins := f.count(loginPath); logins != 1 {
				t.Errorf("%d logins: a refused patch is no reason for one", logins)
			}
		})
	}
}
