package watch_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// patience is how long a rule waits here. It is longer than what Prometheus takes until its first scrape: until then rotad
// is silent.
const patience = 8 * time.Second

// TestAlertsArrive follows two alerts from the daemon to a webhook: secrets that have expired, told to each owner once,
// and a daemon that is gone. Alertmanager runs as the shipped example says, with the webhook's address; the rules wait
// for seconds instead of minutes.
func TestAlertsArrive(t *testing.T) {
	t.Parallel()
	w := world.NewInMemory(t, shared, "arrival")
	now := time.Now().UTC().Truncate(time.Second)
	portal(w)
	for _, c := range []struct {
		id, owner string
		left      time.Duration
	}{
		{"gone-a", "payments", -2 * time.Hour},
		{"gone-b", "payments", -time.Hour},
		{"going", "payments", 30 * time.Minute},
		{"gone-c", "identity", -time.Minute},
		{"far", "identity", 60 * 24 * time.Hour},
	} {
		byHand(w, c.id, c.owner, now.Add(c.left))
	}
	w.AddAppRole("retires", false)
	w.Config.Policies["default"]["overlap"] = "3s"
	d := w.Start()
	d.Await("retires", 30*time.Second, "is adopted", adopted)
	d.Do("rotate", "retires", "--reason", "an old secret retires on purpose")
	hook, p := startWatching(t, w, d)

	ends := time.Now().Truncate(time.Second).Add(patience - time.Second) // too soon for the milder alerts to fire
	byHand(w, "just-now", "logistics", ends.UTC())
	d.Reload()
	paid := awaitMessage(w, hook, "payments", "RotadSecretExpired gone-a")
	other := awaitMessage(w, hook, "identity", "RotadSecretExpired gone-c")
	fresh := awaitMessage(w, hook, "logistics", "RotadSecretExpired just-now")
	if got := paid.firing(); !slices.Contains(got, "RotadSecretExpired gone-b") {
		t.Errorf("payments were told %v, want both expired ones in one message", got)
	}
	awaitMessage(w, hook, "payments", "RotadSecretAboutToExpire going")
	if got := other.firing(); !slices.Equal(got, []string{"RotadSecretExpired gone-c"}) {
		t.Errorf("identity was told %v, want its own client only", got)
	}
	report(w, p, "RotadSecretExpired", ends, fresh)

	killed := time.Now()
	d.Kill()
	silent := awaitMessage(w, hook, "platform", "RotadSilent ")
	report(w, p, "RotadSilent", killed, silent)
	for _, m := range hook.all() {
		for _, a := range m.Alerts {
			if !strings.HasPrefix(a.Annotations["runbook_url"], "https://") || a.Labels["severity"] == "" || a.Annotations["summary"] == "" {
				t.Errorf("%v does not say who acts and how: %v", a.Labels, a.Annotations)
			}
			if unwanted(a.Labels["alertname"], a.Labels["client"]) {
				t.Errorf("an alert that nobody needs: %v", a.Labels)
			}
		}
	}
}

// unwanted says what nobody is to hear: of a secret that is far from its end, of one that retires on purpose, and the
// milder alert beside the last line about the same client.
func unwanted(alert, client string) bool {
	return client == "far" || client == "retires" || client == "going" && alert == "RotadSecretExpiresWithinADay"
}

// startWatching starts Prometheus and Alertmanager before the webhook.
func startWatching(t *testing.T, w *world.World, d *world.Daemon) (*webhook, *servers.Prometheus) {
	t.Helper()
	hook := startWebhook(t)
	example := read(t, filepath.Join(w.Root, "deploy", "alertmanager", "alertmanager.yaml"))
	config := regexp.MustCompile(`http://[a-z]+\.example\.com/rotad`).ReplaceAllString(example, hook.URL)
	if strings.Count(config, hook.URL) != 2 {
		t.Fatal("the example for alertmanager has not two addresses")
	}
	w.Must(os.WriteFile(w.Path("alertmanager.yml"), []byte(config), 0o644))
	rules := read(t, filepath.Join(w.Root, "deploy", "prometheus", "rules.yaml"))
	rules = regexp.MustCompile(`(?m)^( +)for: \S+$`).ReplaceAllString(rules, "${1}for: "+patience.String())
	w.Must(os.WriteFile(w.Path("rules.yml"), []byte(rules), 0o644))
	a, err := servers.StartAlertmanager(t.Context(), w.Cache, w.Dir, w.Path("alertmanager.yml"))
	w.Must(err)
	t.Cleanup(a.Stop)
	p, err := servers.StartScrape(t.Context(), w.Cache, w.Dir, servers.Scrape{
		Target: d.MetricsAddress(), Rules: w.Path("rules.yml"), Alertmanager: a.Address,
	})
	w.Must(err)
	t.Cleanup(p.Stop)
	return hook, p
}

// awaitMessage waits for the page to an owner in which an alert fires.
func awaitMessage(w *world.World, hook *webhook, owner, alert string) message {
	w.T.Helper()
	var found message
	w.Await(2*time.Minute, owner+" is paged: "+alert, func() error {
		for _, m := range hook.to("pages", owner) {
			if slices.Contains(m.firing(), alert) {
				found = m
				return nil
			}
		}
		return fmt.Errorf("%d messages came", len(hook.all()))
	})
	return found
}

// report prints the way of an alert with its times, from what caused it.
func report(w *world.World, p *servers.Prometheus, name string, cause time.Time, m message) {
	w.T.Helper()
	rules, err := p.Rules(w.T.Context())
	w.Must(err)
	for _, r := range rules {
		for _, a := range r.Alerts {
			if r.Name == name && a.Labels["owner"] == m.Group["owner"] {
				w.T.Logf("%s to %s: %.1f s after its cause prometheus found it, %.1f s after it the webhook was told",
					name, m.Group["owner"], a.ActiveAt.Sub(cause).Seconds(), m.Arrived.Sub(cause).Seconds())
				return
			}
		}
	}
	w.T.Errorf("prometheus does not show %s any more", name)
}

func TestExampleOfAlertmanagerIsValid(t *testing.T) {
	t.Parallel()
	amtool, err := servers.InstallAlertmanager(t.Context(), shared.Cache)
	must(t, err)
	file := filepath.Join(shared.Root, "deploy", "alertmanager", "alertmanager.yaml")
	if out, err := exec.CommandContext(t.Context(), amtool, "check-config", file).CombinedOutput(); err != nil {
		t.Errorf("amtool refuses the example: %v\n%s", err, out)
	}
}

func adopted(r credential.Record) bool { return r.Sight == credential.SightAdopted }

func read(t testing.TB, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	must(t, err)
	return string(raw)
}
