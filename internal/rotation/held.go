package rotation

import (
	"context"
	"maps"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Target is what a provider is told of a client. rotationID names the rotation that is under way; empty = none is.
func Target(vault Vault, c credential.Client, rotationID string) providers.Target {
	t := providers.Target{Client: c.ID, Ref: c.Ref, Verify: c.Verify.WithDefaults(), Grace: c.Grace}
	if vault == nil {
		return t
	}
	t.Held = func(ctx context.Context) (credential.Bundle, error) { return held(ctx, vault, c, rotationID) }
	return t
}

// held reads what Vault holds of a client now. What this rotation has staged is newer than what is published: a provider
// that has replaced rotad's own key knows the older one no more. What an earlier rotation has left in staging counts for
// nothing.
func held(ctx context.Context, vault Vault, c credential.Client, rotationID string) (credential.Bundle, error) {
	consumer, err := vault.Consumer(ctx, c.Vault, 0)
	if err != nil {
		return nil, err
	}
	bundle := credential.Bundle{}
	maps.Copy(bundle, consumer.Bundle)
	if rotationID == "" {
		return bundle, nil
	}
	entry, err := vault.Staging(ctx, c.StagingKey())
	if err != nil {
		return nil, err
	}
	if entry.Rotation == rotationID && entry.Phase == credential.StagingStaged {
		maps.Copy(bundle, entry.Bundle)
	}
	return bundle, nil
}
