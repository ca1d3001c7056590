package watch_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
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

// lively is a daemon with something of everything that a panel or an alert is about.
type lively struct {
	*world.World
	d     *world.Daemon
	p     *servers.Prometheus
	sink  *servers.Sink
	proxy *servers.Proxy
	began time.Time
}

// startLively registers clients of three owners at four providers, and lets Prometheus scrape from the first second on:
// an increase that happens before the first scrape is none.
func startLively(t *testing.T) *lively {
	t.Helper()
	l := &lively{World: world.NewInMemory(t, shared, "lively"), began: time.Now()}
	portal(l.World)
	now := time.Now().UTC().Truncate(time.Second)
	byHand(l.World, "due-soon", "payments", now.Add(3*24*time.Hour))
	byHand(l.World, "due-today", "logistics", now.Add(12*time.Hour))
	byHand(l.World, "due-now", "payments", now.Add(30*time.Minute))
	byHand(l.World, "expired", "identity", now.Add(-2*time.Hour))
	byHand(l.World, "unknown", "identity", time.Time{})
	l.addRoles()
	l.listen()
	p, err := servers.StartScrape(t.Context(), l.Cache, l.Dir, servers.Scrape{
		Target: l.Config.Listen["metrics"].(string), Remember: 24 * time.Hour,
		Rules: l.Root + "/deploy/prometheus/rules.yaml",
	})
	l.Must(err)
	t.Cleanup(p.Stop)
	l.p = p
	l.d = l.Start()
	l.await("prometheus has scraped it", `rotad_notices_total and on () rotad_build_info`)
	return l
}

// addRoles registers AppRoles whose rotations end at once, last, stand still, or are disturbed.
func (l *lively) addRoles() {
	l.T.Helper()
	slow := world.Block{"successes": 5, "interval": "20m", "deadline": "3h"}
	for id, verify := range map[string]world.Block{
		"done": nil, "overlapping": nil, "unheard": nil, "strays": nil, "wrong": nil,
		"standing": slow, "given-up": slow, "overwritten": {"successes": 3, "interval": "2s"},
	} {
		l.AddAppRole(id, false)
		// What is made from now on ends in twenty days.
		l.Must(l.Vault.Role(l.T.Context(), id, map[string]any{"secret_id_ttl": "480h"}))
		if verify != nil {
			l.Client(id)["verify"] = verify
		}
	}
	l.Config.Policies["default"]["overlap"] = "48h"
	l.Config.Policies["swift"] = world.Block{"start": "auto", "lifetime": "90d", "rotate_before": "14d", "overlap": "2s"}
	l.Client("done")["policy"] = "swift"
	l.overwrite("wrong", "a-value-that-nobody-issued")
	l.addCutOff()
}

// addCutOff registers a client that is due since it was made, at a provider that can be taken away.
func (l *lively) addCutOff() {
	l.T.Helper()
	l.AddAppRole("cut-off", true)
	l.Config.Policies["late"] = world.Block{"start": "observe", "lifetime": "90d", "rotate_before": "14d", "overlap": "1h"}
	l.Client("cut-off")["policy"], l.Client("cut-off")["owner"] = "late", "logistics"
	ctx := l.T.Context()
	l.Must(l.Vault.Role(ctx, "cut-off", map[string]any{"secret_id_ttl": "6h"}))
	issued, err := l.Vault.NewSecretID(ctx, "cut-off")
	l.Must(err)
	l.overwrite("cut-off", issued.Value)
	l.Client("cut-off")["current_id"] = issued.Accessor
	proxy, err := servers.StartProxy(l.Vault.URL)
	l.Must(err)
	l.T.Cleanup(proxy.Stop)
	l.Config.Providers["own-roles"]["address"] = proxy.URL
	l.proxy = proxy
}

// overwrite puts a SecretID into Vault, as somebody would by hand.
func (l *lively) overwrite(id, value string) {
	l.T.Helper()
	_, err := l.Vault.Put(l.T.Context(), world.AppPath(id), map[string]any{
		"role_id": "id-of-" + id, "secret_id": l.Known(value),
	})
	l.Must(err)
}

// listen starts a mail server that takes everything, for now.
func (l *lively) listen() {
	l.T.Helper()
	sink, err := servers.StartSink(l.T.Context(), l.Cache, l.Dir)
	l.Must(err)
	l.T.Cleanup(func() { sink.Stop() })
	l.sink = sink
	l.Config.SMTP = world.Block{"host": "127.0.0.1", "port": sink.Port, "tls": "none", "from": "secrets@rotad.test"}
	l.Config.Admins = world.Block{"email": []string{l.Address("admin")}}
}

// stir brings the clients into their states, and breaks mail, a provider and the configuration one after the other.
func (l *lively) stir() {
	t := l.T
	t.Helper()
	ctx := t.Context()
	for _, id := range []string{"done", "overlapping", "unheard", "strays", "standing", "given-up", "overwritten", "cut-off"} {
		l.d.Await(id, 30*time.Second, "is adopted", adopted)
	}
	l.rotate("done", "standing", "given-up", "overwritten")
	l.d.Await("overwritten", time.Minute, "is staged", inPhase(credential.PhaseStaged))
	l.overwrite("overwritten", "a-value-from-someone-else")
	l.await("people were told", `sum(rotad_notices_total{outcome="sent"}) > 0`)
	l.await("a rotation is done", `sum(rotad_rotations_total{outcome="done"}) > 0`)

	l.sink.Stop()
	l.Must(l.sink.Restart(ctx, "-f", "RCPT"))
	l.rotate("overlapping")
	l.await("a notice is refused for good", `rotad_outbox_entries{state="dead"} > 0`)
	l.sink.Stop()
	l.rotate("unheard")
	l.d.Await("given-up", time.Minute, "is staged", inPhase(credential.PhaseStaged))
	l.d.Do("resume", "given-up", "--abort")
	for range 3 {
		l.Must(l.Vault.LabelSecretID(ctx, "strays", "rotad/nobody-knows/1"))
	}
	l.proxy.Set(servers.Fault{Refuse: true})
	l.Config.Policies["late"]["start"] = "auto"
	l.d.Reload()
	l.await("the provider is down", `rotad_provider_up{provider="own-roles"} == 0`)
	l.await("its client is overdue", `rotad_next_action_timestamp_seconds{client="cut-off",action="rotate"} < time() - 3600`)
	l.Config.Scan = "now and then"
	l.d.Reload()
	for what, state := range map[string]string{
		"the configuration is refused": `rotad_config_last_reload_successful == 0`,
		"a notice waits":               `rotad_outbox_entries{state="pending"} > 0`,
		"a rotation was given up":      `sum(rotad_rotations_total{outcome="aborted"}) > 0`,
		"one client stands still":      `rotad_rotation_phase{client="standing",phase="staged"}`,
		"an old secret still works":    `rotad_secret_expiry_timestamp_seconds{slot="retiring",client="overlapping"}`,
		"two are held":                 `count(rotad_holds > 0) > 1`,
		"a rule is broken":             `sum(rotad_invariant_violations_total) > 0`,
	} {
		l.await(what, state)
	}
}

func (l *lively) rotate(ids ...string) {
	l.T.Helper()
	for _, id := range ids {
		l.d.Do("rotate", id, "--reason", "to be looked at")
	}
}

// await waits until Prometheus has seen something.
func (l *lively) await(what, expression string) {
	l.T.Helper()
	l.Await(time.Minute, what, func() error {
		samples, err := l.p.Query(l.T.Context(), expression)
		if err == nil && len(samples) == 0 {
			err = fmt.Errorf("%s finds nothing", expression)
		}
		return err
	})
}

func inPhase(p credential.Phase) func(credential.Record) bool {
	return func(r credential.Record) bool { return r.Phase() == p }
}
