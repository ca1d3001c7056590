package scenarios_test

import (
	"bytes"
	"os"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

func containsText(raw []byte, text string) bool { return bytes.Contains(raw, []byte(text)) }

// stateLost deletes the state file three times: in peace, with a staged secret, and in the overlap. An empty state that
// meets the live world rotates nothing twice, revokes nothing, and floods nobody.
func stateLost(w *world.World) {
	t := w.T
	ids := []string{"in-peace", "when-staged", "in-overlap"}
	var clients []servers.RealmClient
	for _, id := range ids {
		clients = append(clients, servers.RealmClient{ID: id, Secret: "the-secret-of-" + id})
	}
	w.Realm(4*time.Minute, clients...)
	postfix := w.UsePostfix()
	proxy := w.Proxy()
	w.Config.Policies["default"]["overlap"] = "3m"
	for _, id := range ids {
		w.Publish(id, "the-secret-of-"+id)
		w.AddClient(id, nil)
		w.Consume(id)
	}
	w.Client("when-staged")["verify"] = world.Block{"successes": 5, "interval": "4s"} // staged for a while
	w.AddAppRole("role", false)
	w.ConsumeAppRole("role")
	d := w.Start()
	for _, id := range append(ids, "role") {
		d.Await(id, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	}
	for _, id := range []string{"in-overlap", "role"} {
		d.Do("rotate", id, "--reason", "before the loss")
		d.Await(id, time.Minute, "is in its overlap", inPhase(credential.PhaseOverlap))
	}
	d.Do("rotate", "when-staged", "--reason", "before the loss")
	d.Await("when-staged", time.Minute, "is staged", inPhase(credential.PhaseStaged))
	published := w.Stored("in-overlap")
	accessors := w.AccessorsOf("role")
	creates := proxy.Count("POST", createPath)
	mailsBefore, err := postfix.Mails(w.Address("payments"))
	w.Must(err)

	d.Kill()
	w.LoseState()
	w.Client("when-staged")["verify"] = world.Block{"successes": 2, "interval": "1s"}
	d = w.Start()
	d.Await("in-peace", time.Minute, "is adopted again", sighted(credential.SightAdopted))
	d.Await("in-overlap", time.Minute, "is known again", known)
	d.Await("role", time.Minute, "is known again", known)
	d.Await("when-staged", time.Minute, "is known again", known)
	servers.Pause(t.Context(), 12*time.Second) // several looks, in which nothing may happen twice

	if n := proxy.Count("POST", createPath); n != creates {
		t.Errorf("%d creates after the loss, %d before", n, creates)
	}
	if n := proxy.Count("DELETE", createPath); n != 0 {
		t.Errorf("%d secrets were revoked", n)
	}
	if now := w.AccessorsOf("role"); len(now) != len(accessors) {
		t.Errorf("the role has %d SecretIDs, had %d", len(now), len(accessors))
	}
	if now := w.Stored("in-overlap"); now.Text("client_secret") != published.Text("client_secret") {
		t.Error("what vault hands out has changed")
	}
	if !w.Accepts("in-overlap", "the-secret-of-in-overlap") {
		t.Error("the old secret is gone before its time")
	}
	if now := w.Stored("when-staged"); !w.Accepts("when-staged", now.Text("client_secret")) {
		t.Error("keycloak refuses what vault hands out of the staged client")
	}
	mails, err := postfix.Mails(w.Address("payments"))
	w.Must(err)
	if extra := len(mails) - len(mailsBefore); extra > 2*len(ids) {
		t.Errorf("%d mails came after the loss: a flood", extra)
	}
}

// known says that a client has been looked at, or waits for a person.
func known(r credential.Record) bool { return r.Sight != credential.SightNone || r.Hold != nil }

// stateRolledBack brings an old state file back after a whole rotation, as a restored backup would.
func stateRolledBack(w *world.World) {
	t := w.T
	k := w.Realm(10*time.Second, servers.RealmClient{ID: "old-news", Secret: "the-secret-of-old-news"})
	proxy := w.Proxy()
	w.Config.Policies["default"]["overlap"] = "5s"
	w.Publish("old-news", "the-secret-of-old-news")
	w.AddClient("old-news", nil)
	w.AddAppRole("old-role", false)
	w.Consume("old-news")
	w.ConsumeAppRole("old-role")
	both := []string{"old-news", "old-role"}
	d := w.Start()
	for _, id := range both {
		d.Await(id, 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	}
	d.Do("backup", w.Path("backup.db"))
	for _, id := range both {
		d.Do("rotate", id, "--reason", "after the backup")
	}
	for _, id := range both {
		d.Await(id, time.Minute, "has rotated", finished(1))
	}
	d.Stop(time.Minute)
	creates, accessors := proxy.Count("POST", createPath), w.AccessorsOf("old-role")
	w.LoseState()
	if got := w.CLI("", "restore", w.Path("backup.db")); got.Code != 0 {
		t.Fatalf("rotad restore: code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}

	d = w.Start()
	for _, id := range both {
		d.Await(id, time.Minute, "knows the version that vault holds, or asks a person", func(r credential.Record) bool {
			return r.Version == 2 || r.Hold != nil
		})
	}
	servers.Pause(t.Context(), 10*time.Second)
	if n := proxy.Count("POST", createPath); n != creates {
		t.Errorf("%d creates after the roll-back, %d before", n, creates)
	}
	if now := w.AccessorsOf("old-role"); len(now) != 1 || now[0] != accessors[0] {
		t.Errorf("the role has the SecretIDs %v, had %v", now, accessors)
	}
	c, err := k.Client(t.Context(), w.Name, "old-news")
	w.Must(err)
	if w.Stored("old-news").Text("client_secret") != c.Secret {
		t.Error("vault and keycloak no longer agree")
	}
	if _, err := os.Stat(filepath.Join(w.Dir, "state", "rotad.db")); err != nil {
		t.Errorf("the restored state: %v", err)
	}
}
