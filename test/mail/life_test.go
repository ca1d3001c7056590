package mail_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// life is a daemon whose owner puts the events of the mails into a calendar.
type life struct {
	*world.World
	postfix  *servers.Postfix
	daemon   *world.Daemon
	calendar client
	known    map[string]bool // the mails that were carried over
	events   []servers.Mail  // those with an event, in their order
}

const watched = "watched"

// TestALifeInACalendar announces a rotation, which is an event; rotates, which moves it; and removes the client, which
// takes it away. What lies in the mailbox then is read by Python over IMAP, and its events by every reader.
func TestALifeInACalendar(t *testing.T) {
	t.Parallel()
	l := live(t)
	announced := l.awaits("is announced", func(r credential.Record) bool { return r.Calendar.Sent })
	l.stands(announced.Calendar)
	if announced.Calendar.Sequence != 0 {
		t.Errorf("the first event has the sequence %d", announced.Calendar.Sequence)
	}
	l.expires("500h") // the next secret ends later, so that the next rotation is announced for another day
	l.daemon.Do("rotate", watched, "--reason", "scenario")
	moved := l.awaits("has moved its event", func(r credential.Record) bool {
		return after(announced.Version)(r) && r.Calendar.Sequence > 0 && r.Calendar.At.After(announced.Calendar.At.Add(19*time.Hour))
	})
	l.stands(moved.Calendar)
	l.RemoveClient(watched)
	l.daemon.Reload()
	l.stands(credential.Calendar{})
	l.readAlike()
	l.arrivedWhole()
}

// live starts a daemon with a client whose secret ends in twenty days, and is to be rotated fourteen days before; that is
// announced at once.
func live(t *testing.T) *life {
	w := begin(t, "life")
	l := &life{World: w, postfix: w.UsePostfix(), known: map[string]bool{}}
	radicale, err := servers.StartRadicale(t.Context(), w.Cache, w.Module, w.Dir)
	must(t, err)
	t.Cleanup(radicale.Stop)
	l.calendar = client{radicale}
	l.expires("480h")
	addClient(w, watched)
	addClient(w, "other")
	l.daemon = w.Start()
	return l
}

// expires says how long the secrets last that are made from now on.
func (l *life) expires(after string) {
	l.T.Helper()
	settings := map[string]any{"role_id": "id-of-" + watched, "secret_id_ttl": after}
	l.Must(l.Vault.Role(l.T.Context(), watched, settings))
}

func (l *life) awaits(what string, wanted func(credential.Record) bool) credential.Record {
	l.T.Helper()
	return l.daemon.Await(watched, time.Minute, what, wanted)
}

// stands awaits that the calendar has exactly one event, or none where the state is empty.
func (l *life) stands(want credential.Calendar) {
	l.T.Helper()
	l.Await(30*time.Second, "the calendar has what the daemon wants", func() error {
		if err := l.carry(); err != nil {
			return err
		}
		events, err := l.calendar.events(l.T.Context())
		if err != nil {
			return err
		}
		if want.UID == "" {
			if len(events) > 0 || !slices.ContainsFunc(l.events, func(m servers.Mail) bool { return m.Method == "CANCEL" }) {
				return fmt.Errorf("it has %d events, want none, and a cancellation", len(events))
			}
			return nil
		}
		if len(events) != 1 {
			return fmt.Errorf("it has %d events, want one", len(events))
		}
		uid, sequence, err := identity(events[0])
		ends, failed := events[0].DateTimeEnd(time.UTC)
		if err != nil || failed != nil || uid != want.UID || sequence != want.Sequence || !ends.Equal(want.At.Truncate(time.Second)) {
			return fmt.Errorf("it has %s, sequence %d, until %s (%w, %w), want %+v", uid, sequence, ends, err, failed, want)
		}
		return nil
	})
	l.T.Logf("the calendar has what it should: %+v", want)
}

// carry carries over what has come since the last time, and then all of it once more: mails that come again change nothing.
func (l *life) carry() error {
	mails, err := l.postfix.Mails(l.Address(watched))
	if err != nil {
		return err
	}
	for _, m := range mails {
		if m.Calendar == nil || l.known[m.ID] {
			continue
		}
		news, err := l.calendar.receive(l.T.Context(), m)
		if err != nil {
			return err
		}
		if !news {
			return fmt.Errorf("the mail %q carries an event that is no news", m.Subject)
		}
		l.known[m.ID] = true
		l.events = append(l.events, m)
	}
	if len(l.events) < 2 || l.events[len(l.events)-1].Method == "CANCEL" {
		return nil
	}
	if news, err := l.calendar.receive(l.T.Context(), l.events[0]); news || err != nil {
		return fmt.Errorf("the first event is news again: %t (%w)", news, err)
	}
	return nil
}

// readAlike lets the readers read what the mails carried, and finds one event that only grew newer.
func (l *life) readAlike() {
	l.T.Helper()
	var meant []entry
	for i, m := range l.events {
		event, err := m.Event()
		l.Must(err)
		uid, sequence, err := identity(event)
		l.Must(err)
		if first := meant; len(first) > 0 && (uid != first[0].UID || sequence != first[i-1].Sequence+1) {
			l.T.Errorf("event %d is %s with the sequence %d, after %+v", i, uid, sequence, first[i-1])
		}
		meant = append(meant, l.entry(m, i))
	}
	if len(meant) < 3 {
		l.T.Errorf("%d events were sent, want a request, a move and a cancellation", len(meant))
	}
	agree(l.T, meant)
}

// entry writes the event of a mail into a file, and says what go-ical, a third reader, understands.
func (l *life) entry(m servers.Mail, i int) entry {
	l.T.Helper()
	event, err := m.Event()
	l.Must(err)
	uid, sequence, err := identity(event)
	l.Must(err)
	start, err := event.DateTimeStart(time.UTC)
	l.Must(err)
	end, err := event.DateTimeEnd(time.UTC)
	l.Must(err)
	summary, err := event.Props.Text("SUMMARY")
	l.Must(err)
	e := entry{
		File: l.Path(fmt.Sprintf("event-%d.ics", i)), Method: "REQUEST", Status: "CONFIRMED", UID: uid, Sequence: sequence,
		Start: start.Unix(), End: end.Unix(), Summary: summary, Languages: []string{"en", "en"}, Organizer: "secrets@rotad.test",
		Attendees: []string{l.Address(watched)}, Alarms: []int{-int(alarmBefore.Seconds())},
	}
	if m.Method == "CANCEL" {
		e.Method, e.Status, e.Alarms = "CANCEL", "CANCELLED", []int{}
	}
	l.Must(os.WriteFile(e.File, []byte(m.Carried), 0o600))
	if !strings.Contains(m.Carried, uid) || e.End-e.Start != int64(eventLength.Seconds()) {
		l.T.Errorf("the event of %q lasts %d seconds", m.Subject, e.End-e.Start)
	}
	return e
}
