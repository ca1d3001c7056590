package scenarios_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// removed takes a client out of the configuration in the middle of its overlap: the rotation ends well, then the client
// is archived and its calendar event cancelled; and a reload that would remove many clients is refused.
func removed(w *world.World) {
	t := w.T
	var clients []servers.RealmClient
	for i := range 6 {
		id := fmt.Sprintf("member-%d", i)
		clients = append(clients, servers.RealmClient{ID: id, Secret: "the-secret-of-" + id})
	}
	w.Realm(20*time.Second, clients...)
	postfix := w.UsePostfix()
	w.Config.Policies["default"]["overlap"] = "10s"
	for _, c := range clients {
		w.Publish(c.ID, c.Secret)
		w.AddClient(c.ID, nil)
	}
	w.Consume("member-0")
	d := w.Start()
	for _, c := range clients {
		d.Await(c.ID, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	}
	d.Do("rotate", "member-0", "--reason", "scenario")
	d.Await("member-0", time.Minute, "is in its overlap", inPhase(credential.PhaseOverlap))
	w.RemoveClient("member-0")
	d.Reload()
	d.Await("member-0", 30*time.Second, "is leaving", func(r credential.Record) bool { return r.Leaving })
	w.Await(2*time.Minute, "member-0 is archived", func() error {
		if got := d.CLI("status", "--json"); got.Code != 0 || strings.Contains(got.Stdout, "member-0") {
			return fmt.Errorf("rotad status (code %d) lists it still", got.Code)
		}
		return nil
	})
	if w.Accepts("member-0", "the-secret-of-member-0") || !w.Accepts("member-0", w.Stored("member-0").Text("client_secret")) {
		t.Error("the rotation of the leaving client was not finished")
	}
	w.Await(30*time.Second, "its calendar event is cancelled", func() error {
		return anyMail(postfix, w.Address("payments"), func(m servers.Mail) bool {
			return strings.EqualFold(m.Method, "CANCEL") && strings.Contains(m.Raw+m.Text, "member-0")
		})
	})

	w.RemoveClient("member-1")
	w.RemoveClient("member-2")
	d.Reload() // two of five are more than a fifth
	servers.Pause(t.Context(), 4*time.Second)
	for _, id := range []string{"member-1", "member-2"} {
		if r, err := d.Show(id); err != nil || r.Leaving {
			t.Errorf("%s left by a reload that should have been refused (%v)", id, err)
		}
	}
}
