package scenarios_test

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// prometheus scrapes the daemon with a real server and evaluates the rules that rotad ships: they all work upon the
// real series, and a client that is held raises its alert.
func prometheus(w *world.World) {
	t := w.T
	w.Realm(time.Minute, servers.RealmClient{ID: "fine", Secret: "the-secret-of-fine"},
		servers.RealmClient{ID: "wrong", Secret: "the-secret-of-wrong"})
	w.Publish("fine", "the-secret-of-fine")
	w.Publish("wrong", "another-secret-than-that")
	w.AddClient("fine", nil)
	w.AddClient("wrong", nil)
	d := w.Start()
	p, err := servers.StartPrometheus(t.Context(), w.Cache, w.Dir, d.MetricsAddress(),
		filepath.Join(w.Root, "deploy", "prometheus", "rules.yaml"))
	w.Must(err)
	t.Cleanup(p.Stop)
	d.Await("fine", 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	d.Await("wrong", 30*time.Second, "is held", heldFor(credential.HoldMismatch))
	w.Await(time.Minute, "prometheus scrapes the daemon", func() error {
		samples, err := p.Query(t.Context(), `up{job="rotad"} == 1 and on() rotad_build_info`)
		if err != nil || len(samples) != 1 {
			return fmt.Errorf("up: %v (%v)", samples, err)
		}
		return nil
	})
	w.Await(time.Minute, "every rule is evaluated and the hold is seen", func() error {
		rules, err := p.Rules(t.Context())
		if err != nil || len(rules) == 0 {
			return fmt.Errorf("%d rules (%v)", len(rules), err)
		}
		return judge(rules)
	})
}

// judge is nil when every rule is healthy, the alert of the hold waits or fires, and no alert says that rotad is ill.
func judge(rules []servers.RuleState) error {
	held := false
	for _, r := range rules {
		if r.Health != "ok" {
			return fmt.Errorf("the rule %s is %s: %s", r.Name, r.Health, r.Error)
		}
		switch {
		case r.Name == "RotadClientHeld":
			held = r.State != "inactive"
		case r.State == "firing":
			return fmt.Errorf("the alert %s fires: %v", r.Name, r.Alerts)
		}
	}
	if !held {
		return fmt.Errorf("the alert RotadClientHeld is inactive")
	}
	return nil
}
