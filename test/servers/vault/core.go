package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"

	jwt "github.com/hashicorp/vault-plugin-auth-jwt"
	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
)

// leaseTTL is Vault's own default for leases and tokens.
const leaseTTL = 768 * time.Hour

// openStorage opens the storage in a directory, or one in memory, which ends with the process. On a disk, half of what
// Vault does is to create small files.
func openStorage(o options, logger hclog.Logger) (physical.Backend, error) {
	if o.memory {
		return inmem.NewInmem(nil, logger)
	}
	return file.NewFileBackend(map[string]string{"path": o.data}, logger)
}

// openCore builds the core over its storage. The core is sealed until prepare or the API unseals it.
func openCore(o options, log io.Writer) (*vault.Core, error) {
	logger := hclog.New(&hclog.LoggerOptions{Name: "vaultlite", Level: hclog.Warn, Output: log})
	storage, err := openStorage(o, logger)
	if err != nil {
		return nil, fmt.Errorf("opening the storage: %w", err)
	}
	engines := builtins{
		secrets: map[string]logical.Factory{"kv": kv.Factory},
		logins: map[string]logical.Factory{
			"approle": approle.Factory, "jwt": jwt.Factory, "kubernetes": kubernetes.Factory,
		},
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		Logger:             logger,
		DisableMlock:       true,
		LogicalBackends:    engines.secrets,
		CredentialBackends: engines.logins,
		BuiltinRegistry:    engines,
		DefaultLeaseTTL:    leaseTTL,
		MaxLeaseTTL:        leaseTTL,
	})
	if err != nil {
		return nil, fmt.Errorf("building the core: %w", err)
	}
	return core, nil
}

// prepare initialises and unseals a new server. It leaves an initialised one sealed, unless it is told otherwise.
func prepare(ctx context.Context, core *vault.Core, o options) error {
	initialised, err := core.Initialized(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("looking at the storage: %w", err)
	case !initialised:
		return initialise(ctx, core, o.keys)
	case !o.unseal:
		return nil
	}
	keys, err := readKeys(o.keys)
	if err != nil {
		return err
	}
	return unseal(core, keys)
}

func initialise(ctx context.Context, core *vault.Core, path string) error {
	result, err := core.Initialize(ctx, &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	if err != nil {
		return fmt.Errorf("initialising: %w", err)
	}
	keys := newKeys(result.RootToken, result.SecretShares[0])
	if err := keys.write(path); err != nil {
		return err
	}
	return unseal(core, keys)
}

func unseal(core *vault.Core, k keys) error {
	key, err := k.unsealKey()
	if err != nil {
		return err
	}
	open, err := core.Unseal(key)
	if err != nil {
		return fmt.Errorf("unsealing: %w", err)
	}
	if !open {
		return fmt.Errorf("unsealing: the key was taken and the server is still sealed")
	}
	return nil
}
