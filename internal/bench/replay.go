package main

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// bareRotations is a plain loop over recorded steps.
type bareRotations struct {
	db      *bbolt.DB
	world   *rotationWorld
	steps   []step
	clients []*bareClient
}

// bareClient is what the loop has to remember of one client.
type bareClient struct {
	credential.Client
	staging, consumer int // versions
	oldID             string
	old               credential.Bundle
	oldVersion        int
	issued            providers.Issued
}

func newBareRotations(path string, w *rotationWorld, steps []step) (*bareRotations, error) {
	db, err := openBare(path, "record")
	if err != nil {
		return nil, err
	}
	b := &bareRotations{db: db, world: w, steps: steps}
	for i := range rotated {
		b.clients = append(b.clients, &bareClient{Client: w.theirs(i)})
	}
	return b, nil
}

func (b *bareRotations) calls() int {
	n := 0
	for _, s := range b.steps {
		if s.call != callCommit {
			n++
		}
	}
	return n
}

// round rotates every client once.
func (b *bareRotations) round(ctx context.Context) (time.Duration, error) {
	work := make(chan *bareClient, len(b.clients))
	for _, c := range b.clients {
		if err := b.prepare(ctx, c); err != nil {
			return 0, err
		}
		work <- c
	}
	close(work)
	began := time.Now()
	err := together(func() error {
		for c := range work {
			for i := range b.steps {
				if err := b.do(ctx, c, i); err != nil {
					return fmt.Errorf("%s: %w", b.steps[i].call, err)
				}
			}
		}
		return nil
	})
	return time.Since(began), err
}

// prepare reads what the loop knows from the rotation before. It is not measured.
func (b *bareRotations) prepare(ctx context.Context, c *bareClient) error {
	entry, err := b.world.vault.Staging(ctx, c.StagingKey())
	if err != nil {
		return err
	}
	consumer, err := b.world.vault.Consumer(ctx, c.Vault, 0)
	if err != nil {
		return err
	}
	snap, err := b.world.provider.Inspect(ctx, c.target())
	if err != nil {
		return err
	}
	current, ok := snap.Current()
	if !ok {
		return fmt.Errorf("client %s has no secret", c.ID)
	}
	c.staging, c.consumer, c.oldVersion, c.old, c.oldID = entry.Version, consumer.Version, consumer.Version, consumer.Bundle, current.ID
	return nil
}

func (c *bareClient) target() providers.Target {
	return providers.Target{Client: c.ID, Ref: c.Ref, Verify: c.Verify.WithDefaults()}
}

func (b *bareRotations) do(ctx context.Context, c *bareClient, i int) (err error) {
	s, p := &b.steps[i], b.world.provider
	switch s.call {
	case callCommit:
		value := make([]byte, s.bytes)
		return b.db.Batch(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("record")).Put(fmt.Appendf(nil, "%s/%02d", c.ID, i), value)
		})
	case "inspect":
		_, err = p.Inspect(ctx, c.target())
	case "create":
		request := s.request
		request.Expires = b.world.clock.now().Add(lifetime).Truncate(time.Second)
		c.issued, err = p.Create(ctx, c.target(), request)
	case "verify":
		bundle := c.issued.Bundle
		if s.old {
			bundle = c.old
		}
		_, err = p.Verify(ctx, c.target(), bundle)
	case "revoke":
		revoker, _ := providers.AsRevoker(p)
		err = revoker.Revoke(ctx, c.target(), c.oldID)
	default:
		return b.inVault(ctx, c, s)
	}
	return err
}

func (b *bareRotations) inVault(ctx context.Context, c *bareClient, s *step) (err error) {
	v := b.world.vault
	switch s.call {
	case "staging":
		_, err = v.Staging(ctx, c.StagingKey())
	case "stage":
		entry := s.staging
		entry.Client, entry.OldID = c.ID, c.oldID
		if entry.Bundle != nil {
			entry.New, entry.Bundle = c.issued.Secret, c.issued.Bundle
		}
		c.staging, _, err = v.Stage(ctx, c.StagingKey(), c.staging, entry)
	case "consumer":
		version := 0
		if s.old {
			version = c.oldVersion
		}
		_, err = v.Consumer(ctx, c.Vault, version)
	case "promote":
		c.consumer, _, err = v.Promote(ctx, c.Vault, c.consumer, c.issued.Bundle)
	case "annotate":
		err = v.Annotate(ctx, c.Vault, s.meta)
	case "destroy-staging":
		err = v.DestroyStaging(ctx, c.StagingKey(), []int{c.staging - 1, c.staging - 2})
	case "destroy-consumer":
		err = v.DestroyConsumer(ctx, c.Vault, []int{c.oldVersion})
	case "time":
		_, err = v.Time(ctx)
	default:
		err = fmt.Errorf("there is no call %q", s.call)
	}
	return err
}
