package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-message"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/sandbox"
)

const publicConfig = `state: {path: rotad.db}
scan: "@every 1s"
public_url: http://%[1]s/rotad
listen:
  metrics: "off"
  admin: "unix:admin.sock"
  public: {address: "%[1]s", key_file: key, trusted_proxies: [192.0.2.0/24]}
vault: {address: %[2]s, auth: {method: token, token_file: vault-token}}
smtp: {host: 127.0.0.1, port: %[3]d, tls: none, from: Secrets <secrets@example.com>, helo: rotad.example.com}
admins: {email: [security@example.com]}
providers:
  portal: {kind: manual, token_url: %[4]s/oauth2/token}
owners:
  payments: {email: [alice@example.com, bob@example.com], timezone: Europe/Berlin, calendar: publish}
  others: {email: [carol@example.com], calendar: feed, language: de}
clients:
  - {id: partner, provider: portal, ref: {client_id: partner}, owner: payments, expires: %[5]s, vault: {path: apps/partner}}
  - {id: second, provider: portal, ref: {client_id: second}, owner: payments, expires: %[5]s, vault: {path: apps/second}}
  - {id: elsewhere, provider: portal, ref: {client_id: elsewhere}, owner: others, expires: %[5]s, vault: {path: apps/elsewhere}}
`

const publicTestKey = "a-key-of-more-than-thirty-two-characters"

// publicLife is the whole daemon with its state file, a Vault, a provider, a mail server, and people.
type publicLife struct {
	*testing.T

	dir, root string // of the configuration; of the links
	ends      time.Time
	mailbox   *sandbox.Mailbox
	log       safeLog
	stop      func()
}

// safeLog is a log that many write to.
type safeLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newPublicLife(t *testing.T) *publicLife {
	t.Helper()
	now := func() time.Time { return time.Now().UTC() }
	l := &publicLife{T: t, mailbox: sandbox.NewMailbox(time.Now, ""), ends: now().AddDate(0, 0, 20).Truncate(time.Second)}
	kv, idp := sandbox.NewKV(now), sandbox.NewIdP(now, sandbox.Settings{})
	for _, id := range []string{"partner", "second", "elsewhere"} {
		l.must(idp.Register(sandbox.Registration{ClientID: id, Secret: "the-secret-of-" + id}))
		kv.Put("secret", "apps/"+id, map[string]any{"client_id": id, "client_secret": "the-secret-of-" + id})
	}
	vault, login := httptest.NewServer(kv), httptest.NewServer(idp.Handler())
	t.Cleanup(vault.Close)
	t.Cleanup(login.Close)
	mail, err := l.mailbox.Listen(t.Context(), "127.0.0.1:0")
	l.must(err)
	t.Cleanup(func() { _ = l.mailbox.Close() })
	address, err := freeAddress()
	l.must(err)
	l.root = "http://" + address + "/rotad"
	l.dir = l.shortDir()
	text := fmt.Sprintf(publicConfig, address, vault.URL, mail.(*net.TCPAddr).Port, login.URL, l.ends.Format(time.RFC3339)) //nolint:forcetypeassert // it listens on TCP
	for name, content := range map[string]string{"config.yaml": text, "vault-token": kv.RootToken(), "key": publicTestKey + "\n"} {
		l.must(os.WriteFile(filepath.Join(l.dir, name), []byte(content), 0o600))
	}
	return l
}

// shortDir makes a directory in which the path of a socket is short enough.
func (l *publicLife) shortDir() string {
	l.Helper()
	dir, err := os.MkdirTemp("", "rotad")
	l.must(err)
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (l *publicLife) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// begin starts the daemon, and ends the one before it in good order.
func (l *publicLife) begin() {
	l.Helper()
	if l.stop != nil {
		l.stop()
	}
	d := l.daemon()
	l.must(d.register(l.Context(), d.config()))
	doors, err := d.listen(l.Context(), filepath.Join(l.dir, "admin.sock"))
	l.must(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	l.stop = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			l.Error(err)
		}
		doors.close()
		if err := d.close(); err != nil {
			l.Error(err)
		}
	})
	l.Cleanup(l.stop)
}

// daemon opens the state by the configuration; nothing runs yet.
func (l *publicLife) daemon() *daemon {
	l.Helper()
	cfg, problems := config.Load(filepath.Join(l.dir, "config.yaml"), configKinds())
	l.must(problems.Err())
	d, err := newDaemon(cfg, daemonSettings{clocks: realClocks(), log: slog.New(slog.NewTextHandler(&l.log, nil))})
	l.must(err)
	return d
}

func (l *publicLife) rotad(code int, args ...string) string {
	l.Helper()
	got, out, errOut := command(l.T, append(args, "--socket", "unix:"+filepath.Join(l.dir, "admin.sock"))...)
	if got != code {
		l.Fatalf("rotad %s: exit code %d: %s", strings.Join(args, " "), got, errOut)
	}
	return out + errOut
}

func (l *publicLife) await(what string, holds func() bool) {
	l.Helper()
	limit := time.After(awaitLimit)
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for !holds() {
		select {
		case <-limit:
			l.Fatalf("not within %s: %s; the log: %s", awaitLimit, what, l.log.String())
		case <-pause.C:
		}
	}
}

var answerLink = regexp.MustCompile(`http://[^\s"<>]+/answer/[A-Za-z0-9_-]+`)

// letter is what a reader finds in the one mail about a client.
type letter struct {
	ack, snooze string
	calendar    []byte
}

// letter waits for the warning about a client that went to an address.
func (l *publicLife) letter(client, to string) (found letter) {
	l.Helper()
	l.await("a mail about "+client+" to "+to, func() bool {
		for _, m := range l.mailbox.Messages() {
			data := string(m.Data)
			if slices.Contains(m.To, to) && strings.Contains(data, "X-Rotad-Kind: warning\r\n") && strings.Contains(data, "X-Rotad-Client: "+client+"\r\n") {
				found = l.open(m)
				return true
			}
		}
		return false
	})
	return found
}

func (l *publicLife) open(m sandbox.Message) (found letter) {
	l.Helper()
	entity, err := message.Read(strings.NewReader(string(m.Data)))
	l.must(err)
	l.must(entity.Walk(func(_ []int, part *message.Entity, err error) error {
		kind, _, _ := part.Header.ContentType()
		if err != nil || strings.HasPrefix(kind, "multipart/") {
			return err
		}
		content, err := io.ReadAll(part.Body)
		switch links := answerLink.FindAllString(string(content), -1); {
		case kind == "text/plain" && len(links) == 2:
			found.ack, found.snooze = links[0], links[1]
		case kind == "text/html" && !strings.Contains(string(content), found.snooze):
			l.Errorf("the HTML has other links than the text")
		case kind == "text/calendar":
			found.calendar = content
		}
		return err
	}))
	if found.ack == "" {
		plain, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(m.Data))))
		l.Fatalf("the mail has no links: %s", plain)
	}
	return found
}

func (l *publicLife) get(method, at, body string, headers ...string) (int, string, http.Header) {
	l.Helper()
	r, err := http.NewRequestWithContext(l.Context(), method, at, strings.NewReader(body))
	l.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply, err := http.DefaultClient.Do(r)
	l.must(err)
	defer func() { _ = reply.Body.Close() }()
	content, err := io.ReadAll(reply.Body)
	l.must(err)
	return reply.StatusCode, string(content), reply.Header
}

// refused presses the button behind a link, and expects its page to say why not.
func (l *publicLife) refused(what, at, button, want string) {
	l.Helper()
	status, page, _ := l.get("POST", at, "answer="+button)
	if status < 400 || !strings.Contains(page, want) || strings.Contains(page, "<form") {
		l.Errorf("%s: %d: %s", what, status, page)
	}
}
