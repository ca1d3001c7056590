package scenarios_test

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// providerDown makes one provider unreachable, then slow to break: the other one rotates meanwhile, and an answer that
// was lost after the provider did its work is settled without a second create.
func providerDown(w *world.World) {
	t := w.T
	w.Realm(30*time.Second, servers.RealmClient{ID: "cut-off", Secret: "the-secret-of-cut-off"})
	proxy := w.Proxy()
	w.Config.Policies["default"]["overlap"] = "5s"
	w.Publish("cut-off", "the-secret-of-cut-off")
	w.AddClient("cut-off", nil)
	w.AddAppRole("neighbour", false)
	w.Consume("cut-off")
	w.ConsumeAppRole("neighbour")
	d := w.Start()
	d.Await("cut-off", 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	d.Await("neighbour", 30*time.Second, "is adopted", sighted(credential.SightAdopted))

	proxy.Set(servers.Fault{Refuse: true})
	d.CLI("rotate", "cut-off", "--reason", "the provider is down")
	d.Do("rotate", "neighbour", "--reason", "the other one is up")
	d.Await("neighbour", time.Minute, "has rotated", finished(1))
	w.Await(time.Minute, "the metrics say that the provider is down", func() error {
		up, err := d.Metric("rotad_provider_up", world.Block{"provider": "kc"})
		if err == nil && up != 0 {
			err = fmt.Errorf("rotad_provider_up is %v", up)
		}
		return err
	})
	if r, err := d.Show("cut-off"); err != nil || r.Version != 1 {
		t.Errorf("the client of a dead provider is at version %d (%v)", r.Version, err)
	}

	// Up again, but the answer to the create breaks off after Keycloak has done it.
	proxy.Set(servers.Fault{Method: "POST", Path: createPath, Cut: true, Times: 1})
	d.Await("cut-off", 3*time.Minute, "has rotated", finished(1))
	if n := proxy.Count("POST", createPath); n != 1 {
		t.Errorf("%d creates were sent, want 1: keycloak's value can be read back", n)
	}
	if w.Accepts("cut-off", "the-secret-of-cut-off") || !w.Accepts("cut-off", w.Stored("cut-off").Text("client_secret")) {
		t.Error("keycloak takes the old secret, or not the one in vault")
	}
}
