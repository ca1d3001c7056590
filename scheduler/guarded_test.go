package scheduler_test

import (
	"context"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
)

// guarded is a modelled Vault for several workers: the model itself is made for one.
type guarded struct {
	*model.Vault
	mu *sync.Mutex
}

func (g guarded) Staging(ctx context.Context, key string) (credential.Entry, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Vault.Staging(ctx, key)
}

func (g guarded) Stage(ctx context.Context, key string, cas int, s credential.Staging) (int, time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Vault.Stage(ctx, key, cas, s)
}

func (g guarded) Consumer(ctx context.Context, p credential.VaultPath, n int) (credential.Consumer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Vault.Consumer(ctx, p, n)
}

func (g guarded) Promote(ctx context.Context, p credential.VaultPath, cas int, b credential.Bundle) (int, time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Vault.Promote(ctx, p, cas, b)
}

func (g guarded) DestroyStaging(ctx context.Context, key string, versions []int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Vault.DestroyStaging(ctx, key, versions)
}

func (g guarded) DestroyConsumer(ctx context.Context, p credential.VaultPath, versions []int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Vault.DestroyConsumer(ctx, p, versions)
}

func (g guarded) Time(ctx context.Context) (time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Vault.Time(ctx)
}
