package scenarios_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// registration is the life of a client that manages its own registration at a server which never makes a new secret and
// shows none. That is said, nothing is cut off and no token is lost; then an administrator makes the secret.
func registration(w *world.World) {
	t := w.T
	server, err := servers.StartDjango(t.Context(), w.Cache, w.Module, w.Dir)
	w.Must(err)
	t.Cleanup(server.Stop)
	r, err := server.Register(t.Context())
	w.Must(err)
	id := r.ClientID
	_, err = w.Vault.Put(t.Context(), world.AppPath(id), map[string]any{
		"client_id": id, "client_secret": w.Known(r.Secret), "registration_access_token": w.Known(r.Token), "registration_client_uri": r.URI,
	})
	w.Must(err)
	provider := world.Block{
		"kind": "dcr", "url": server.URL + "/register/", "token_url": server.URL + "/token/", "deadline": "5s", "propagation": "1s",
	}
	w.Config.Providers = map[string]world.Block{"kc": provider}
	w.AddClient(id, world.Block{"allow_cutover": true})
	d := w.Start()
	d.Await(id, 30*time.Second, "was looked at", func(r credential.Record) bool { return r.Sight == credential.SightAdopted })
	d.Do("rotate", id, "--reason", "does it rotate?")
	d.Await(id, time.Minute, "says that the secret was kept", heldFor(credential.HoldSecretKept))
	kept := w.Stored(id)
	if kept.Text("client_secret") != r.Secret || kept.Text("registration_access_token") == r.Token {
		t.Errorf("version %d: the secret was changed, or the token was not", kept.Version)
	}
	tries(t, server, id, map[string]bool{r.Secret: true})

	provider["rotates"] = "never"
	w.WriteConfig()
	d.Reload()
	d.Do("resume", id, "--retry")
	d.Await(id, time.Minute, "is left to a person", func(r credential.Record) bool {
		return r.Hold == nil && r.Mode() == credential.ModeManual
	})
	const fresh = "the-secret-that-the-administrator-made"
	w.Must(server.SetSecret(t.Context(), id, w.Known(fresh)))
	if got := w.CLI(fresh+"\n", "submit", id, "--expires", "never"); got.Code != 0 {
		t.Fatalf("rotad submit: code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	d.Await(id, 2*time.Minute, "has rotated", finished(kept.Version))
	now := w.Stored(id)
	if now.Text("client_secret") != fresh || now.Text("registration_access_token") != kept.Text("registration_access_token") {
		t.Errorf("version %d does not hold the new secret beside the token", now.Version)
	}
	tries(t, server, id, map[string]bool{r.Secret: false, fresh: true})
}

// tries logs in with each value.
func tries(t testing.TB, server *servers.Django, id string, values map[string]bool) {
	t.Helper()
	for value, want := range values {
		if got, err := server.Accepts(t.Context(), id, value); err != nil || got != want {
			t.Errorf("accepted: %t, want %t: %v", got, want, err)
		}
	}
}
