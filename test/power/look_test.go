package power_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/world"
)

// view is what can be seen of a client from outside, beside what a state knows of it. What a question of an oracle could
// not find out stands in the second result.
func (f *fleet) view(ctx context.Context, m member, known power.Known) (oracle.View, *error, error) {
	failed := new(error)
	rec := known.Records[m.id]
	v := oracle.View{Client: m.id, At: time.Now(), Record: rec, Audit: known.Audit[m.id]}
	v.Accepts = func(value string) bool {
		ok, err := f.accepts(ctx, m, value)
		*failed = errors.Join(*failed, err)
		return ok
	}
	v.Version = func(version int) string {
		if version == 0 {
			return ""
		}
		stored, err := f.Vault.Get(ctx, world.AppPath(m.id), version)
		*failed = errors.Join(*failed, err)
		return f.Known(stored.Text(m.field))
	}
	hands, err := f.Vault.Get(ctx, world.AppPath(m.id), 0)
	if err != nil {
		return v, failed, err
	}
	v.Hands = f.Known(hands.Text(m.field))
	if rec.Client.ID != "" {
		staging, err := f.Vault.Get(ctx, "rotad/staging/"+rec.Client.StagingKey(), 0)
		if err != nil {
			return v, failed, err
		}
		v.Staged, v.StageID = f.Known(staging.Text("bundle."+m.field)), staging.Text("secret_id")
	}
	v.Secrets, err = f.secrets(ctx, m)
	return v, failed, err
}

// secrets lists what stands at a provider that keeps secrets under ids of its own.
func (f *fleet) secrets(ctx context.Context, m member) (list []oracle.Secret, err error) {
	maker := func(id string) oracle.Maker {
		if id == m.first {
			return oracle.Adopted
		}
		return oracle.ByRotad
	}
	switch m.kind {
	case "approle", "own":
		accessors, err := f.Vault.Accessors(ctx, m.id)
		for _, id := range accessors {
			list = append(list, oracle.Secret{ID: id, Live: true, Maker: maker(id)})
		}
		return list, err
	case "entra":
		for _, s := range f.idp.Live(m.id) {
			list = append(list, oracle.Secret{ID: s.ID, Label: s.Label, Live: true, Maker: maker(s.ID)})
		}
	}
	return list, nil
}

// ask asks the oracles about every client.
func (f *fleet) ask(ctx context.Context, known power.Known, question func(oracle.View) []oracle.Broken) error {
	var broken []error
	for _, m := range f.clients {
		if known.Records[m.id].Client.ID == "" {
			continue // not registered yet
		}
		v, failed, err := f.view(ctx, m, known)
		if err != nil {
			return fmt.Errorf("looking at %s: %w", m.id, err)
		}
		found := question(v)
		if *failed != nil {
			return fmt.Errorf("looking at %s: %w", m.id, *failed)
		}
		for _, b := range found {
			broken = append(broken, fmt.Errorf("%s (%s, revision %d): %s", m.id, v.Record.Phase(), v.Record.Rev, b))
		}
	}
	return errors.Join(broken...)
}

// whole are the questions to a fleet at rest.
func whole(v oracle.View) []oracle.Broken { return append(oracle.Moment(v), oracle.Quiet(v)...) }

// underway counts the rotations that a state has under way.
func underway(known power.Known) (n int) {
	for _, r := range known.Records {
		if r.Rotation != nil {
			n++
		}
	}
	return n
}

// moving says why a record is not at rest; nil = it is. One that begins nothing while an earlier secret counts down, and
// looks again in a minute, is at rest.
func moving(r credential.Record) error {
	switch {
	case r.Hold != nil && r.Hold.Code == credential.HoldNoOverlap && r.Rotation == nil:
		return nil
	case r.Hold != nil:
		return fmt.Errorf("%s is held: %s: %s", r.Client.ID, r.Hold.Code, r.Hold.Detail)
	case r.Rotation != nil:
		return fmt.Errorf("%s is in phase %s after %d failures: %s", r.Client.ID, r.Phase(), r.Backoff.Attempts, r.Backoff.Error)
	case r.Sight == credential.SightNone:
		return fmt.Errorf("%s has not been looked at", r.Client.ID)
	case r.Cleanup != nil:
		return fmt.Errorf("%s has versions left to destroy", r.Client.ID)
	}
	return nil
}
