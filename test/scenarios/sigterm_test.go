package scenarios_test

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// sigterm stops the daemon while a create is under way: it waits for the reply, stages it, starts no other create, and
// exits in peace; the next start finishes the rotation.
func sigterm(w *world.World) {
	t := w.T
	w.Realm(time.Minute, servers.RealmClient{ID: "slow", Secret: "the-secret-of-slow"},
		servers.RealmClient{ID: "late", Secret: "the-secret-of-late"})
	proxy := w.Proxy()
	w.Config.Providers["kc"]["deadline"] = "30s"
	for _, id := range []string{"slow", "late"} {
		w.Publish(id, "the-secret-of-"+id)
		w.AddClient(id, nil)
		w.Consume(id)
	}
	d := w.Start()
	for _, id := range []string{"slow", "late"} {
		d.Await(id, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	}
	proxy.Set(servers.Fault{Method: "POST", Path: createPath, Delay: 6 * time.Second})
	d.Do("rotate", "slow", "--reason", "scenario")
	w.Await(30*time.Second, "the create is under way", func() error {
		if n := proxy.Count("POST", createPath); n != 1 {
			return fmt.Errorf("%d creates", n)
		}
		return nil
	})
	began := time.Now()
	d.Terminate()
	d.CLI("rotate", "late", "--reason", "too late") // refused or never begun: no create may follow
	<-d.Done()
	if took := time.Since(began); took < 3*time.Second || took > 60*time.Second {
		t.Errorf("the daemon ended %s after SIGTERM, want after the reply and soon", took)
	}
	if d.ExitCode() != 0 {
		t.Errorf("the daemon ended with code %d, want 0", d.ExitCode())
	}
	if !staged(w) {
		t.Error("the daemon ended without staging the reply in vault")
	}
	proxy.Set()
	d = w.Start()
	d.Await("slow", time.Minute, "is in its overlap", inPhase(credential.PhaseOverlap))
	created := 0
	for _, entry := range d.History("slow") {
		if entry.Event == credential.EventCreated {
			created++
		}
	}
	if created != 1 {
		t.Errorf("the history has %d creates, want 1", created)
	}
	d.Await("slow", 2*time.Minute, "has rotated", finished(1))
}

// staged says whether a staging entry holds a value that Keycloak accepts and Vault does not hand out yet.
func staged(w *world.World) bool {
	w.T.Helper()
	names, err := w.Vault.List(w.T.Context(), "rotad/staging")
	w.Must(err)
	fresh, err := w.Keycloak(w.T).Client(w.T.Context(), w.Name, "slow")
	w.Must(err)
	w.Known(fresh.Secret)
	for _, name := range names {
		entry, err := w.Vault.Get(w.T.Context(), "rotad/staging/"+name, 0)
		w.Must(err)
		for _, raw := range entry.Values {
			if fresh.Secret != "" && containsText(raw, fresh.Secret) {
				return true
			}
		}
	}
	return false
}
