package scenarios_test

import (
	"fmt"
	"os"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// reload changes the configuration under a running rotation: a broken file changes nothing, a new client appears, a
// changed policy is for the next rotation, and a changed path under a running one is refused.
func reload(w *world.World) {
	t := w.T
	w.Realm(40*time.Second, servers.RealmClient{ID: "steady", Secret: "the-secret-of-steady"},
		servers.RealmClient{ID: "newcomer", Secret: "the-secret-of-newcomer"})
	w.Publish("steady", "the-secret-of-steady")
	w.Publish("newcomer", "the-secret-of-newcomer")
	w.AddClient("steady", nil)
	w.Consume("steady")
	d := w.Start()
	d.Await("steady", 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	reloaded(w, d, 1)

	w.Must(os.WriteFile(w.WriteConfig(), []byte("scan: \"@every 2s\"\nno_such_setting: 1\n"), 0o600))
	d.Hangup()
	reloaded(w, d, 0)
	if _, err := d.Show("steady"); err != nil {
		t.Errorf("a broken file changed the world: %v", err)
	}

	w.AddClient("newcomer", nil)
	d.Reload()
	reloaded(w, d, 1)
	d.Await("newcomer", 30*time.Second, "is adopted", sighted(credential.SightAdopted))

	d.Do("rotate", "steady", "--reason", "scenario")
	before := d.Await("steady", time.Minute, "is in its overlap", inPhase(credential.PhaseOverlap))
	w.Config.Policies["default"]["overlap"] = "3s"
	d.Reload()
	reloaded(w, d, 1)
	after, err := d.Show("steady")
	w.Must(err)
	if after.Rotation == nil || !after.Rotation.RevokeAfter.Equal(before.Rotation.RevokeAfter) {
		t.Error("a changed policy changed the overlap of a running rotation")
	}

	path := w.Client("steady")["vault"]
	w.Client("steady")["vault"] = world.Block{"path": "apps/elsewhere/oidc"}
	d.Reload()
	reloaded(w, d, 0)
	w.Client("steady")["vault"] = path
	d.Reload()
	reloaded(w, d, 1)
	d.Await("steady", 2*time.Minute, "has rotated", finished(1))
}

// reloaded awaits that the last reload is said to have succeeded (1) or failed (0).
func reloaded(w *world.World, d *world.Daemon, want float64) {
	w.T.Helper()
	w.Await(15*time.Second, "the reload is settled", func() error {
		got, err := d.Metric("rotad_config_last_reload_successful", nil)
		if err == nil && got != want {
			err = fmt.Errorf("rotad_config_last_reload_successful is %v, want %v", got, want)
		}
		return err
	})
}
