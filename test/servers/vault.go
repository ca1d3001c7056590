package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// Vault is a Vault with persistent storage. It survives Kill and Restart, on the same port.
type Vault struct {
	URL     string // http://127.0.0.1:port
	RoleID  string // of rotad's AppRole, set by Prepare
	program string
	dir     string
	addr    string
	keys    vaultKeys
	memory  bool
	process *Process
}

type vaultKeys struct {
	RootToken string `json:"root_token"`
	UnsealKey string `json:"unseal_key"`
}

// InstallVault builds Vault's core server from its modules and returns the program. $VAULT=full takes the whole server
// instead, which takes a quarter of an hour to build. module is the directory of the tests' module.
func InstallVault(ctx context.Context, cache Cache, module string) (string, error) {
	variant := "vault"
	if os.Getenv("VAULT") == "full" {
		variant = "vaultfull"
	}
	source := filepath.Join(module, "servers", variant)
	name, err := sourceName(variant, source)
	if err != nil {
		return "", err
	}
	dir, err := cache.Once(ctx, name, func(ctx context.Context, dir string) error {
		return buildIn(ctx, source, filepath.Join(dir, "vault"), ".")
	})
	return filepath.Join(dir, "vault"), err
}

// buildIn builds a package of the module in source, with more flags of go build.
func buildIn(ctx context.Context, source, target, pkg string, flags ...string) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("building %s: %w", target, err)
	}
	return run(ctx, source, goTool, slices.Concat([]string{"build", "-o", target}, flags, []string{pkg})...)
}

// StartVault starts a Vault that is initialised and unsealed, and empty.
func StartVault(ctx context.Context, cache Cache, module, dir string) (*Vault, error) {
	return startVault(ctx, cache, module, dir, false)
}

// StartVaultInMemory starts one that writes no file, for those who ask much of it. It cannot be restarted.
func StartVaultInMemory(ctx context.Context, cache Cache, module, dir string) (*Vault, error) {
	return startVault(ctx, cache, module, dir, true)
}

func startVault(ctx context.Context, cache Cache, module, dir string, memory bool) (*Vault, error) {
	program, err := InstallVault(ctx, cache, module)
	if err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	v := &Vault{URL: "http://" + addr, program: program, dir: dir, addr: addr, memory: memory}
	if err = v.start(ctx, true); err == nil {
		err = v.readKeys()
	}
	if err != nil {
		v.Stop()
		return nil, err
	}
	return v, nil
}

func (v *Vault) readKeys() error {
	raw, err := os.ReadFile(v.keysFile())
	if err == nil {
		err = json.Unmarshal(raw, &v.keys)
	}
	if err != nil {
		return fmt.Errorf("reading vault's keys: %w", err)
	}
	return nil
}

func (v *Vault) keysFile() string { return filepath.Join(v.dir, "vault-keys.json") }

func (v *Vault) start(ctx context.Context, unseal bool) error {
	args := []string{"-addr", v.addr, "-keys", v.keysFile()}
	if v.memory {
		args = append(args, "-memory")
	} else {
		args = append(args, "-data", filepath.Join(v.dir, "vault"))
	}
	want := http.StatusServiceUnavailable // sealed
	if unseal {
		args, want = append(args, "-unseal"), http.StatusOK
	}
	var env []string
	if v.memory {
		env = FrugalEnv()
	}
	var err error
	v.process, err = Launch(Spec{
		Name: "vault", Path: v.program, Args: args, Env: env, Dir: v.dir, Log: filepath.Join(v.dir, "vault.log"),
	})
	if err != nil {
		return err
	}
	return v.awaitHealth(ctx, want)
}

// awaitHealth waits until sys/health answers with a status: 200 ready, 503 sealed.
func (v *Vault) awaitHealth(ctx context.Context, want int) error {
	err := Until(ctx, 30*time.Second, 50*time.Millisecond, func(ctx context.Context) error {
		if err := v.process.ended(); err != nil {
			return err
		}
		got, err := v.health(ctx)
		if err == nil && got != want {
			err = fmt.Errorf("sys/health answers %d, want %d", got, want)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("waiting for vault: %w", err)
	}
	return nil
}

func (v *Vault) health(ctx context.Context) (int, error) {
	err := do(ctx, call{method: http.MethodGet, url: v.URL + "/v1/sys/health"})
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Status, nil
	}
	return http.StatusOK, err
}

// Kill ends Vault at once (SIGKILL).
func (v *Vault) Kill() { v.process.Kill() }

// Stop ends Vault.
func (v *Vault) Stop() { _ = v.process.Stop(5 * time.Second) }

// CPU returns how long this process of Vault has had a core.
func (v *Vault) CPU() time.Duration { return v.process.CPU() }

// Restart starts a Vault that was killed or stopped, with its data, on its port; sealed, if unseal is false.
func (v *Vault) Restart(ctx context.Context, unseal bool) error { return v.start(ctx, unseal) }

// Seal seals Vault: every request is answered with 503 until Unseal.
func (v *Vault) Seal(ctx context.Context) error {
	if err := v.root(ctx, http.MethodPut, "sys/seal", nil, nil); err != nil {
		return fmt.Errorf("sealing vault: %w", err)
	}
	return v.awaitHealth(ctx, http.StatusServiceUnavailable)
}

// Unseal opens a sealed Vault.
func (v *Vault) Unseal(ctx context.Context) error {
	if err := v.root(ctx, http.MethodPut, "sys/unseal", map[string]any{"key": v.keys.UnsealKey}, nil); err != nil {
		return fmt.Errorf("unsealing vault: %w", err)
	}
	return v.awaitHealth(ctx, http.StatusOK)
}

// RootToken returns the root token. Only the harness uses it, never rotad.
func (v *Vault) RootToken() string { return v.keys.RootToken }

// LogTail returns the last lines of its log.
func (v *Vault) LogTail(lines int) string { return v.process.LogTail(lines) }

// root sends a request with the root token; path is below /v1/.
func (v *Vault) root(ctx context.Context, method, path string, in, out any) error {
	headers := map[string]string{"X-Vault-Token": v.keys.RootToken}
	return do(ctx, call{method: method, url: v.URL + "/v1/" + path, headers: headers, json: in, out: out})
}

// UnsealKey returns the one unseal key, in hex.
func (v *Vault) UnsealKey() string { return v.keys.UnsealKey }
