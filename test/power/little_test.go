package power_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// TestLittleDiskBeginsNothingThatIsNotAdditive leaves less room than a rotation without a second slot wants to have.
func TestLittleDiskBeginsNothingThatIsNotAdditive(t *testing.T) {
	m := patientMachine(t, "little")
	m.calm()
	m.WriteConfig()
	if err := m.rest(restLimit); err != nil {
		t.Fatal(err)
	}
	counted := func() (additive, other int) {
		for _, c := range m.clients {
			switch c.kind {
			case "entra":
				additive += m.idp.Made(c.id)
			case "telicent":
				other += m.idp.Made(c.id)
			case realmGrace:
				other += m.keeps.Replaced(c.id)
			case realmCut:
				other += m.cuts.Replaced(c.id)
			}
		}
		return additive, other
	}
	additive, other := counted()
	m.disk.Limit(m.disk.Now().Used() + 32<<20)
	m.start()
	m.Await(time.Minute, "the additive ones rotate", func() error {
		if now, _ := counted(); now < additive+4 {
			return fmt.Errorf("%d secrets were made", now-additive)
		}
		return nil
	})
	if _, now := counted(); now != other {
		t.Errorf("%d rotations that are not additive began with little room", now-other)
	}
	records, err := m.socket().List(t.Context(), "", 0)
	m.Must(err)
	for _, r := range records {
		if r.Mode() == credential.ModeGraceWindow && r.DueFor != "disk-nearly-full" && r.Backoff.Error == "" {
			t.Errorf("%s does not say why it waits: %q", r.Client.ID, r.DueFor)
		}
	}
	m.disk.MakeRoom()
	for _, id := range []string{"telicent-00", "kcgrace-00", "kccut-00"} { // by themselves they look again after a minute
		if got := m.CLI("", "rotate", id, "--reason", "there is room"); got.Code != 0 {
			t.Fatalf("rotad rotate %s: code %d: %s", id, got.Code, got.Stderr)
		}
	}
	m.Await(time.Minute, "the others rotate once there is room", func() error {
		if _, now := counted(); now < other+3 {
			return fmt.Errorf("%d secrets were made", now-other)
		}
		return nil
	})
	m.process.Kill()
}
