package rotation

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// CopyResult is what came of one destination.
type CopyResult struct {
	Name    string
	Version int     // what it was to hold, and holds if nothing failed
	Old     int     // the same of the old secret beside it
	Written bool    // it held something else before
	Failure Failure // empty Text = it was read back, and holds it
}

// Copies returns what a delivery brings that is due now and goes well, for a forecast.
func Copies(rec *credential.Record, now time.Time) []CopyResult {
	var out []CopyResult
	for _, d := range toDeliver(rec, now) {
		out = append(out, wantedAt(rec, d))
	}
	return out
}

func wantedAt(rec *credential.Record, d credential.Destination) CopyResult {
	return CopyResult{Name: d.Name, Version: rec.Version, Old: oldBeside(rec, d)}
}

// deliver copies the recorded version, and no other: what somebody else has written over it since is not judged yet.
func (r *run) deliver(ctx context.Context) Outcome {
	o := Outcome{Result: Done}
	for _, d := range toDeliver(&r.rec, r.env.Now) {
		result := wantedAt(&r.rec, d)
		result.Written, result.Failure = r.copyTo(ctx, d, result)
		o.Copies = append(o.Copies, result)
	}
	return o
}

func (r *run) copyTo(ctx context.Context, d credential.Destination, want CopyResult) (written bool, f Failure) {
	c := credential.Copy{Client: r.rec.Client.ID, Version: want.Version}
	if c.Bundle, f = r.versionOf(ctx, want.Version); f.Text != "" {
		return false, f
	}
	if want.Old != 0 {
		if c.Previous, f = r.versionOf(ctx, want.Old); f.Text != "" && f.Class != providers.ClassNotFound { // a value that is gone is left out
			return false, f
		}
	}
	written, err := r.Deliver(ctx, d, c)
	return written, failure(err)
}

func (r *run) versionOf(ctx context.Context, version int) (credential.Bundle, Failure) {
	held, err := r.Vault.Consumer(ctx, r.client().Vault, version)
	if err != nil {
		return nil, failure(err)
	}
	if !hasValue(held) {
		return nil, Failure{Class: providers.ClassNotFound, Text: fmt.Sprintf("version %d of %s holds no secret any more", version, r.client().Vault)}
	}
	return held.Bundle.Login(), Failure{} // a consumer needs none of rotad's keys, and a file has more readers than Vault
}
