package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/internal/sandbox"
)

const portalConfig = `state: {path: rotad.db}
scan: "17 * * * *"
listen: {metrics: "off", admin: "unix:admin.sock"}
vault:
  address: %s
  auth: {method: token, token_file: vault-token}
smtp: {host: 127.0.0.1, port: %d, tls: none, from: Secrets <secrets@example.com>, helo: rotad.example.com}
admins: {email: [security@example.com]}
providers:
  portal: {kind: lightapi, allow_unproven: true, url: %s, host_id: host, token_url: %[3]s/oauth2/token, token_file: portal-token, deadline: 5s, propagation: 60s}
policies:
  default: {lifetime: 90d, rotate_before: 14d, overlap: 72h, announce: 7d}
owners:
  payments: {email: [payments@example.com]}
clients:
  - {id: billing, provider: portal, ref: {client_id: billing}, owner: payments, allow_cutover: true, vault: {path: apps/billing}}
`

const (
	portalToken  = "the-token-of-the-portal"
	portalSecret = "the-secret-before-the-portal-made-another"
	portalReason = "a laptop was stolen"
)

// portalLife is the whole daemon between a portal, a Vault and a mail server. It is a watcher: after every commit it tries
// both secrets, and writes down which of them Vault hands out.
type portalLife struct {
	*testing.T

	clock   *demoClock
	portal  *sandbox.LightAPI
	gate    sandbox.Gate // before the portal
	kv      *sandbox.KV
	mailbox *sandbox.Mailbox
	socket  string

	mu    sync.Mutex
	fresh credential.Sensitive // the new secret, from when it stands in Vault
	rev   uint64               // of the record that was committed last
	seen  []string             // what was seen, without repetitions
	wrong []string
	asks  func(credential.Record) // told of every commit; nil = nobody
	done  chan struct{}           // the rotation has ended
	once  sync.Once
}

// newPortalLife makes the world. The OAuth server keeps verifiers for the time cache.
func newPortalLife(t *testing.T, cache time.Duration) *portalLife {
	t.Helper()
	l := &portalLife{T: t, clock: newDemoClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), done: make(chan struct{})}
	l.portal = sandbox.NewLightAPI(l.clock.now, sandbox.LightAPISettings{Token: portalToken, Cache: cache})
	l.must(l.portal.Register(sandbox.LightAPIClient{ClientID: "billing", Secret: portalSecret, Position: "head-of-billing"}))
	l.kv = sandbox.NewKV(l.clock.now)
	l.kv.Put("secret", "apps/billing", map[string]any{"client_id": "billing", "client_secret": portalSecret})
	l.kv.OnWrite(l.wrote)
	l.mailbox = sandbox.NewMailbox(l.clock.now, "")
	t.Cleanup(func() { _ = l.mailbox.Close() })
	return l
}

func (l *portalLife) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// wrote learns the new secret from the first place where it stands.
func (l *portalLife) wrote(w sandbox.KVWrite) {
	value, ok := w.Data["bundle.client_secret"].(string)
	if !ok {
		value, ok = w.Data["client_secret"].(string)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ok && value != "" && value != portalSecret {
		l.fresh = credential.NewSensitive(value)
	}
}

// configure writes the configuration into a directory of its own.
func (l *portalLife) configure() *config.Config {
	l.Helper()
	dir, err := os.MkdirTemp("", "rotad") // a socket's path has to be short
	l.must(err)
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	portal, kv := httptest.NewServer(l.gate.Wrap(l.portal.Handler())), httptest.NewServer(l.kv)
	l.Cleanup(portal.Close)
	l.Cleanup(kv.Close)
	mail, err := l.mailbox.Listen(l.Context(), "127.0.0.1:0")
	l.must(err)
	tcp, ok := mail.(*net.TCPAddr)
	if !ok {
		l.Fatalf("the mail server listens at %v", mail)
	}
	for name, content := range map[string]string{
		"config.yaml": fmt.Sprintf(portalConfig, kv.URL, tcp.Port, portal.URL), "vault-token": l.kv.RootToken(), "portal-token": portalToken,
	} {
		l.must(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	l.socket = filepath.Join(dir, "admin.sock")
	cfg, problems := config.Load(filepath.Join(dir, "config.yaml"), configKinds())
	l.must(problems.Err())
	return cfg
}

// live runs the daemon while f asks it for things.
func (l *portalLife) live(f func()) {
	l.Helper()
	play := &demoPlay{world: &demoWorld{clock: l.clock}}
	cfg := l.configure()
	d, err := newDaemon(cfg, daemonSettings{clocks: l.clock.clocks(), log: slog.New(slog.DiscardHandler), watch: l, noSync: true})
	l.must(err)
	l.must(d.register(l.Context(), cfg))
	doors, err := d.listen(l.Context(), l.socket)
	l.must(err)
	play.life.Store(&demoLife{play: play, daemon: d})
	ctx, stop := context.WithCancel(l.Context())
	var parts sync.WaitGroup
	parts.Go(func() { l.clock.run(ctx, 5*time.Minute, play.busy, play.nextDue) })
	parts.Go(func() {
		if err := d.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			l.Error(err)
		}
	})
	f()
	stop()
	parts.Wait()
	doors.close()
	l.must(d.close())
}

// Committed implements watcher.
func (l *portalLife) Committed(change credential.Change) {
	rec := change.Record
	now, _ := l.kv.Current("secret", "apps/billing")
	l.mu.Lock()
	defer l.mu.Unlock()
	if rec.Rev < l.rev { // what a command commits may be told of later than what the loop has made of it
		return
	}
	l.rev = rec.Rev
	hands := "old"
	if now["client_secret"] != portalSecret {
		hands = "new"
	}
	l.note(fmt.Sprintf("%s: old %s, new %s, vault hands out the %s one", rec.Phase(),
		l.try(credential.NewSensitive(portalSecret)), l.try(l.fresh), hands))
	if l.asks != nil {
		l.asks(rec)
	}
	if rec.Last.Outcome == "done" {
		l.once.Do(func() { close(l.done) })
	}
}

// try asks the OAuth server what it would say to a login, beside the cache.
func (l *portalLife) try(secret credential.Sensitive) string {
	switch {
	case secret.Empty():
		return "unborn"
	case l.portal.Accepts("billing", secret):
		return "accepted"
	}
	return "refused"
}

// note writes down what is seen, if it is not the same as before.
func (l *portalLife) note(what string) {
	if len(l.seen) == 0 || l.seen[len(l.seen)-1] != what {
		l.seen = append(l.seen, what)
	}
}

// Effect implements watcher.
func (l *portalLife) Effect(credential.Record, rotation.Effect, rotation.Outcome, time.Duration) {}

// Violated implements watcher.
func (l *portalLife) Violated(client string, b oracle.Broken) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, client+": "+b.String())
}

// await asks until a condition holds.
func (l *portalLife) await(what string, holds func() bool) {
	l.Helper()
	limit := time.After(awaitLimit)
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for !holds() {
		select {
		case <-limit:
			l.mu.Lock()
			defer l.mu.Unlock()
			l.Fatalf("not within %s: %s; seen: %s", awaitLimit, what, strings.Join(l.seen, "\n"))
		case <-pause.C:
		}
	}
}

// ask types a command.
func (l *portalLife) ask(args ...string) (out string) {
	l.Helper()
	code, out, errOut := command(l.T, append(args, "--socket", "unix:"+l.socket)...)
	if code != exitDone {
		l.Fatalf("rotad %s: exit code %d: %s", strings.Join(args, " "), code, errOut)
	}
	return out
}

// rotate asks for a rotation as a person does.
func (l *portalLife) rotate() {
	l.Helper()
	l.await("the client is adopted", func() bool { return strings.Contains(l.ask("show", "billing", "--json"), `"adopted"`) })
	l.ask("rotate", "billing", "--reason", portalReason)
}

// ends waits for the end of the rotation, and until it has been told.
func (l *portalLife) ends() {
	l.Helper()
	l.await("the rotation has ended", func() bool {
		select {
		case <-l.done:
			return true
		default:
			return false
		}
	})
	l.await("owner and admins are told", func() bool {
		return len(l.mailsTo("payments@example.com")) > 0 && len(l.mailsTo("security@example.com")) > 0
	})
}

func (l *portalLife) mailsTo(address string) []sandbox.Message {
	return slices.DeleteFunc(l.mailbox.Messages(), func(m sandbox.Message) bool { return !slices.Contains(m.To, address) })
}

// TestTheWholeLifeOfARegeneratedSecret rotates a client of a portal whose OAuth server keeps no verifiers, and of one whose
// cache still accepts the old secret and refuses the new one when both are tried at once. No process is restarted.
func TestTheWholeLifeOfARegeneratedSecret(t *testing.T) {
	const before, after = "old accepted, new unborn, vault hands out the old one", "old refused, new accepted, vault hands out the new one"
	for name, test := range map[string]struct {
		cache time.Duration
		want  []string
	}{
		"the OAuth server asks the database": {0, []string{
			"steady: " + before, "intent: " + before, "staged: old refused, new accepted, vault hands out the old one",
			"overlap: " + after, "revoking: " + after, "steady: " + after,
		}},
		"the OAuth server has a cache": {40 * time.Second, []string{
			"steady: " + before, "intent: " + before, "staged: old accepted, new refused, vault hands out the old one",
			"overlap: old accepted, new refused, vault hands out the new one", "revoking: " + after, "steady: " + after,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newPortalLife(t, test.cache)
			l.asks = func(rec credential.Record) {
				if rec.Phase() == credential.PhaseIntent { // a consumer logs in right before the secret is replaced
					_ = l.portal.LookUp("billing") // it is registered
				}
			}
			l.live(func() {
				l.rotate()
				l.ends()
				l.isOnRecord()
			})
			if !slices.Equal(l.seen, test.want) {
				t.Errorf("seen:\n%s\nwant:\n%s", strings.Join(l.seen, "\n"), strings.Join(test.want, "\n"))
			}
			for _, wrong := range l.wrong {
				t.Error(wrong)
			}
			l.isAsBefore()
			l.isTold()
		})
	}
}

// isOnRecord: who rotated, when and why.
func (l *portalLife) isOnRecord() {
	l.Helper()
	var entries []credential.Audit
	l.must(json.Unmarshal([]byte(l.ask("history", "billing", "--json")), &entries))
	if !slices.ContainsFunc(entries, func(a credential.Audit) bool {
		return a.Event == credential.EventRequested && a.Actor != "" && !a.At.IsZero() && strings.Contains(a.Detail, portalReason)
	}) {
		l.Errorf("the history does not say who, when and why: %+v", entries)
	}
}

// isAsBefore: one event more, with the reason, and nothing else of the client has changed.
func (l *portalLife) isAsBefore() {
	l.Helper()
	events := l.portal.Events("billing")
	if last := events[len(events)-1]; len(events) != 2 || last.Type != "ClientSecretRegeneratedEvent" || last.Reason != portalReason || last.Position != "head-of-billing" {
		l.Errorf("%+v", events)
	}
	now, version := l.kv.Current("secret", "apps/billing")
	if now["client_id"] != "billing" || version != 2 {
		l.Errorf("vault hands out version %d of %v", version, now["client_id"])
	}
}

// isTold: owner and admins have mails about it, in which neither secret stands.
func (l *portalLife) isTold() {
	l.Helper()
	for _, address := range []string{"payments@example.com", "security@example.com"} {
		told := false
		for _, m := range l.mailsTo(address) {
			text := string(m.Data)
			told = told || strings.Contains(text, "billing") && strings.Contains(strings.ToLower(text), "rotated")
			if strings.Contains(text, portalSecret) || strings.Contains(text, l.fresh.Reveal()) {
				l.Error("a mail holds a secret")
			}
		}
		if !told {
			l.Errorf("%s was not told; %d mails", address, len(l.mailsTo(address)))
		}
	}
}

// TestARegenerationBySomebodyElseIsNotWrittenOver lets a person regenerate the secret in the portal between rotad's last look
// and its command. The portal refuses the command, and nothing rotad does afterwards ends the secret of that person.
func TestARegenerationBySomebodyElseIsNotWrittenOver(t *testing.T) {
	l := newPortalLife(t, 0)
	theirs, armed := "", false
	l.asks = func(rec credential.Record) {
		if rec.Phase() != credential.PhaseIntent || armed {
			return
		}
		armed = true
		l.gate.Spoil(func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "getFreshClient") }, func() bool {
			var err error
			if theirs, err = l.portal.Regenerate("billing"); err != nil {
				t.Error(err)
			}
			return false
		})
	}
	l.live(func() {
		l.rotate()
		l.await("the rotation is held", func() bool {
			return strings.Contains(l.ask("show", "billing", "--json"), string(credential.HoldAttempts))
		})
		l.ask("resume", "billing", "--abort", "--reason", "look again")
		l.await("rotad has seen what is in Vault refused", func() bool {
			return strings.Contains(l.ask("show", "billing", "--json"), string(credential.HoldMismatch))
		})
	})
	if n := l.portal.Regenerated("billing"); n != 1 {
		t.Errorf("regenerated %d times, want once, by hand", n)
	}
	if !l.portal.Accepts("billing", credential.NewSensitive(theirs)) {
		t.Error("the secret of the person who was there is refused")
	}
	if now, version := l.kv.Current("secret", "apps/billing"); version != 1 || now["client_secret"] != portalSecret {
		t.Errorf("version %d in vault", version)
	}
}
