package model

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Vault is a modelled KV v2 with the two paths of one client.
type Vault struct {
	World *World
	// Before is called right before a staging write takes effect: a place for somebody else's write.
	Before   func(s credential.Staging)
	staging  []version[credential.Staging]
	consumer []version[credential.Bundle]
}

type version[T any] struct {
	data      T
	at        time.Time
	destroyed bool
}

var errVault = errors.New("vault: the connection was lost")

func (v *Vault) fault(kind FaultKind) error {
	switch kind {
	case LostReply, Timeout:
		return errVault
	case Refused:
		return credential.ErrSealed
	default:
		return nil
	}
}

// Seed publishes a value as if a person had done so.
func (v *Vault) Seed(value string) {
	v.consumer = append(v.consumer, version[credential.Bundle]{at: v.World.Wall, data: credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("client"), credential.FieldClientSecret: credential.NewSensitive(value),
	}})
}

// Hands returns the value that Vault hands out; empty if there is none.
func (v *Vault) Hands() string {
	if len(v.consumer) == 0 || v.consumer[len(v.consumer)-1].destroyed {
		return ""
	}
	return v.consumer[len(v.consumer)-1].data.Secret().Reveal()
}

// Staged returns the value that staging holds now; empty if it holds none.
func (v *Vault) Staged() string {
	if len(v.staging) == 0 || v.staging[len(v.staging)-1].destroyed {
		return ""
	}
	return v.staging[len(v.staging)-1].data.Bundle.Secret().Reveal()
}

// Staging reads the staging entry.
func (v *Vault) Staging(context.Context, string) (credential.Entry, error) {
	var e credential.Entry
	kind := v.World.call("vault.read", func() {
		if n := len(v.staging); n > 0 {
			last := v.staging[n-1]
			e = credential.Entry{Staging: last.data, Version: n, Created: last.at, Deleted: last.destroyed}
		}
	})
	return e, v.fault(kind)
}

// Stage writes the staging entry by compare-and-swap.
func (v *Vault) Stage(_ context.Context, _ string, cas int, s credential.Staging) (int, time.Time, error) {
	mismatch := false
	kind := v.World.call("vault.stage", func() {
		if v.Before != nil {
			v.Before(s)
		}
		if mismatch = len(v.staging) != cas; !mismatch {
			v.staging = append(v.staging, version[credential.Staging]{data: s, at: v.World.Wall})
		}
	})
	if err := v.fault(kind); err != nil {
		return 0, time.Time{}, err
	}
	if mismatch {
		return 0, time.Time{}, credential.ErrCAS
	}
	return len(v.staging), v.World.Wall, nil
}

// Consumer reads a version of the consumer path.
func (v *Vault) Consumer(_ context.Context, _ credential.VaultPath, n int) (credential.Consumer, error) {
	var c credential.Consumer
	kind := v.World.call("vault.read", func() {
		if n == 0 {
			n = len(v.consumer)
		}
		if n > 0 && n <= len(v.consumer) {
			stored := v.consumer[n-1]
			c = credential.Consumer{Version: n, Created: stored.at, Deleted: stored.destroyed}
			if !stored.destroyed {
				c.Bundle = stored.data
			}
		}
	})
	return c, v.fault(kind)
}

// Promote writes the consumer path by compare-and-swap.
func (v *Vault) Promote(_ context.Context, _ credential.VaultPath, cas int, b credential.Bundle) (int, time.Time, error) {
	mismatch := false
	kind := v.World.call("vault.promote", func() {
		if mismatch = len(v.consumer) != cas; !mismatch {
			v.consumer = append(v.consumer, version[credential.Bundle]{data: b, at: v.World.Wall})
		}
	})
	if err := v.fault(kind); err != nil {
		return 0, time.Time{}, err
	}
	if mismatch {
		return 0, time.Time{}, credential.ErrCAS
	}
	return len(v.consumer), v.World.Wall, nil
}

// Annotate does nothing that a rotation depends on.
func (v *Vault) Annotate(context.Context, credential.VaultPath, map[string]string) error { return nil }

// DestroyStaging destroys staging versions.
func (v *Vault) DestroyStaging(_ context.Context, _ string, versions []int) error {
	return v.fault(v.World.call("vault.destroy", func() { destroy(v.staging, versions) }))
}

// DestroyConsumer destroys consumer versions, and notes where that takes away what Vault hands out.
func (v *Vault) DestroyConsumer(_ context.Context, _ credential.VaultPath, versions []int) error {
	return v.fault(v.World.call("vault.destroy", func() {
		if slices.Contains(versions, len(v.consumer)) {
			v.World.Violate("destroyed version %d, which Vault hands out", len(v.consumer))
		}
		destroy(v.consumer, versions)
	}))
}

func destroy[T any](list []version[T], versions []int) {
	for _, n := range versions {
		if n > 0 && n <= len(list) {
			list[n-1].destroyed = true
		}
	}
}

// Time returns the true time.
func (v *Vault) Time(context.Context) (time.Time, error) {
	var t time.Time
	kind := v.World.call("vault.time", func() { t = v.World.Wall })
	return t, v.fault(kind)
}

// TokenExpires returns zero: the model's token never ends.
func (v *Vault) TokenExpires() time.Time { return time.Time{} }

// RollBack takes the consumer path back by one version, as a restored backup of Vault does.
func (v *Vault) RollBack() { v.consumer = v.consumer[:len(v.consumer)-1] }

// Land writes a staging entry as a request that was under way for long does.
func (v *Vault) Land(s credential.Staging) {
	v.staging = append(v.staging, version[credential.Staging]{data: s, at: v.World.Wall})
}
