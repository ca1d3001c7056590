package scenarios_test

import (
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// manual lets a person make the secret in Keycloak's console and bring it with rotad submit.
func manual(w *world.World) {
	t := w.T
	const id, old, fresh = "portal-app", "the-secret-before-the-portal", "the-secret-from-the-portal"
	k := w.Realm(0, servers.RealmClient{ID: id, Secret: old})
	postfix := w.UsePostfix()
	w.Config.Providers = map[string]world.Block{"kc": {
		"kind": "manual", "deadline": "5s", "propagation": "1s",
		"token_url": k.URL + "/realms/" + w.Name + "/protocol/openid-connect/token",
	}}
	w.Publish(id, old)
	expires := time.Now().UTC().Add(72 * time.Hour).Truncate(time.Second)
	w.AddClient(id, world.Block{"expires": expires.Format(time.RFC3339)})
	d := w.Start()
	d.Await(id, 30*time.Second, "was looked at", func(r credential.Record) bool {
		return r.Sight == credential.SightAdopted || r.Sight == credential.SightUnknownID
	})
	if got := w.CLI(old+"\n", "submit", id); got.Code == 0 {
		t.Error("submitting the value that vault has already succeeded")
	}
	w.Await(30*time.Second, "a person is told that the secret expires in three days", func() error {
		return anyMail(postfix, w.Address("payments"), func(m servers.Mail) bool { return strings.Contains(m.Text, id) })
	})

	w.Must(k.SetSecret(t.Context(), w.Name, id, w.Known(fresh)))
	got := w.CLI(fresh+"\n", "submit", id, "--expires", time.Now().UTC().Add(90*24*time.Hour).Format(time.RFC3339))
	if got.Code != 0 {
		t.Fatalf("rotad submit: code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	if again := w.CLI("another-value-from-the-portal\n", "submit", id); again.Code != 3 {
		t.Errorf("submitting during a rotation ends with code %d, want 3", again.Code)
	}
	d.Await(id, 2*time.Minute, "has rotated", finished(1))
	if got := w.Stored(id); got.Text("client_secret") != fresh || got.Text("team") != "payments" {
		t.Errorf("vault holds version %d without the submitted value, or lost a foreign field", got.Version)
	}
	if events := d.Count(id, credential.EventSubmitted); events != 1 {
		t.Errorf("the history has %d submissions, want 1", events)
	}
}
