package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
)

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

// Carol's team reads German, and so are the pages that are for her. One that is for nobody is in the language of the browser.
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
		"a secret that was replaced":  {publicTestKey, func(k *answer.Link) { k.Ends = l.ends.Add(-time.Hour) }, "Das trifft nicht mehr zu"},
		"of an earlier registration":  {publicTestKey, func(k *answer.Link) { k.Noted = time.Now().Add(-time.Hour) }, "Das trifft nicht mehr zu"},
		"another key":                 {"another key, as long as one has to be", func(*answer.Link) {}, "This link is not valid"},
		"another key, another client": {"another key, as long as one has to be", func(k *answer.Link) { k.Client = "nobody" }, "This link is not valid"},
	} {
		l.refused(name, l.forge(tt.key, tt.edit), "ack", tt.want)
	}
	_, hers, header := l.get("GET", l.forge(publicTestKey, func(*answer.Link) {}), "")
	if header.Get("Content-Language") != "de" || !strings.Contains(hers, "Das Secret von elsewhere läuft am ") {
		t.Errorf("the page is in %s: %s", header.Get("Content-Language"), hers)
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

// Whom the ladder of an owner has told can say that it was seen, for that owner's clients alone. Who stands on no rung cannot.
func TestWhoWasToldByTheLadderMayAnswer(t *testing.T) {
	l := newPublicLife(t)
	file := filepath.Join(l.dir, "config.yaml")
	text, err := os.ReadFile(file)
	l.must(err)
	climbs := strings.Replace(string(text), "  others: {", "  lead: {email: [dora@example.com]}\n  others: {escalate: [{after: 1s, to: lead}], ", 1)
	l.must(os.WriteFile(file, []byte(climbs), 0o600))
	l.begin()
	dora := l.letter("elsewhere", "dora@example.com")
	const nowhere = "This link leads nowhere any more"
	l.refused("an owner on no rung", l.forge(publicTestKey, func(k *answer.Link) { k.To = "alice@example.com" }), "ack", nowhere)
	l.refused("a client of another ladder", l.forge(publicTestKey, func(k *answer.Link) { k.To, k.Client = "dora@example.com", "partner" }), "ack", nowhere)
	if status, page, _ := l.get("POST", dora.snooze, "answer=snooze"); status != 200 || !strings.Contains(page, "No warnings until ") {
		t.Errorf("who was told gets %d: %s", status, page)
	}
	if history := l.rotad(exitDone, "history", "elsewhere"); !strings.Contains(history, "snoozed") || !strings.Contains(history, "mail:dora@example.com") {
		t.Errorf("the history does not say who answered:\n%s", history)
	}
	l.refused("the other answer to the same mail", dora.ack, "ack", "This has been answered already")
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
			reply, err := http.PostForm(at, url.Values{"answer": {verb}})
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

func TestWithoutTheListenerMailsShowCommands(t *testing.T) {
	l := newPublicLife(t)
	file := filepath.Join(l.dir, "config.yaml")
	text, err := os.ReadFile(file)
	l.must(err)
	withoutFeed := strings.ReplaceAll(string(text), ", calendar: feed", "") // which is read at the listener
	lines := slices.DeleteFunc(strings.Split(withoutFeed, "\n"), func(line string) bool { return strings.Contains(line, "public: {address") })
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

// A key that could be guessed opens no door, and a replaced one ends all links at once, without a restart.
func TestTheKeyOfTheLinksIsLongAndCanBeReplaced(t *testing.T) {
	l := newPublicLife(t)
	l.begin()
	link := l.letter("partner", "alice@example.com").ack
	feed := strings.TrimSpace(l.rotad(exitDone, "calendar", "payments"))
	file := filepath.Join(l.dir, "key")
	l.must(os.WriteFile(file, []byte("another-key-of-thirty-two-characters"), 0o600))
	for _, at := range []string{link, feed} {
		if status, _, _ := l.get("GET", at, ""); status != 404 {
			t.Errorf("%s gets %d under another key", at, status)
		}
	}
	l.stop()
	d := l.daemon()
	l.must(os.WriteFile(file, []byte("a-key-that-is-too-short"), 0o600))
	doors, err := d.listen(t.Context(), filepath.Join(l.dir, "admin.sock"))
	if err == nil {
		doors.close()
		t.Error("the daemon listens with a key that could be guessed")
	} else if !strings.Contains(err.Error(), "shorter than 32 characters") {
		t.Error(err)
	}
	l.must(d.close())
}
