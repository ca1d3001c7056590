package kills

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/test/kills/wire"
	"github.com/rotad/rotad/test/servers"
)

// consume logs in all the time, with what Vault hands out, as the clients that are never to be refused. A refusal counts
// when it comes again after Vault was read once more.
func (w *killed) consume(ctx context.Context) (logins int, err error) {
	for ctx.Err() == nil {
		for _, k := range w.kinds {
			if !k.noGap() {
				continue
			}
			for _, id := range ids(k) {
				if err := w.loginOnce(ctx, k, id); err != nil {
					return logins, err
				}
				logins++
				servers.Pause(ctx, 150*time.Millisecond)
			}
		}
	}
	return logins, nil
}

func (w *killed) loginOnce(ctx context.Context, k kind, id string) error {
	field := "client_secret"
	if k.server == "approle" {
		field = "secret_id"
	}
	version := 0
	for range 2 {
		stored, err := w.stored(ctx, id)
		if err != nil {
			return nil //nolint:nilerr // a server that does not answer is nobody's fault here
		}
		ok, err := w.accepts(ctx, k, id, stored.Text(field))
		if err != nil || ok {
			return nil //nolint:nilerr // the same
		}
		version = stored.Version
	}
	return fmt.Errorf("%s: a consumer of %s was refused with version %d, twice", time.Now().UTC().Format(time.TimeOnly), id, version)
}

// listed lists what stands at the sandbox.
func (w *killed) listed(ctx context.Context, id string) ([]wire.Secret, error) {
	var list []wire.Secret
	return list, post(ctx, w.provider+wire.PathSecrets, wire.Client{ID: id}, &list)
}
