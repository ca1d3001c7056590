package mail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/state/bolt"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// death is one word at which the server dies, and what kind of server it is.
type death struct {
	word     string
	inPieces bool // takes one command at a time
}

// deaths are all of them but that at the farewell, which comes when a connection has been idle for a while.
func deaths() []death {
	return []death{
		{servers.DieConnected, false},
		{servers.DieHello, false},
		{servers.DieStartTLS, false},
		{servers.DieAuth, false},
		{servers.DieMail, false},
		{servers.DieMail, true},
		{servers.DieRcpt, false},
		{servers.DieRcpt, true},
		{servers.DieData, false},
		{servers.DieData, true},
		{servers.DieReset, true},
		{servers.DieBody, false},
		{servers.DieDot, false},
		{servers.DieTaken, false},
	}
}

// mortal is a daemon and a mail server that dies.
type mortal struct {
	*world.World
	server *servers.Scripted
	daemon *world.Daemon
}

// TestAServerThatDiesAtEachWord loses no mail, and doubles none but the one that was taken without a word: that one comes
// once more, under its Message-ID.
func TestAServerThatDiesAtEachWord(t *testing.T) {
	t.Parallel()
	w := begin(t, "mortal")
	server, err := servers.StartScripted(w.Dir)
	must(t, err)
	t.Cleanup(server.Stop)
	w.Config.Policies["default"]["overlap"] = "10d" // so that a mail says the same half an hour later
	w.Config.SMTP = world.Block{
		"host": "127.0.0.1", "port": server.Port, "username": servers.MailUser, "from": "Secrets <secrets@rotad.test>",
		"password_file": w.WriteSecret("smtp-password", servers.MailPassword), "ca_cert_file": server.CAFile,
	}
	m := &mortal{World: w, server: server}
	for i := range deaths() {
		addClient(w, name(i))
	}
	m.daemon = w.Start()
	for i := range deaths() {
		m.daemon.Await(name(i), time.Minute, "is adopted", adopted)
	}
	for i, d := range deaths() {
		m.die(name(i), d)
	}
	m.server.DieAt(servers.DieQuit, false)
	open := m.allButOpen()
	m.Await(time.Minute, "the server dies at the farewell", func() error { return m.died(servers.DieQuit, 0) })
	m.repeat(open)
	m.judge()
}

// name is that of the client whose rotation meets a death.
func name(i int) string { return fmt.Sprintf("client-%02d", i) }

// die lets the server die at a word, and rotates a client, so that there is something to tell. A channel that is down is
// tried again at once after a reload.
func (m *mortal) die(client string, d death) {
	m.T.Helper()
	before := m.server.Died(d.word)
	m.daemon.Reload()
	m.server.DieAt(d.word, d.inPieces)
	m.daemon.Do("rotate", client, "--reason", "scenario")
	m.Await(30*time.Second, "the server dies at "+d.word, func() error { return m.died(d.word, before) })
}

// died is nil when the server has died at a word more often than before.
func (m *mortal) died(word string, before int) error {
	if m.server.Died(word) == before {
		return errors.New("it lives")
	}
	return nil
}

// allButOpen awaits that nothing waits but the mails of which nobody knows whether they have arrived, and returns those.
func (m *mortal) allButOpen() map[string]bool {
	m.T.Helper()
	for i := range deaths() {
		m.daemon.Await(name(i), time.Minute, "has rotated", func(r credential.Record) bool { return r.Phase() == credential.PhaseOverlap })
	}
	m.daemon.Reload()
	var open map[string]bool
	m.Await(patience, "nothing waits but what may have arrived", func() error {
		_, open = handedOver(m.World)
		return waiting(m.daemon, len(open))
	})
	// The one that was lost and the one that was taken; often also the one that was cut short, because a small message is on
	// its way as a whole before the server has read its first line.
	if len(open) != 2 && len(open) != 3 {
		m.T.Errorf("%d mails may have arrived, want those that were lost and taken, and perhaps the one that was cut short", len(open))
	}
	return open
}

// repeat lets the half hour pass after which those are sent once more: the daemon is stopped, and what its state says of them
// is put back by that time.
func (m *mortal) repeat(open map[string]bool) {
	m.T.Helper()
	if code := m.daemon.Stop(time.Minute); code != 0 {
		m.T.Errorf("the daemon ended with the code %d", code)
	}
	m.Must(m.hasten(len(open)))
	m.daemon = m.Start()
	m.Await(time.Minute, "nothing waits any more", func() error { return waiting(m.daemon, 0) })
}

// hasten lets so many notices fall due that wait for the half hour.
func (m *mortal) hasten(want int) error {
	ctx, cancel := context.WithTimeout(m.T.Context(), 30*time.Second)
	defer cancel()
	store, err := bolt.Open(m.Path("state/rotad.db"), bolt.Options{AllowFilesystem: true})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	notices, err := store.ClaimNotices(ctx, time.Now().Add(notify.AmbiguousPause), 100)
	if err != nil {
		return err
	}
	if len(notices) != want {
		return fmt.Errorf("%d notices wait, want %d", len(notices), want)
	}
	for _, n := range notices {
		for i := range n.Deliveries {
			if d := &n.Deliveries[i]; d.State == credential.NoticePending {
				d.Next = d.Next.Add(-notify.AmbiguousPause)
				n.Due = d.Next
			}
		}
		if err := store.Settle(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// judge counts what the server took against what the daemon says it sent.
func (m *mortal) judge() {
	t := m.T
	t.Helper()
	mails, err := m.server.Mails()
	m.Must(err)
	sent, open := handedOver(m.World)
	got := copies(m.World, mails)
	lost, doubled := 0, 0
	for id := range sent {
		switch n := got[id]; {
		case n == 0:
			lost++
			t.Errorf("the mail %s was sent and never taken", id)
		case n == 2 && open[id]:
			doubled++
			m.alike(mails, id)
		case n > 1:
			t.Errorf("the mail %s was taken %d times", id, n)
		}
	}
	if doubled != m.server.Died(servers.DieTaken) {
		t.Errorf("%d mails came twice, and %d were taken without a word", doubled, m.server.Died(servers.DieTaken))
	}
	for i := range deaths() {
		to := m.Address(name(i))
		if !slices.ContainsFunc(mails, func(m servers.Mail) bool { return m.To == to && strings.Contains(m.Subject, name(i)) }) {
			t.Errorf("%s has no mail", to)
		}
	}
	t.Logf("the server died %d times: %d mails sent, %d lost, %d came twice, of %d that were taken without an answer",
		len(deaths())+m.server.Died(servers.DieQuit), len(sent), lost, doubled, m.server.Died(servers.DieTaken))
}

// alike finds the same mail twice, to the last byte.
func (m *mortal) alike(mails []servers.Mail, id string) {
	m.T.Helper()
	var all []servers.Mail
	for _, one := range mails {
		if one.ID == id {
			all = append(all, one)
		}
	}
	if all[0].Raw != all[1].Raw {
		m.T.Errorf("the mail that came twice says first\n%s\nand then\n%s", all[0].Raw, all[1].Raw)
	}
}
