package scenarios_test

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// kills is the number of SIGKILLs, each while rotations run.
const kills = 50

// restart kills the daemon at random moments of running rotations, at Keycloak and at AppRole. Consumers log in all the
// time; in the end every client is whole: one live secret, the one in Vault, and nothing left over.
func restart(w *world.World) {
	t := w.T
	k := w.Realm(4*time.Second, servers.RealmClient{ID: "kc-0", Secret: "the-secret-of-kc-0"},
		servers.RealmClient{ID: "kc-1", Secret: "the-secret-of-kc-1"})
	w.Config.Policies["default"]["overlap"] = "2s"
	keycloaks, roles := []string{"kc-0", "kc-1"}, []string{"role-0", "role-1", "role-own"}
	for _, id := range keycloaks {
		w.Publish(id, "the-secret-of-"+id)
		w.AddClient(id, nil)
		w.Consume(id)
	}
	for _, id := range roles {
		w.AddAppRole(id, id == "role-own")
		w.ConsumeAppRole(id)
	}
	// Slow answers widen the moments that matter: the server has done its work, and the daemon does not know it yet.
	w.Proxy().Set(servers.Fault{Method: "POST", Path: createPath, Delay: 400 * time.Millisecond})
	w.ProxyVault().Set(servers.Fault{Method: "POST", Path: "secret-id", Delay: 300 * time.Millisecond},
		servers.Fault{Method: "PUT", Path: "/data/", Delay: 200 * time.Millisecond},
		servers.Fault{Method: "POST", Path: "/data/", Delay: 200 * time.Millisecond})
	all := append(append([]string{}, keycloaks...), roles...)
	d := w.Start()
	for _, id := range all {
		d.Await(id, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	}

	seen := map[credential.Phase]int{}
	for n := 0; n < kills; {
		w.Await(time.Minute, "a rotation begins", func() error { return rotateAny(d, all) })
		servers.Pause(t.Context(), time.Duration(rand.IntN(2500))*time.Millisecond)
		d.Kill()
		if countRunning(d, all, seen) > 0 {
			n++
		}
		d = w.Start()
	}
	t.Logf("what was durable at the kills: %v", seen)

	for _, id := range all {
		d.Await(id, 2*time.Minute, "is at rest", func(r credential.Record) bool {
			return r.Rotation == nil && r.Hold == nil && !r.Request.Rotate
		})
	}
	for _, id := range keycloaks {
		c, err := k.Client(t.Context(), w.Name, id)
		w.Must(err)
		if w.Known(c.Secret) != w.Stored(id).Text("client_secret") {
			t.Errorf("%s: vault does not hold keycloak's secret", id)
		}
		if w.Accepts(id, "the-secret-of-"+id) {
			t.Errorf("%s was never rotated", id)
		}
	}
	for _, id := range roles {
		if left := w.AccessorsOf(id); len(left) != 1 {
			t.Errorf("%s: %d SecretIDs are left over", id, len(left)-1)
		}
	}
	noViolations(w, d)
}

// rotateAny asks for a rotation of every client and is nil if one agreed; one that rotates already refuses.
func rotateAny(d *world.Daemon, ids []string) error {
	refused := ""
	agreed := false
	for _, id := range ids {
		got := d.CLI("rotate", id, "--reason", "before a kill")
		agreed = agreed || got.Code == 0
		refused += got.Stderr
	}
	if !agreed {
		return errors.New(refused)
	}
	return nil
}

// countRunning counts the clients in a rotation, by phase, as the state file tells it of a daemon that is dead.
func countRunning(d *world.Daemon, ids []string, seen map[credential.Phase]int) int {
	running := 0
	for _, id := range ids {
		r, err := d.Show(id)
		if err == nil && r.Rotation != nil {
			running++
			seen[r.Phase()]++
		}
	}
	return running
}

func noViolations(w *world.World, d *world.Daemon) {
	w.T.Helper()
	if got, err := d.MetricSum("rotad_invariant_violations_total"); err != nil || got != 0 {
		w.T.Errorf("rotad_invariant_violations_total is %v (%v)", got, err)
	}
}
