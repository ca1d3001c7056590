package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-message"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
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
  others: {email: [carol@example.com]}
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
	l.dir, err = os.MkdirTemp("", "rotad") // a socket's path has to be short
	l.must(err)
	t.Cleanup(func() { _ = os.RemoveAll(l.dir) })
	text := fmt.Sprintf(publicConfig, address, vault.URL, mail.(*net.TCPAddr).Port, login.URL, l.ends.Format(time.RFC3339)) //nolint:forcetypeassert // it listens on TCP
	for name, content := range map[string]string{"config.yaml": text, "vault-token": kv.RootToken(), "key": publicTestKey + "\n"} {
		l.must(os.WriteFile(filepath.Join(l.dir, name), []byte(content), 0o600))
	}
	return l
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
	cfg, problems := config.Load(filepath.Join(l.dir, "config.yaml"), configKinds())
	l.must(problems.Err())
	d, err := newDaemon(cfg, daemonSettings{clocks: realClocks(), log: slog.New(slog.NewTextHandler(&l.log, nil))})
	l.must(err)
	l.must(d.register(l.Context(), cfg))
	doors, err := d.listen(l.Context(), filepath.Join(l.dir, "admin.sock"))
	l.must(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	l.stop = sync.OnceFunc(func() {
		stop()
		<-ended
		doors.close()
		if err := d.close(); err != nil {
			l.Error(err)
		}
	})
	l.Cleanup(l.stop)
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
			if slices.Contains(m.To, to) && strings.Contains(string(m.Data), "Rotate "+client) {
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

func TestPeopleAnswerTheirMailsOnce(t *testing.T) {
	l := newPublicLife(t)
	l.begin()
	alice, bob := l.letter("partner", "alice@example.com"), l.letter("partner", "bob@example.com")
	second := l.letter("second", "bob@example.com")
	if alice.ack == bob.ack {
		t.Error("two readers have the same link")
	}
	status, page, _ := l.get("GET", alice.ack, "")
	if status != 200 || !strings.Contains(page, "The secret of partner expires on ") || !strings.Contains(page, "You answer as alice@example.com") {
		t.Errorf("%d: %s", status, page)
	}
	l.get("HEAD", alice.ack, "")
	l.get("GET", bob.snooze, "")
	if history := l.rotad(exitDone, "history", "partner"); strings.Contains(history, "acked") || strings.Contains(history, "snoozed") {
		t.Fatalf("opening a link did something:\n%s", history)
	}
	if status, page, _ := l.get("POST", alice.ack, "answer=ack"); status != 200 || !strings.Contains(page, "Noted: you have seen it") {
		t.Errorf("%d: %s", status, page)
	}
	if history := l.rotad(exitDone, "history", "partner"); !strings.Contains(history, "acked") || !strings.Contains(history, "mail:alice@example.com") {
		t.Errorf("the history does not say who answered:\n%s", history)
	}
	const used = "This has been answered already"
	l.refused("the same link", alice.ack, "ack", used)
	l.refused("the other answer to the same mail", alice.snooze, "snooze", used)
	l.refused("a colleague's link", bob.ack, "ack", used)

	if status, page, _ := l.get("POST", second.snooze, "answer=snooze"); status != 200 || !strings.Contains(page, "No warnings until ") {
		t.Errorf("%d: %s", status, page)
	}
	if history := l.rotad(exitDone, "history", "second"); !strings.Contains(history, "snoozed") || !strings.Contains(history, "mail:bob@example.com") {
		t.Errorf("the history does not say who answered:\n%s", history)
	}
	l.begin()
	l.refused("the same link after a restart", alice.ack, "ack", used)
	l.refused("the snooze after a restart", second.snooze, "snooze", used)
	for _, secret := range []string{alice.ack, bob.ack, second.snooze} {
		if _, token, _ := strings.Cut(secret, "/answer/"); strings.Contains(l.log.String(), token) || strings.Contains(l.log.String(), publicTestKey) {
			t.Error("a link, or the key, stands in the log")
		}
	}
}

// forge signs a link as the daemon does.
func (l *publicLife) forge(with string, edit func(*answer.Link)) string {
	l.Helper()
	now := time.Now().UTC()
	link := answer.Link{
		Client: "elsewhere", To: "carol@example.com", Verb: answer.VerbAck, Kind: credential.NoticeWarning,
		Noted: now.Add(time.Minute), Ends: l.ends, Until: now.Add(time.Hour),
	}
	edit(&link)
	signed, err := link.Sign(credential.NewSensitive(with))
	l.must(err)
	return l.root + "/answer/" + signed
}

func TestWhoMayNotAnswerIsToldSoAndNothingElse(t *testing.T) {
	l := newPublicLife(t)
	l.begin()
	l.letter("elsewhere", "carol@example.com")
	for name, tt := range map[string]struct {
		key  string
		edit func(*answer.Link)
		want string
	}{
		"another owner's address":     {publicTestKey, func(k *answer.Link) { k.To = "alice@example.com" }, "This link leads nowhere any more"},
		"somebody's who has left":     {publicTestKey, func(k *answer.Link) { k.To = "mallory@example.com" }, "This link leads nowhere any more"},
		"a client that has gone":      {publicTestKey, func(k *answer.Link) { k.Client = "nobody" }, "This link leads nowhere any more"},
		"a link that has ended":       {publicTestKey, func(k *answer.Link) { k.Until = time.Now().Add(-time.Second) }, "This link has ended"},
		"a secret that was replaced":  {publicTestKey, func(k *answer.Link) { k.Ends = l.ends.Add(-time.Hour) }, "This is no longer so"},
		"of an earlier registration":  {publicTestKey, func(k *answer.Link) { k.Noted = time.Now().Add(-time.Hour) }, "This is no longer so"},
		"another key":                 {"another key, as long as one has to be", func(*answer.Link) {}, "This link is not valid"},
		"another key, another client": {"another key, as long as one has to be", func(k *answer.Link) { k.Client = "nobody" }, "This link is not valid"},
	} {
		l.refused(name, l.forge(tt.key, tt.edit), "ack", tt.want)
	}
	_, gone, _ := l.get("GET", l.forge(publicTestKey, func(k *answer.Link) { k.Client = "nobody" }), "")
	_, others, _ := l.get("GET", l.forge(publicTestKey, func(k *answer.Link) { k.To = "alice@example.com" }), "")
	if gone != others {
		t.Errorf("the page tells a client that has gone from one of somebody else:\n%s\n%s", gone, others)
	}
	if history := l.rotad(exitDone, "history", "elsewhere"); strings.Contains(history, "acked") {
		t.Fatalf("somebody was believed:\n%s", history)
	}
	// An admin stands in, as for mails that nobody of the team takes.
	if status, page, _ := l.get("POST", l.forge(publicTestKey, func(k *answer.Link) { k.To = "security@example.com" }), "answer=ack"); status != 200 {
		t.Errorf("an admin gets %d: %s", status, page)
	}
}

// Two people press at the same moment, or one of them twice: one answer is taken.
func TestOfAnswersAtTheSameMomentOneIsTaken(t *testing.T) {
	l := newPublicLife(t)
	l.begin()
	alice, bob := l.letter("partner", "alice@example.com"), l.letter("partner", "bob@example.com")
	var presses sync.WaitGroup
	taken := make(chan int, 16)
	for i := range cap(taken) {
		at, verb := alice.ack, "ack"
		if i%2 == 0 {
			at, verb = bob.snooze, "snooze"
		}
		presses.Go(func() {
			reply, err := http.PostForm(at, url.Values{"answer": {verb}}) //nolint:noctx // the test ends with it
			if err != nil {
				t.Error(err)
				taken <- 0
				return
			}
			_ = reply.Body.Close()
			taken <- reply.StatusCode
		})
	}
	presses.Wait()
	close(taken)
	count := map[int]int{}
	for status := range taken {
		count[status]++
	}
	if count[200] != 1 || count[410] != 15 {
		t.Errorf("by status: %v", count)
	}
}

func events(t *testing.T, object string) map[string]*ical.Event {
	t.Helper()
	cal, err := ical.NewDecoder(strings.NewReader(object)).Decode()
	if err != nil {
		t.Fatalf("%v: %s", err, object)
	}
	out := map[string]*ical.Event{}
	for _, e := range cal.Events() {
		uid, err := e.Props.Text(ical.PropUID)
		if err != nil {
			t.Fatal(err)
		}
		out[uid] = &e
	}
	return out
}

func TestAFeedHasTheEventsOfTheMails(t *testing.T) {
	l := newPublicLife(t)
	l.begin()
	first, second := l.letter("partner", "alice@example.com"), l.letter("second", "alice@example.com")
	address := strings.TrimSpace(l.rotad(exitDone, "calendar", "payments"))
	if !strings.HasPrefix(address, l.root+"/calendar/") || !strings.HasSuffix(address, ".ics") {
		t.Fatalf("the address is %q", address)
	}
	status, feed, header := l.get("GET", address, "")
	if status != 200 || header.Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("%d %v", status, header)
	}
	for _, want := range []string{"METHOD:PUBLISH\r\n", "REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n", "X-PUBLISHED-TTL:PT6H\r\n", "X-WR-CALNAME:Secrets of payments\r\n"} {
		if !strings.Contains(feed, want) {
			t.Errorf("the feed lacks %q", want)
		}
	}
	if strings.Contains(feed, "ATTENDEE") || strings.Contains(feed, "elsewhere") {
		t.Errorf("the feed says too much:\n%s", feed)
	}
	found := events(t, feed)
	if len(found) != 2 {
		t.Errorf("%d events", len(found))
	}
	for _, mail := range [][]byte{first.calendar, second.calendar} {
		_, rest, _ := strings.Cut(string(mail), "BEGIN:VEVENT")
		body, _, _ := strings.Cut(rest, "END:VEVENT")
		if body == "" || !strings.Contains(feed, "BEGIN:VEVENT"+body+"END:VEVENT\r\n") {
			t.Errorf("the feed has another event than the mail:\n%s\n%s", feed, body)
		}
	}
	if status, _, _ := l.get("GET", address, "", "If-None-Match", header.Get("ETag")); status != 304 {
		t.Errorf("the same feed gets %d", status)
	}
	l.moves(address, header.Get("ETag"))

	other := strings.TrimSpace(l.rotad(exitDone, "calendar", "payments", "--revoke"))
	if status, _, _ := l.get("GET", address, ""); status != 404 || other == address {
		t.Errorf("a revoked address gets %d", status)
	}
	l.begin()
	if status, _, _ := l.get("GET", other, ""); status != 200 || strings.TrimSpace(l.rotad(exitDone, "calendar", "payments")) != other {
		t.Errorf("the new address gets %d after a restart", status)
	}
	if said := l.rotad(exitFailed, "calendar", "nobody"); !strings.Contains(said, `there is no owner "nobody"`) {
		t.Error(said)
	}
}

// moves lets a deadline move and a client leave, and looks at the feed again.
func (l *publicLife) moves(address, tag string) {
	l.Helper()
	file := filepath.Join(l.dir, "config.yaml")
	text, err := os.ReadFile(file)
	l.must(err)
	moved := l.ends.AddDate(0, 0, -5)
	lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool { return strings.Contains(line, "{id: second,") })
	changed := strings.ReplaceAll(strings.Join(lines, "\n"), "expires: "+l.ends.Format(time.RFC3339), "expires: "+moved.Format(time.RFC3339))
	l.must(os.WriteFile(file, []byte(changed), 0o600))
	l.restartAllowingRemovals()
	l.await("the feed follows", func() bool {
		status, feed, header := l.get("GET", address, "", "If-None-Match", tag)
		return status == 200 && header.Get("ETag") != tag && strings.Count(feed, "BEGIN:VEVENT") == 1 &&
			strings.Contains(feed, "DTEND:"+moved.Format("20060102T150405Z")) && strings.Contains(feed, "SEQUENCE:1\r\n")
	})
}

func (l *publicLife) restartAllowingRemovals() {
	l.Helper()
	l.stop()
	l.stop = nil
	l.begin()
}

func TestWithoutTheListenerMailsShowCommands(t *testing.T) {
	l := newPublicLife(t)
	file := filepath.Join(l.dir, "config.yaml")
	text, err := os.ReadFile(file)
	l.must(err)
	lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool { return strings.Contains(line, "public: {address") })
	l.must(os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	l.begin()
	l.await("a mail", func() bool { return len(l.mailbox.Messages()) > 0 })
	for _, m := range l.mailbox.Messages() {
		if data := string(m.Data); strings.Contains(data, "/answer/") || strings.Contains(data, "127.0.0.1") && strings.Contains(data, "href") {
			t.Errorf("a mail has a link that leads nowhere:\n%s", data)
		}
	}
	if said := l.rotad(exitRefused, "calendar", "payments"); !strings.Contains(said, "there is no listener for people") {
		t.Error(said)
	}
}
