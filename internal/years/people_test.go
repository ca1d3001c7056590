package years_test

import (
	"context"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
)

// someone is who does all that people do.
var someone = rotation.Person{Name: "someone", Reason: "because"}

// wish commits what a person wants, as the admin API does.
func (f *fleet) wish(ctx context.Context, a *account, w rotation.Wish) bool {
	p := f.running
	for range 32 {
		rec, ok, err := p.store.Get(ctx, a.id)
		if err != nil || !ok {
			return false
		}
		d, err := w(rec, someone, p.scheduler.Env(rec))
		if err != nil {
			return false
		}
		change := credential.Change{Record: d.Record, Notices: d.Notices, Audit: d.Audit, Keep: true}
		rec, conflict, err := p.store.Commit(ctx, change)
		if err != nil {
			return false
		}
		if !conflict {
			change.Record = rec
			f.judge.Committed(change)
			p.scheduler.Wake()
			return true
		}
	}
	return false
}

// approve: somebody reads the mail within days.
func (f *fleet) approve(ctx context.Context, a *account) {
	if f.chance.IntN(3) == 0 && f.wish(ctx, a, rotation.Approve) {
		a.file.approved = f.clocks.wall()
	}
}

// resolve does about a hold what its mail says: try again, and now and then something else.
func (f *fleet) resolve(ctx context.Context, a *account, rec credential.Record) {
	within := 2
	if a.made%4 == 0 {
		within = 14 // on holiday: the deadline may pass
	}
	if f.chance.IntN(within) > 0 {
		return
	}
	a.file.helped = f.clocks.truth()
	if rec.Hold.Code == credential.HoldSecretLost {
		f.submit(ctx, a)
		return
	}
	f.wish(ctx, a, rotation.Resume(credential.ResolveRetry, ""))
}

// byHand makes a secret in the portal when a warning asks for it, brings it, and deletes the old one when it is told to.
func (f *fleet) byHand(ctx context.Context, a *account, rec credential.Record) {
	switch {
	case rec.Rotation != nil && rec.Rotation.Phase == credential.PhaseOverlap && f.clocks.wall().After(rec.Rotation.RevokeAfter.Add(2*day)):
		a.mu.Lock()
		a.drop(oldest(a))
		a.mu.Unlock()
	case rec.Rotation == nil && rec.Told.Warned != 0 && f.chance.IntN(4) == 0:
		f.submit(ctx, a)
	}
}

func oldest(a *account) string {
	if len(a.secrets) < 2 {
		return ""
	}
	return a.secrets[0].ID
}

// submit brings a value, as "rotad submit" does.
func (f *fleet) submit(ctx context.Context, a *account) {
	p := f.running
	rec, ok, err := p.store.ClaimOne(ctx, f.clocks.wall(), a.id, "admin", 10*time.Minute)
	if err != nil || !ok {
		return
	}
	defer func() {
		p.store.Release(a.id, "admin")
		p.scheduler.Wake()
	}()
	if rotation.MaySubmit(rec) != nil {
		return
	}
	id := f.freshID()
	fence, err := p.executor.Writable(ctx, rec, id)
	if err != nil {
		return
	}
	a.mu.Lock()
	made := a.make("", "", oracle.ByPerson)
	a.mu.Unlock()
	staged, err := p.executor.StageSubmitted(ctx, rec, id, fence, bundle(a.id, made.value))
	if err != nil {
		return
	}
	f.wish(ctx, a, func(rec credential.Record, by rotation.Person, env rotation.Env) (rotation.Decision, error) {
		env.FreshID = id
		return rotation.Submit(rec, staged, by, rotation.Expiry{At: made.Expires}, env)
	})
}
