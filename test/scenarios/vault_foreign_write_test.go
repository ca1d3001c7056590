package scenarios_test

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// vaultForeignWrite lets someone else write the consumer path while a rotation is under way: beside rotad's fields,
// which is nobody's business, and over them, which needs a person.
func vaultForeignWrite(w *world.World) {
	t := w.T
	w.Realm(2*time.Minute, servers.RealmClient{ID: "beside", Secret: "the-secret-of-beside"},
		servers.RealmClient{ID: "over", Secret: "the-secret-of-over"})
	w.Config.Policies["default"]["overlap"] = "5s"
	for _, id := range []string{"beside", "over"} {
		w.Publish(id, "the-secret-of-"+id)
		w.AddClient(id, world.Block{"verify": world.Block{"successes": 4, "interval": "2s"}}) // time to write in between
	}
	w.Consume("beside")
	d := w.Start()
	for _, id := range []string{"beside", "over"} {
		d.Await(id, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
		d.Do("rotate", id, "--reason", "scenario")
	}
	for id, secret := range map[string]string{"beside": "the-secret-of-beside", "over": "a-value-from-someone-else"} {
		d.Await(id, time.Minute, "is staged", inPhase(credential.PhaseStaged))
		_, err := w.Vault.Put(t.Context(), world.AppPath(id), map[string]any{
			"client_id": id, "client_secret": w.Known(secret), "team": "payments", "added": "on the way",
		})
		w.Must(err)
	}

	d.Await("beside", time.Minute, "is promoted upon the foreign version", inPhase(credential.PhaseOverlap))
	if got := w.Stored("beside"); got.Version != 3 || got.Text("added") != "on the way" {
		t.Errorf("version %d with the fields %d: the foreign field was lost", got.Version, len(got.Values))
	}

	d.Await("over", time.Minute, "is held", heldFor(credential.HoldForeignWrite))
	if got := w.Stored("over"); got.Text("client_secret") != "a-value-from-someone-else" || got.Version != 2 {
		t.Errorf("a foreign value was overwritten: vault is at version %d", got.Version)
	}
	if !w.Accepts("over", "the-secret-of-over") {
		t.Error("the old secret was revoked although nothing was published")
	}
	// A person puts the old value back and lets the rotation go on; it may have noticed by itself.
	_, err := w.Vault.Put(t.Context(), world.AppPath("over"), map[string]any{
		"client_id": "over", "client_secret": "the-secret-of-over", "team": "payments",
	})
	w.Must(err)
	d.CLI("resume", "over", "--retry")
	d.Await("over", time.Minute, "is published", inPhase(credential.PhaseOverlap))
	if !w.Accepts("over", w.Stored("over").Text("client_secret")) {
		t.Error("keycloak refuses what vault hands out")
	}
}
