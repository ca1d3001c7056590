package main

import (
	"context"
	"errors"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/handshake"
	"github.com/rotad/rotad/internal/rotation"
)

// moved notes which version a consumer runs on. What it has said a moment ago is not written down again: ten thousand consumers
// may say it every minute.
func (a *actions) moved(ctx context.Context, client, consumer string, version int, by rotation.Person) (admin.Reply, error) {
	rec, ok, err := a.store.Get(ctx, client)
	switch {
	case err != nil:
		return admin.Reply{}, err
	case !ok:
		return admin.Reply{}, admin.NotFound(client)
	case rotation.SaidLately(&rec, consumer, version, a.now()):
		return admin.Reply{Record: &rec}, nil
	}
	return a.grant(ctx, rec, by, rotation.RunsOn(consumer, version), true)
}

// handshake is moved for consumers elsewhere, which are told no more than concerns them.
func (a *actions) handshake(ctx context.Context, client, consumer string, version int) error {
	_, err := a.moved(ctx, client, consumer, version, rotation.Person{Name: "consumer:" + consumer})
	if e, ok := errors.AsType[*admin.Error](err); ok {
		return &handshake.Refusal{Why: e.Why, Hint: e.Hint}
	}
	return err
}
