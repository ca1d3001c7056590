package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/vaultlog"
)

// logPulse is the pause between two looks at Vault's audit log.
const logPulse = time.Second

// logStore is what the reader of Vault's audit log needs of the state.
type logStore interface {
	Get(ctx context.Context, id string) (credential.Record, bool, error)
	FindPath(ctx context.Context, p credential.VaultPath) (id string, ok bool, err error)
	LogMark(ctx context.Context) ([]byte, error)
	SetLogMark(ctx context.Context, mark []byte) error
}

// logReader takes what consumers have read in Vault for what they run on.
//
//	audit log ──► follower ──► the last version that each has read ──► whose path, which consumer ──► moved
type logReader struct {
	store logStore
	moved func(ctx context.Context, client, consumer string, version int, by rotation.Person) (admin.Reply, error)
	log   *slog.Logger
	wrong string // what could not be read, said once
}

// byVaultLog is who stands in the audit for what Vault's log has shown.
var byVaultLog = rotation.Person{Name: "vault-audit-log"}

// openVaultLog reads Vault's audit log, where the configuration names one.
func (d *daemon) openVaultLog(ctx context.Context, l *listeners, a *actions) {
	path := d.config().Vault.AuditLog
	if path == "" {
		return
	}
	r := &logReader{store: d.store, moved: a.moved, log: d.log}
	l.serve(d, "vault audit log", func() error { return r.run(ctx, path, d.clocks.after) })
}

func (r *logReader) run(ctx context.Context, path string, after func(time.Duration) <-chan time.Time) error {
	kept, err := r.store.LogMark(ctx)
	if err != nil {
		return err
	}
	var mark vaultlog.Mark
	if len(kept) > 0 {
		if err = json.Unmarshal(kept, &mark); err != nil {
			r.log.Warn("how far vault's audit log was read is not known; it is read from its end", "error", err)
		}
	}
	follower := vaultlog.Follow(path, mark)
	defer func() { _ = follower.Close() }()
	for {
		if mark, err = r.turn(ctx, follower, mark); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-after(logPulse):
		}
	}
}

// turn reads on. The mark is kept after what was read has been noted: what is read twice does no harm.
func (r *logReader) turn(ctx context.Context, f *vaultlog.Follower, before vaultlog.Mark) (vaultlog.Mark, error) {
	latest := map[vaultlog.Read]int{} // by reader and path
	mark, failed := f.Next(func(read vaultlog.Read) {
		version := read.Version
		read.Version = 0
		latest[read] = version
	})
	r.complain(failed)
	for read, version := range latest {
		if err := r.note(ctx, read, version); err != nil {
			return before, err
		}
	}
	if mark == before || ctx.Err() != nil {
		return before, nil
	}
	encoded, _ := json.Marshal(mark) // numbers and hex: it cannot fail
	return mark, r.store.SetLogMark(ctx, encoded)
}

// complain says what is wrong once, until it is something else.
func (r *logReader) complain(err error) {
	now := ""
	if err != nil {
		now = err.Error()
	}
	if now != r.wrong && now != "" {
		r.log.Error("vault's audit log cannot be read: consumers that it would show are late until they say what they run on", "error", err)
	}
	r.wrong = now
}

// note notes what one reader has read, if it is a consumer of the client whose path that is.
func (r *logReader) note(ctx context.Context, read vaultlog.Read, version int) error {
	id, ok, err := r.store.FindPath(ctx, credential.VaultPath{Namespace: read.Namespace, Mount: read.Mount, Path: read.Path})
	if err != nil || !ok {
		return stopped(ctx, err)
	}
	rec, ok, err := r.store.Get(ctx, id)
	if err != nil || !ok {
		return stopped(ctx, err)
	}
	for _, c := range rec.Published().Consumers {
		if !c.SeenAs(read.Entity, read.Role) {
			continue
		}
		_, err := r.moved(ctx, id, c.Name, version, byVaultLog)
		if refused, ok := errors.AsType[*admin.Error](err); ok {
			r.log.Info("what a consumer has read is not noted", "client", id, "consumer", c.Name, "version", version, "why", refused.Why)
			continue
		}
		if err != nil {
			return stopped(ctx, err)
		}
	}
	return nil
}

// stopped drops an error that comes of the end.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
