package servers_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/freeport"
	"github.com/rotad/rotad/test/servers"
)

// cacheAndDir opens the cache and makes a directory that the servers of a test may use.
func cacheAndDir(t *testing.T) (servers.Cache, string) {
	t.Helper()
	cache, err := servers.OpenCache()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := servers.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return cache, dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestVaultKeepsItsDataThroughKillAndSeal(t *testing.T) {
	t.Parallel()
	cache, dir := cacheAndDir(t)
	ctx := t.Context()
	v, err := servers.StartVault(ctx, cache, "..", dir)
	must(t, err)
	t.Cleanup(v.Stop)
	must(t, v.Prepare(ctx, `path "secret/data/*" { capabilities = ["read"] }`, time.Hour))
	version, err := v.Put(ctx, "a/b", map[string]any{"n": 1})
	must(t, err)
	if version != 1 {
		t.Errorf("the first version is %d, want 1", version)
	}

	v.Kill()
	must(t, v.Restart(ctx, false))
	if _, err := v.Get(ctx, "a/b", 0); err == nil {
		t.Error("a sealed vault answered a read")
	}
	must(t, v.Unseal(ctx))
	must(t, v.Seal(ctx))
	must(t, v.Unseal(ctx))
	got, err := v.Get(ctx, "a/b", 0)
	must(t, err)
	if string(got.Values["n"]) != "1" || got.Version != 1 {
		t.Errorf("after kill and unseal: %+v, want n = 1 in version 1", got)
	}
	id, err := v.NewSecretID(ctx, "rotad")
	must(t, err)
	for secret, want := range map[string]bool{id.Value: true, "wrong": false} {
		ok, failure := v.Login(ctx, v.RoleID, secret)
		must(t, failure)
		if ok != want {
			t.Errorf("login gives %t, want %t", ok, want)
		}
	}
}

func TestKeycloakKeepsTheOldSecretOnlyUnderThePolicy(t *testing.T) {
	t.Parallel()
	cache, dir := cacheAndDir(t)
	ctx := t.Context()
	k, err := servers.StartKeycloak(ctx, cache, dir)
	must(t, err)
	t.Cleanup(k.Stop)
	for realm, keeps := range map[string]bool{"with": true, "without": false} {
		r := servers.Realm{Name: realm, Clients: []servers.RealmClient{{ID: "app", Secret: "the-first-value"}}}
		if keeps {
			r.Rotated = time.Minute
		}
		must(t, k.CreateRealm(ctx, r))
		fresh, err := k.Regenerate(ctx, realm, "app")
		must(t, err)
		for secret, want := range map[string]bool{fresh: true, "the-first-value": keeps, "never-issued": false} {
			ok, err := k.Accepts(ctx, realm, "app", secret)
			must(t, err)
			if ok != want {
				t.Errorf("realm %s: a secret is accepted: %t, want %t", realm, ok, want)
			}
		}
		client, err := k.Client(ctx, realm, "app")
		must(t, err)
		if got := !client.Time(servers.AttrRotatedExpires).IsZero(); got != keeps {
			t.Errorf("realm %s: the old secret has an expiry: %t, want %t", realm, got, keeps)
		}
	}
}

func TestPostfixWantsTLSAndALoginAndDelivers(t *testing.T) {
	t.Parallel()
	cache, dir := cacheAndDir(t)
	p, err := servers.StartPostfix(t.Context(), cache, dir)
	must(t, err)
	t.Cleanup(p.Stop)
	must(t, send(p, servers.MailPassword, "one@rotad.test", "first"))
	if err := send(p, "wrong", "one@rotad.test", "second"); err == nil {
		t.Error("a mail with a wrong password was taken")
	}
	if err := send(p, servers.MailPassword, "one@elsewhere.test", "third"); err == nil {
		t.Error("a mail to another domain was taken")
	}
	p.Stop()
	if err := send(p, servers.MailPassword, "one@rotad.test", "fourth"); err == nil {
		t.Error("a stopped server took a mail")
	}
	must(t, p.Start(t.Context()))
	must(t, send(p, servers.MailPassword, "two@rotad.test", "fifth"))
	must(t, servers.Until(t.Context(), 20*time.Second, 50*time.Millisecond, func(context.Context) error {
		mails, err := p.Mails("")
		if err != nil || len(mails) != 2 {
			return fmt.Errorf("%d mails (%v), want 2", len(mails), err)
		}
		return nil
	}))
	mails, err := p.Mails("two@rotad.test")
	must(t, err)
	if len(mails) != 1 || mails[0].Subject != "fifth" || mails[0].ID != "fifth@rotad.test" {
		t.Errorf("to the second address: %+v, want the fifth mail only", mails)
	}
}

// send sends one mail as net/smtp does: STARTTLS, AUTH PLAIN, DATA.
func send(p *servers.Postfix, password, to, subject string) error {
	client, err := smtp.Dial(fmt.Sprintf("127.0.0.1:%d", p.Port))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	pem, err := os.ReadFile(p.CAFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	if err := client.StartTLS(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}); err != nil {
		return err
	}
	if err := client.Auth(smtp.PlainAuth("", servers.MailUser, password, "127.0.0.1")); err != nil {
		return err
	}
	if err := client.Mail("from@rotad.test"); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "From: from@rotad.test\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@rotad.test>\r\n\r\nHello.\r\n",
		to, subject, subject)
	if err := w.Close(); err != nil {
		return err
	}
	return client.Quit()
}

func TestSinkRefusesWhatItIsToldTo(t *testing.T) {
	t.Parallel()
	cache, dir := cacheAndDir(t)
	s, err := servers.StartSink(t.Context(), cache, dir, "-r", "RCPT")
	must(t, err)
	t.Cleanup(func() { s.Stop() })
	message := []byte("From: a@rotad.test\r\nTo: b@rotad.test\r\nSubject: taken\r\nMessage-ID: <1@rotad.test>\r\n\r\nHello.\r\n")
	addr := fmt.Sprintf("127.0.0.1:%d", s.Port)
	if err := smtp.SendMail(addr, nil, "a@rotad.test", []string{"b@rotad.test"}, message); err == nil {
		t.Error("a refused recipient was taken")
	}
	s.Stop()
	must(t, s.Restart(t.Context()))
	must(t, smtp.SendMail(addr, nil, "a@rotad.test", []string{"b@rotad.test"}, message))
	must(t, servers.Until(t.Context(), 10*time.Second, 50*time.Millisecond, func(context.Context) error {
		mails, err := s.Mails()
		if err != nil || len(mails) != 1 || mails[0].To != "b@rotad.test" {
			return fmt.Errorf("mails %+v (%v), want one to b", mails, err)
		}
		return nil
	}))
}

func TestPrometheusScrapesAndShowsRules(t *testing.T) {
	t.Parallel()
	cache, dir := cacheAndDir(t)
	port, err := freeport.Loopback()
	must(t, err)
	target := fmt.Sprintf("127.0.0.1:%d", port)
	server := &http.Server{Addr: target, ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, `rotad_answer{x="y"} 42`) })}
	go func() { _ = server.ListenAndServe() }()
	t.Cleanup(func() { _ = server.Close() })
	rules := filepath.Join(dir, "rules.yaml")
	must(t, os.WriteFile(rules, []byte(`groups: [{name: g, rules: [{alert: A, expr: rotad_answer > 41}]}]`), 0o644))
	p, err := servers.StartPrometheus(t.Context(), cache, dir, target, rules)
	must(t, err)
	t.Cleanup(p.Stop)
	must(t, servers.Until(t.Context(), 30*time.Second, 200*time.Millisecond, func(ctx context.Context) error {
		samples, err := p.Query(ctx, `rotad_answer{job="rotad"}`)
		if err != nil || len(samples) != 1 || samples[0].Value != 42 || samples[0].Labels["x"] != "y" {
			return fmt.Errorf("samples %+v (%v), want 42", samples, err)
		}
		states, err := p.Rules(ctx)
		if err != nil || len(states) != 1 || states[0].State != "firing" || states[0].Health != "ok" {
			return fmt.Errorf("rules %+v (%v), want A firing", states, err)
		}
		return nil
	}))
}
