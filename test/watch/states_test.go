package watch_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/rotad/rotad/test/world"
)

// shared is what all tests use; TestMain alone writes it.
var shared *world.Run

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	var err error
	shared, err = world.NewRun()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer shared.Close()
	return m.Run()
}

// portal adds a provider whose secrets a person makes, and two owners more.
func portal(w *world.World) {
	w.Config.Providers["portal"] = world.Block{"kind": "manual", "instructions": "Open the portal."}
	for _, owner := range []string{"identity", "logistics"} {
		w.Config.Owners[owner] = world.Block{"email": []string{w.Address(owner)}}
	}
}

// byHand registers a client of the portal. A zero time is an expiry that nobody has stated.
func byHand(w *world.World, id, owner string, expires time.Time) {
	w.Publish(id, "the-secret-of-"+id)
	more := world.Block{"provider": "portal", "owner": owner}
	if !expires.IsZero() {
		more["expires"] = expires.Format(time.RFC3339)
	}
	w.AddClient(id, more)
}
