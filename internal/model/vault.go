package model

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
)

// Vault is a modelled KV v2 with the two paths of one client.
type Vault struct {
	World *World
	// Before is called right before a staging write takes effect: a place for somebody else's write.
	Before func(s credential.Staging)
	// Clock tells the time; nil = it is the world's.
	Clock    func() time.Time
	staging  []version[credential.Staging]
	consumer []version[credential.Bundle]
	once     map[string]bool // values that were published at some time
}

type version[T any] struct {
	data      T
	at        time.Time
	destroyed bool
	by        oracle.Maker
}

var errVault = errors.New("vault: the connection was lost")

func (v *Vault) fault(kind FaultKind) error {
	switch kind {
	case LostReply, Timeout, Reset, ServerError:
		return errVault
	case Refused:
		return credential.ErrSealed
	case Denied:
		return credential.ErrDenied
	default:
		return nil
	}
}

// Seed publishes a value as if a person had done so.
func (v *Vault) Seed(value string) {
	v.consumer = append(v.consumer, version[credential.Bundle]{at: v.World.Wall, by: oracle.ByPerson, data: credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("client"), credential.FieldClientSecret: credential.NewSensitive(value),
	}})
}

func (v *Vault) publish(value string) {
	if v.once == nil {
		v.once = map[string]bool{}
	}
	v.once[value] = true
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
		if n := len(visible(v.World, v.staging)); n > 0 {
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
			v.World.act(oracle.Act{Kind: oracle.Stage, Rotation: s.Rotation})
			v.staging = append(v.staging, version[credential.Staging]{data: s, at: v.World.Wall, by: oracle.ByRotad})
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
			n = len(visible(v.World, v.consumer))
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
			v.World.act(oracle.Act{Kind: oracle.Promote, Value: b.Secret().Reveal()})
			v.consumer = append(v.consumer, version[credential.Bundle]{data: b, at: v.World.Wall, by: oracle.ByRotad})
			v.publish(b.Secret().Reveal())
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
		v.World.act(oracle.Act{Kind: oracle.Destroy, Versions: versions})
		if slices.Contains(versions, len(v.consumer)) {
			v.World.Violate("destroyed version %d, which Vault hands out", len(v.consumer))
		}
		destroy(v.consumer, versions)
	}))
}

// visible returns the versions that a read shows: all, or in a stale reply those from before the replication's lag.
func visible[T any](w *World, list []version[T]) []version[T] {
	if !w.stale() {
		return list
	}
	n := len(list)
	for n > 0 && list[n-1].at.After(w.Wall.Add(-replicationLag)) {
		n--
	}
	return list[:n]
}

// replicationLag is how old a stale read of Vault may be.
const replicationLag = 2 * time.Second

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
	kind := v.World.call("vault.time", func() {
		if t = v.World.Wall; v.Clock != nil {
			t = v.Clock()
		}
	})
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

// Value returns the value of a consumer version; empty if there is none.
func (v *Vault) Value(n int) string {
	if n < 1 || n > len(v.consumer) || v.consumer[n-1].destroyed {
		return ""
	}
	return v.consumer[n-1].data.Secret().Reveal()
}

// Handed returns since when the value that Vault hands out stands there, and who wrote it first.
func (v *Vault) Handed() (time.Time, oracle.Maker) {
	hands := v.Hands()
	if hands == "" {
		return time.Time{}, ""
	}
	n := len(v.consumer)
	for n > 1 && !v.consumer[n-2].destroyed && v.consumer[n-2].data.Secret().Reveal() == hands {
		n--
	}
	return v.consumer[n-1].at, v.consumer[n-1].by
}

// StagedID returns the id of the secret that staging names as the new one; empty if it names none.
func (v *Vault) StagedID() string {
	if len(v.staging) == 0 || v.staging[len(v.staging)-1].destroyed {
		return ""
	}
	return v.staging[len(v.staging)-1].data.New.ID
}

// Versions returns how many versions the consumer path has had.
func (v *Vault) Versions() int { return len(v.consumer) }

// Delete deletes the newest consumer version, as a person does.
func (v *Vault) Delete() {
	if n := len(v.consumer); n > 0 {
		v.consumer[n-1].destroyed = true
	}
}

// Touch writes the same mapped values again, as somebody does who edits other keys of the path.
func (v *Vault) Touch() {
	if n := len(v.consumer); n > 0 && !v.consumer[n-1].destroyed {
		v.consumer = append(v.consumer, version[credential.Bundle]{data: v.consumer[n-1].data, at: v.World.Wall, by: v.consumer[n-1].by})
	}
}

// Restore takes both paths back to what they were at a moment, as a restored backup of Vault does.
func (v *Vault) Restore(to time.Time) {
	v.consumer, v.staging = until(v.consumer, to), until(v.staging, to)
}

func until[T any](list []version[T], to time.Time) []version[T] {
	n := len(list)
	for n > 0 && list[n-1].at.After(to) {
		n--
	}
	return list[:n:n]
}

// Scribble lets another program write the staging path.
func (v *Vault) Scribble(s credential.Staging) {
	v.staging = append(v.staging, version[credential.Staging]{data: s, at: v.World.Wall, by: oracle.ByPerson})
}

// ClearStaging removes what another program wrote over the staging entry: the newest version that rotad wrote stands
// there again, as after "vault kv rollback". It says whether there was anything to remove.
func (v *Vault) ClearStaging() bool {
	n := len(v.staging)
	if n == 0 || v.staging[n-1].by == oracle.ByRotad {
		return false
	}
	for n > 0 && v.staging[n-1].by != oracle.ByRotad {
		n--
	}
	if n == 0 {
		v.staging = nil
		return true
	}
	last := v.staging[n-1]
	v.staging = append(v.staging, version[credential.Staging]{data: last.data, at: v.World.Wall, by: oracle.ByRotad, destroyed: last.destroyed})
	return true
}

// BringBack publishes an older version again, as "vault kv rollback" does.
func (v *Vault) BringBack(n int) {
	if value := v.Value(n); value != "" {
		v.consumer = append(v.consumer, version[credential.Bundle]{data: v.consumer[n-1].data, at: v.World.Wall, by: v.consumer[n-1].by})
	}
}

// Age lets what stands at the consumer path be older.
func (v *Vault) Age(by time.Duration) {
	for i := range v.consumer {
		v.consumer[i].at = v.consumer[i].at.Add(-by)
	}
}
