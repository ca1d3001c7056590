package mail_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// shared is what all tests use; TestMain alone writes it.
var shared *world.Run

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	var err error
	if shared, err = world.NewRun(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer shared.Close()
	return m.Run()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// begin makes a world whose clients are quick: AppRoles of a Vault in memory, old secrets that end after a moment.
func begin(t *testing.T, name string) *world.World {
	w := world.NewInMemory(t, shared, name)
	w.Config.Policies["default"]["overlap"] = "2s"
	w.Config.Admins = world.Block{"email": []string{w.Address("admin")}}
	return w
}

// addClient registers a client with an owner of its own, whose name is the client's.
func addClient(w *world.World, id string) {
	w.AddAppRole(id, false)
	w.Client(id)["owner"] = id
	w.Client(id)["verify"] = world.Block{"successes": 1, "interval": "400ms"}
	w.Config.Owners[id] = world.Block{"email": []string{w.Address(id)}, "timezone": "Europe/Berlin"}
}

func adopted(r credential.Record) bool { return r.Sight == credential.SightAdopted }

// after is true once a client has rotated to its end, from a version.
func after(version int) func(credential.Record) bool {
	return func(r credential.Record) bool { return r.Rotation == nil && r.Version > version }
}

// handedOver reads from the daemon's log what it says of its mails: the Message-IDs of those that were sent, and of those
// that may have arrived.
func handedOver(w *world.World) (sent, open map[string]bool) {
	raw, err := os.ReadFile(w.Path("rotad.log"))
	w.Must(err)
	sent, open = map[string]bool{}, map[string]bool{}
	for line := range strings.SplitSeq(string(raw), "\n") {
		var into map[string]bool
		switch {
		case strings.Contains(line, `"msg":"notice sent"`):
			into = sent
		case strings.Contains(line, `"msg":"notice may have arrived"`):
			into = open
		default:
			continue
		}
		_, id, _ := strings.Cut(line, `"message_id":"`)
		id, _, _ = strings.Cut(id, `"`)
		into[strings.Trim(id, "<>")] = true
	}
	return sent, open
}

// waiting is nil when the daemon has no more than so many notices to send.
func waiting(d *world.Daemon, most int) error {
	n, err := d.Metric("rotad_outbox_entries", world.Block{"state": "pending"})
	if err == nil && int(n) > most {
		err = fmt.Errorf("%d notices wait, %d at most may", int(n), most)
	}
	return err
}

// copies counts the mails of this world by their Message-ID.
func copies(w *world.World, mails []servers.Mail) map[string]int {
	count := map[string]int{}
	for _, m := range mails {
		if strings.HasPrefix(m.To, w.Name+".") {
			count[m.ID]++
		}
	}
	return count
}
