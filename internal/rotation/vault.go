package rotation

import (
	"context"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Vault is what a rotation needs of HashiCorp Vault's KV v2. Reads are hints; what was staged or published is decided
// only by the compare-and-swap of Stage and Promote.
type Vault interface {
	// Staging reads a client's staging entry. No entry is Entry{Version: 0} without an error.
	Staging(ctx context.Context, key string) (credential.Entry, error)

	// Stage writes a staging entry if the entry's version is still cas (0 = there has never been one). It returns the
	// new version and Vault's time of it. credential.ErrCAS: another version stands there, possibly ours: read and compare. Any
	// other error leaves open whether the write took place, unless it is credential.ErrDenied or credential.ErrSealed.
	Stage(ctx context.Context, key string, cas int, s credential.Staging) (version int, created time.Time, err error)

	// Consumer reads the current version of what consumers read. Version names one version; 0 = the current one.
	Consumer(ctx context.Context, p credential.VaultPath, version int) (credential.Consumer, error)

	// Promote writes the bundle's fields over the data of version cas, keeping every other key byte for byte, if the
	// version is still cas (0 = never written). Errors as for Stage.
	Promote(ctx context.Context, p credential.VaultPath, cas int, b credential.Bundle) (version int, created time.Time, err error)

	// Annotate patches custom_metadata of the consumer path; an empty value removes a key. Others' keys survive. It is
	// never used to decide.
	Annotate(ctx context.Context, p credential.VaultPath, meta map[string]string) error

	// DestroyStaging and DestroyConsumer destroy versions by number. A version that is gone already is no error.
	DestroyStaging(ctx context.Context, key string, versions []int) error
	DestroyConsumer(ctx context.Context, p credential.VaultPath, versions []int) error

	// Time returns Vault's own clock.
	Time(ctx context.Context) (time.Time, error)

	// TokenExpires returns when rotad's token ends; zero = never.
	TokenExpires() time.Time
}
