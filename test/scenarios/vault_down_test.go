package scenarios_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

const createPath = "/client-secret"

// vaultDown kills Vault before a rotation and in the middle of a create.
func vaultDown(w *world.World) {
	outage(w, func() { w.Vault.Kill() }, func(ctx context.Context) error { return w.Vault.Restart(ctx, true) })
}

// vaultSealed does the same by sealing it; and a restarted Vault comes up sealed.
func vaultSealed(w *world.World) {
	outage(w, func() { w.Must(w.Vault.Seal(w.T.Context())) }, func(ctx context.Context) error {
		w.Vault.Kill()
		if err := w.Vault.Restart(ctx, false); err != nil {
			return err
		}
		return w.Vault.Unseal(ctx)
	})
}

// outage takes Vault away twice. Before a rotation: nothing is created, because it could not be stored. Between a create
// and its reply: the reply is kept until Vault is back, and nothing is created twice.
func outage(w *world.World, down func(), up func(context.Context) error) {
	t := w.T
	ctx := t.Context()
	w.Realm(30*time.Second, servers.RealmClient{ID: "before", Secret: "the-secret-of-before"},
		servers.RealmClient{ID: "during", Secret: "the-secret-of-during"})
	proxy := w.Proxy()
	for _, id := range []string{"before", "during"} {
		w.Publish(id, "the-secret-of-"+id)
		w.AddClient(id, nil)
		w.Consume(id)
	}
	d := w.Start()
	for _, id := range []string{"before", "during"} {
		d.Await(id, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	}

	down()
	d.CLI("rotate", "before", "--reason", "vault is down")
	servers.Pause(ctx, 6*time.Second)
	if n := proxy.Count("POST", createPath); n != 0 {
		t.Fatalf("%d secrets were created while vault was down", n)
	}
	if err := d.Healthy("/healthz"); err != nil {
		t.Errorf("the daemon is not alive while vault is down: %v", err)
	}
	w.Must(up(ctx))
	d.Await("before", 2*time.Minute, "has rotated", finished(1))

	proxy.Set(servers.Fault{Method: "POST", Path: createPath, Delay: 3 * time.Second, Times: 1})
	d.CLI("rotate", "during", "--reason", "vault goes down on the way")
	w.Await(time.Minute, "the create is under way", func() error {
		if n := proxy.Count("POST", createPath); n != 2 {
			return fmt.Errorf("%d creates, want 2", n)
		}
		return nil
	})
	down()
	servers.Pause(ctx, 8*time.Second) // the reply has come, and cannot be staged
	w.Must(up(ctx))
	d.Await("during", 2*time.Minute, "has rotated", finished(1))
	if n := proxy.Count("POST", createPath); n != 2 {
		t.Errorf("%d secrets were created, want one per client", n)
	}
	for _, id := range []string{"before", "during"} {
		if w.Accepts(id, "the-secret-of-"+id) || !w.Accepts(id, w.Stored(id).Text("client_secret")) {
			t.Errorf("%s: keycloak takes the old secret, or not the one in vault", id)
		}
	}
}
