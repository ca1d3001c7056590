package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// Bounds of a submission.
const (
	submitLimit = 2 * time.Minute        // for Vault to take the value
	claimLease  = 10 * time.Minute       // longer than submitLimit, so that a claim never ends before its work
	claimWait   = 15 * time.Second       // for the scheduler to finish what it does with the client
	claimPause  = 100 * time.Millisecond // between two tries
	claimOwner  = "admin"
)

// prepare says whether a value may be brought now, and proves that Vault takes it, before a person is asked.
func (a *actions) prepare(ctx context.Context, c admin.Command) (admin.Reply, error) {
	rec, err := a.claim(ctx, c.Client)
	if err != nil {
		return admin.Reply{}, err
	}
	defer a.release(c.Client)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), submitLimit)
	defer cancel()
	if _, err := a.fence(ctx, rec, a.env(rec).FreshID); err != nil {
		return admin.Reply{}, err
	}
	return admin.Reply{Record: &rec}, nil
}

// submit stages a value that a person brings, and begins its rotation at staged. It answers only when Vault has
// confirmed the staged version. What has begun goes on when the person no longer waits.
func (a *actions) submit(ctx context.Context, c admin.Command) (admin.Reply, error) {
	rec, err := a.claim(ctx, c.Client)
	if err != nil {
		return admin.Reply{}, err
	}
	defer a.release(c.Client)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), submitLimit)
	defer cancel()
	bundle, err := a.bundle(ctx, rec, c.Value)
	if err != nil {
		return admin.Reply{}, err
	}
	rotationID := a.env(rec).FreshID
	fence, err := a.fence(ctx, rec, rotationID)
	if err != nil {
		return admin.Reply{}, err
	}
	staged, err := a.inVault().StageSubmitted(ctx, rec, rotationID, fence, bundle)
	switch {
	case errors.Is(err, rotation.ErrEqual):
		return admin.Reply{}, equalValue()
	case err != nil && staged.Result == rotation.Unknown:
		return admin.Reply{}, uncertain(err)
	case err != nil:
		return admin.Reply{}, err
	}
	expires := rotation.Expiry{At: c.Expires, Never: c.Never}
	wish := func(rec credential.Record, by rotation.Person, env rotation.Env) (rotation.Decision, error) {
		env.FreshID = rotationID // under which the value stands in staging
		return rotation.Submit(rec, staged, by, expires, env)
	}
	return a.grant(ctx, rec, person(c), wish, false)
}

func equalValue() error {
	return &admin.Error{Class: admin.ClassRefused, Why: rotation.ErrEqual.Error(), Hint: "make a new secret at the provider, and submit that one"}
}

// uncertain is the answer where Vault did not say whether it has the value.
func uncertain(err error) error {
	return &admin.Error{Class: admin.ClassFailed, Why: err.Error(), Hint: keepValue + ": vault did not say whether it has it"}
}

// keepValue begins the hint of every submission that did not end well.
const keepValue = "keep the value"

// inVault returns the executor under the instance that the state has now: a fresh state adopts the one in Vault.
func (a *actions) inVault() rotation.Executor {
	x := a.executor
	x.Instance = a.store.Meta().Instance
	return x
}

// claim takes the record of a client for a submission, so that no effect runs beside it.
func (a *actions) claim(ctx context.Context, id string) (credential.Record, error) {
	x := a.executor
	for end := x.Elapsed() + claimWait; ; {
		rec, ok, err := a.tryClaim(ctx, id)
		switch {
		case err != nil || ok:
			return rec, err
		case x.Elapsed() > end:
			return rec, busy(id)
		}
		select {
		case <-ctx.Done():
			return rec, ctx.Err()
		case <-x.After(claimPause):
		}
	}
}

// tryClaim takes the record if nobody works on it. Whether a value may be brought is asked before, so that the answer to
// a running rotation is at once, and again of the record that was taken.
func (a *actions) tryClaim(ctx context.Context, id string) (rec credential.Record, ok bool, err error) {
	rec, ok, err = a.store.Get(ctx, id)
	switch {
	case err != nil:
		return rec, false, err
	case !ok:
		return rec, false, admin.NotFound(id)
	}
	if err = mayBring(rec); err != nil {
		return rec, false, err
	}
	rec, ok, err = a.store.ClaimOne(ctx, a.now(), id, claimOwner, claimLease)
	if err != nil || !ok {
		return rec, false, err
	}
	if err = mayBring(rec); err != nil {
		a.release(id)
		return rec, false, err
	}
	return rec, true, nil
}

func (a *actions) release(id string) {
	a.store.Release(id, claimOwner)
	a.wake()
}

func mayBring(rec credential.Record) error {
	if rec.Sight == credential.SightNone && rec.Hold == nil && rec.Rotation == nil {
		return &admin.Error{
			Class: admin.ClassRefused, Why: fmt.Sprintf("client %s has not been looked at yet", rec.Client.ID),
			Hint: "wait a moment; rotad show " + rec.Client.ID + " says what it waits for",
		}
	}
	return denied(rotation.MaySubmit(rec))
}

// fence returns the staging version that a submitted value may be staged over, and so proves that Vault takes writes.
// Only a manual client, whose values nobody but a person makes, may be left with the fence of a rotation that does not
// begin: for any other, such a fence would mean that a create may have been sent.
func (a *actions) fence(ctx context.Context, rec credential.Record, rotationID string) (int, error) {
	x := a.inVault()
	if rec.Rotation != nil || rec.Caps.Mode == credential.ModeManual {
		version, err := x.Writable(ctx, rec, rotationID)
		return version, denied(err)
	}
	entry, err := x.Vault.Staging(ctx, rec.Client.StagingKey())
	if err != nil {
		return 0, err
	}
	if entry.Version != 0 && !entry.Deleted && entry.Phase != credential.StagingIdle {
		return 0, &admin.Error{
			Class: admin.ClassRefused, Why: "the staging entry of this client belongs to a rotation that has not been taken up",
			Hint: "rotad resume " + rec.Client.ID + " --retry",
		}
	}
	idle := entry.Staging
	if entry.Version == 0 || entry.Deleted {
		idle = credential.Staging{Client: rec.Client.ID, Rotation: rec.Last.Rotation, New: rec.Current}
	}
	idle.Phase, idle.Instance = credential.StagingIdle, x.Instance
	version, _, err := x.Vault.Stage(ctx, rec.Client.StagingKey(), entry.Version, idle)
	return version, err
}

// bundle completes a submitted value with what Vault holds beside it. A value that Vault hands out already is refused.
func (a *actions) bundle(ctx context.Context, rec credential.Record, value credential.Sensitive) (credential.Bundle, error) {
	current, err := a.executor.Vault.Consumer(ctx, rec.Client.Vault, 0)
	if err != nil {
		return nil, err
	}
	provider, _ := a.config().Provider(rec.Client.Provider)
	secret, names := fieldsOf(provider.Fields)
	if have, ok := current.Bundle[secret]; ok && !current.Deleted && have.Equal(value) {
		return nil, equalValue()
	}
	bundle := credential.Bundle{secret: value}
	for _, name := range names {
		known, ok := current.Bundle[name]
		if !ok || known.Empty() {
			known = named(rec.Client.Ref)
		}
		if known.Empty() || name == credential.FieldRoleID && !ok {
			return nil, &admin.Error{
				Class: admin.ClassRefused, Why: fmt.Sprintf("%s has no field %s yet", rec.Client.Vault, rec.Client.Vault.Field(name)),
				Hint: "write it there first: vault kv patch",
			}
		}
		bundle[name] = known
	}
	return bundle, nil
}

// fieldsOf tells the secret field of a kind's bundles from those that only name the client.
func fieldsOf(fields []string) (secret string, names []string) {
	secret = credential.FieldClientSecret
	for _, field := range fields {
		switch {
		case field == credential.FieldClientID, field == credential.FieldRoleID:
			names = append(names, field)
		case credential.IsSecret(field) && !slices.Contains(fields, secret):
			secret = field
		}
	}
	return secret, names
}

// named returns what the provider calls a client, where its ref says it.
func named(ref credential.Ref) credential.Sensitive {
	for _, key := range []string{"client_id", "app_id"} {
		if id := ref[key]; id != "" {
			return credential.NewSensitive(id)
		}
	}
	return credential.Sensitive{}
}
