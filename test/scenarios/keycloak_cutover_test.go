package scenarios_test

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// keycloakCutover rotates in a realm without a rotation policy, where the old secret dies when the new one is born: only
// for the client that permits it.
func keycloakCutover(w *world.World) {
	t := w.T
	const strict, lax = "never-without-overlap", "a-gap-is-allowed"
	k := w.Realm(0, servers.RealmClient{ID: strict, Secret: "secret-of-strict"}, servers.RealmClient{ID: lax, Secret: "secret-of-lax"})
	w.UsePostfix()
	w.Publish(strict, "secret-of-strict")
	w.Publish(lax, "secret-of-lax")
	w.AddClient(strict, nil)
	w.AddClient(lax, world.Block{"allow_cutover": true})
	w.Consume(strict)
	d := w.Start()
	for _, id := range []string{strict, lax} {
		r := d.Await(id, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
		if r.Mode() != credential.ModeHardCutover {
			t.Errorf("%s has the mode %q, want hard-cutover", id, r.Mode())
		}
		d.CLI("rotate", id, "--reason", "scenario")
	}
	d.Await(strict, 30*time.Second, "is held", heldFor(credential.HoldCutover))
	before := w.Stored(lax)
	r := d.Await(lax, time.Minute, "has rotated", finished(1))
	after := w.Stored(lax)
	if before.Version != 1 && after.Version != 2 {
		t.Errorf("vault went from version %d to %d", before.Version, after.Version)
	}
	if r.Last.Negative != credential.NegativeProved {
		t.Errorf("the negative test ended %q, want proved", r.Last.Negative)
	}
	if w.Accepts(lax, "secret-of-lax") || !w.Accepts(lax, after.Text("client_secret")) {
		t.Error("keycloak still takes the old secret, or does not take the one in vault")
	}
	if secret, err := k.Client(t.Context(), w.Name, strict); err != nil || secret.Secret != "secret-of-strict" {
		t.Errorf("the held client was touched (%v)", err)
	}
	overlapped := false
	for _, entry := range d.History(lax) {
		overlapped = overlapped || entry.Event == credential.EventOldRefused
	}
	if !overlapped {
		t.Error("the history does not say that the old secret is refused")
	}
}
