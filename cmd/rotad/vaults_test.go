package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/kv"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault"
)

// edges are servers without a network: each keeps the paths that it was asked for.
type edges struct {
	mu    sync.Mutex
	kv    map[string]*sandbox.KV // by host
	asked map[string][]string
}

func newEdges(hosts ...string) *edges {
	e := &edges{kv: map[string]*sandbox.KV{}, asked: map[string][]string{}}
	for _, host := range hosts {
		e.kv[host] = sandbox.NewKV(time.Now)
		e.kv[host].AddAppRole("rotad", "the-secret-id", time.Hour, demoGrants()...)
	}
	return e
}

func (e *edges) RoundTrip(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked[r.URL.Host] = append(e.asked[r.URL.Host], strings.TrimPrefix(r.URL.Path, "/v1/"))
	answer := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	e.kv[r.URL.Host].ServeHTTP(answer, r)
	response := answer.Result()
	response.Request = r
	return response, nil
}

// since returns what a host was asked for since the last call.
func (e *edges) since(host string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	paths := e.asked[host]
	e.asked[host] = nil
	return paths
}

// vaults are those of a daemon without further ones, whose clients come to these servers.
func (e *edges) vaults() *vaults {
	c := realClocks()
	v := &vaults{changed: make(chan struct{}, 1), opener: func(_ string, s vault.Settings) (*vault.Client, error) {
		s.Transport = e
		return vault.Open(s, c.ofVault(), slog.New(slog.DiscardHandler))
	}}
	v.current.Store(&map[string]further{})
	return v
}

func withEdges(file string, addresses map[string]string) *config.Config {
	cfg := &config.Config{Vaults: map[string]config.VaultServer{}}
	for name, host := range addresses {
		cfg.Vaults[name] = config.VaultServer{
			Address: "http://" + host, Mount: "secret", Auth: config.VaultAuth{Method: "approle", RoleID: "rotad", SecretIDFile: file},
		}
	}
	return cfg
}

func reloadEdges(t *testing.T, v *vaults, cfg *config.Config) {
	t.Helper()
	opened, err := v.open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	v.swap(opened)
	synctest.Wait()
}

// A reload exchanges the client of a Vault that has changed, begins and ends the loops that keep tokens alive, and leaves
// alone what has not changed.
func TestAReloadExchangesFurtherVaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret-id")
	if err := os.WriteFile(file, []byte("the-secret-id"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		e := newEdges("a", "b")
		v := e.vaults()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { v.run(ctx); close(ended) }()

		reloadEdges(t, v, withEdges(file, map[string]string{"edge": "a"}))
		first, _ := v.named("edge")
		time.Sleep(3 * time.Hour)
		if got := e.since("a"); !slices.Contains(got, "auth/approle/login") || !slices.Contains(got, "auth/token/renew-self") {
			t.Errorf("the token is not kept alive: %v", got)
		}

		reloadEdges(t, v, withEdges(file, map[string]string{"edge": "a", "zone": "b"}))
		time.Sleep(time.Hour)
		if same, _ := v.named("edge"); same != first || slices.Contains(e.since("a"), "auth/approle/login") {
			t.Error("a Vault that has not changed was logged in to anew")
		}
		if !slices.Contains(e.since("b"), "auth/approle/login") {
			t.Error("a new Vault was not logged in to")
		}

		reloadEdges(t, v, withEdges(file, map[string]string{"edge": "b"}))
		e.since("a")
		time.Sleep(24 * time.Hour)
		if got := e.since("a"); len(got) > 0 {
			t.Errorf("a Vault that is not configured any more was asked %v", got)
		}
		if other, _ := v.named("edge"); other == first || len(e.since("b")) == 0 {
			t.Error("a Vault that has moved is not followed")
		}
		if _, err := v.named("zone"); err == nil || !strings.Contains(err.Error(), `no vault "zone" any more: write it under vaults:`) {
			t.Errorf("%v", err)
		}
		// A delivery that began with the former client ends with it.
		if _, _, err := first.HasKeys(t.Context(), credential.VaultPath{Mount: "secret", Path: "apps/x"}, credential.Keys{}); err != nil {
			t.Error(err)
		}
		stop()
		<-ended
	})
}

// A configuration with a Vault that cannot be opened changes nothing.
func TestAVaultThatCannotBeOpenedKeepsTheOldOnes(t *testing.T) {
	v := newEdges("a").vaults()
	opened, err := v.open(withEdges("/x", map[string]string{"edge": "a"}))
	if err != nil {
		t.Fatal(err)
	}
	v.swap(opened)
	before, _ := v.named("edge")
	cfg := withEdges("/x", map[string]string{"edge": "b"})
	cfg.Vaults["zone"] = config.VaultServer{Address: "nowhere"}
	if _, err := v.open(cfg); err == nil || !strings.Contains(err.Error(), "vaults: zone: ") {
		t.Errorf("%v", err)
	}
	if now, err := v.named("edge"); now != before || err != nil {
		t.Errorf("the Vault in force was exchanged: %v", err)
	}
}

// The state knows clients that no configuration names: a copy at their paths would be taken for what they publish.
func TestNoCopyIsWrittenWhereAClientIsPublished(t *testing.T) {
	failed := errors.New("the disk is gone")
	for name, tt := range map[string]struct {
		id   string
		ok   bool
		err  error
		want string
	}{
		"a client":             {"billing", true, nil, "the client billing is published there: give the destination a path of its own"},
		"a state that is gone": {"", false, failed, failed.Error()},
	} {
		wrote := &putter{}
		o := ownVault{wrote, func(context.Context, credential.VaultPath) (string, bool, error) { return tt.id, tt.ok, tt.err }}
		if _, err := o.PutKeys(t.Context(), credential.VaultPath{Mount: "secret", Path: "apps/billing"}, 0, credential.Keys{}); err == nil || !strings.Contains(err.Error(), tt.want) || wrote.times > 0 {
			t.Errorf("%s: written %d times, %v", name, wrote.times, err)
		}
	}
}

// putter is a Vault that takes everything.
type putter struct {
	kv.Vault

	times int
}

func (p *putter) PutKeys(context.Context, credential.VaultPath, int, credential.Keys) (int, error) {
	p.times++
	return 1, nil
}

// What a running rotation delivers to was settled when it began: its Vault stays until it has ended.
func TestAVaultStaysWhileARotationDeliversToIt(t *testing.T) {
	in := func(vault string) credential.Client {
		return credential.Client{ID: "a", Destinations: []credential.Destination{{Name: "x", Vault: &credential.VaultPlace{Vault: vault, Path: "p"}}}}
	}
	for name, tt := range map[string]struct {
		rec  credential.Record
		want bool
	}{
		"no rotation":            {credential.Record{Client: in("gone")}, false},
		"a rotation elsewhere":   {credential.Record{Rotation: &credential.Rotation{Client: in("edge")}}, false},
		"a rotation in the own":  {credential.Record{Rotation: &credential.Rotation{Client: in("")}}, false},
		"a rotation that is cut": {credential.Record{Rotation: &credential.Rotation{Client: in("gone")}}, true},
	} {
		cfg := withEdges("/x", map[string]string{"edge": "a"})
		plan := &registration{}
		tt.rec.Client.Source = "config.yaml:1"
		plan.judge(tt.rec, map[string]credential.Client{}, nil, cfg)
		err := plan.refuse(cfg, true)
		if got := err != nil && strings.Contains(err.Error(), "to which running rotations deliver"); got != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A variable that holds the token of a further Vault is not said to be ignored.
func TestAVariableThatAFurtherVaultFollowsIsNotIgnored(t *testing.T) {
	cfg := withEdges("", map[string]string{"edge": "a"})
	edge := cfg.Vaults["edge"]
	edge.Auth = config.VaultAuth{Method: "token", TokenEnv: "VAULT_TOKEN_EDGE"}
	cfg.Vaults["edge"] = edge
	if got := ignoredEnv(cfg, []string{"VAULT_ADDR=x", "VAULT_TOKEN_EDGE=x"}); !slices.Equal(got, []string{"VAULT_ADDR"}) {
		t.Errorf("said to be ignored: %v", got)
	}
}
