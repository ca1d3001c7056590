package scenarios_test

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// firstSight registers one client of each sort: nothing is ever rotated by being registered, and each sort waits for
// what it needs.
func firstSight(w *world.World) {
	t := w.T
	k := w.Realm(time.Minute,
		servers.RealmClient{ID: "known", Secret: "the-secret-that-vault-has"},
		servers.RealmClient{ID: "nothing", Secret: "a-secret-nobody-published"},
		servers.RealmClient{ID: "other", Secret: "the-secret-keycloak-wants"})
	w.Publish("known", "the-secret-that-vault-has")
	w.Publish("other", "not-the-secret-keycloak-wants")
	w.AddClient("known", nil)
	w.AddClient("nothing", nil)
	w.AddClient("other", nil)
	mine := w.AddAppRole("several", false)
	_, err := w.Vault.NewSecretID(t.Context(), "several") // now nobody can tell which one Vault holds
	w.Must(err)
	delete(w.Client("several"), "current_id")
	w.Config.Policies["observe"] = world.Block{"start": "observe"}
	w.Client("several")["policy"] = "observe" // an unknown id calls for a rotation, which is not the point here

	d := w.Start()
	d.Await("known", 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	d.Await("several", 30*time.Second, "is adopted without an id", sighted(credential.SightUnknownID))
	d.Await("nothing", 30*time.Second, "is empty", sighted(credential.SightEmpty))
	d.Await("other", 30*time.Second, "is held as a mismatch", heldFor(credential.HoldMismatch))
	for id, secret := range map[string]string{
		"known": "the-secret-that-vault-has", "nothing": "a-secret-nobody-published", "other": "the-secret-keycloak-wants",
	} {
		if c, err := k.Client(t.Context(), w.Name, id); err != nil || c.Secret != secret {
			t.Errorf("registering changed the secret of %s (%v)", id, err)
		}
	}

	d.Do("resume", "several", "--adopt", mine.Accessor)
	d.Await("several", 30*time.Second, "has the id that a person named", func(r credential.Record) bool {
		return r.Sight == credential.SightAdopted && r.Current.ID == mine.Accessor
	})
	d.Do("rotate", "nothing", "--reason", "the first secret")
	d.Await("nothing", time.Minute, "has its first secret in vault", func(r credential.Record) bool { return r.Version == 1 })
	if !w.Accepts("nothing", w.Stored("nothing").Text("client_secret")) {
		t.Error("keycloak refuses the first secret that vault hands out")
	}

	w.Publish("other", "the-secret-keycloak-wants") // a person corrects what Vault hands out
	d.CLI("resume", "other", "--retry")             // it may have noticed by itself
	d.Await("other", 30*time.Second, "is no longer held", func(r credential.Record) bool { return r.Hold == nil })
}
