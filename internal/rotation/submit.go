package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Expiry is what a person says about a value's end. The zero value says nothing.
type Expiry struct {
	At    time.Time
	Never bool
}

// ErrEqual says that a submitted value is the one that Vault hands out already.
var ErrEqual = errors.New("this is the value that Vault hands out already")

// Writable proves that Vault takes a staging entry for this client now, before a person is asked for a value: it writes
// the fence of a rotation that begins only with the value.
func (x Executor) Writable(ctx context.Context, rec credential.Record, rotationID string) (version int, err error) {
	r := x.submitRun(rec, rotationID)
	entry, err := x.Vault.Staging(ctx, r.key())
	if err != nil {
		return 0, err
	}
	if rec.Rotation == nil && entry.Phase != credential.StagingIntent && unknownRotation(&rec, entry) {
		return 0, &Refusal{Why: "the staging entry of this client holds a value of another rotation", Hint: "rotad resume " + rec.Client.ID + " --retry"}
	}
	if rec.Rotation != nil {
		return entry.Version, nil
	}
	s := r.entry(credential.StagingIntent)
	s.Attempt, s.Label = 0, "" // nothing is created: whoever finds it takes nothing up
	f, o, ok := r.fence(ctx, s, entry.Version)
	if !ok {
		return 0, errors.New(o.Failure.Text)
	}
	return f.version, nil
}

// StageSubmitted stages a value that a person brought. Only a confirmed staged version is success.
func (x Executor) StageSubmitted(ctx context.Context, rec credential.Record, rotationID string, fence int, value credential.Bundle) (Outcome, error) {
	r := x.submitRun(rec, rotationID)
	consumer, err := x.Vault.Consumer(ctx, rec.Client.Vault, 0)
	if err != nil {
		return Outcome{}, err
	}
	if holds(consumer, value) {
		return Outcome{}, ErrEqual
	}
	r.rot.FenceAt = r.Now().UTC().Truncate(time.Microsecond)
	o := r.stage(ctx, fence, providers.Issued{Secret: credential.Secret{Start: r.rot.FenceAt}, Bundle: value})
	if o.Result != Done {
		return o, errors.New(o.Failure.Text)
	}
	o.Base = consumer.Version
	return o, nil
}

func (x Executor) submitRun(rec credential.Record, rotationID string) *run {
	r := &run{Executor: x, rec: rec}
	if rec.Rotation != nil {
		r.rot = *rec.Rotation
		return r
	}
	r.rot = credential.Rotation{ID: rotationID, Attempt: 1, Client: rec.Client, Caps: rec.Caps, Old: rec.Current, OldVersion: rec.Version}
	return r
}
