package mail_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// pause is the first pause of a mail that was refused for now, and with its jitter the longest.
const (
	pause    = time.Minute
	patience = 2 * time.Minute
)

// refusals are a daemon and a mail server that does not take everything.
type refusals struct {
	*world.World
	postfix *servers.Postfix
	daemon  *world.Daemon
}

// The owners of this world, by what the mail server says to them.
const (
	grey = "grey" // greylisted: 450 first
	full = "full" // a mailbox that is full for now: 452
	over = "over" // a mailbox that is full for good: 552
	gone = "gone" // nobody of that name: 550
)

// TestAServerThatDoesNotTakeEverything: what is refused for now comes once and late, and what is refused for good is
// given up and said to the admins.
func TestAServerThatDoesNotTakeEverything(t *testing.T) {
	t.Parallel()
	w := begin(t, "refusals")
	postfix, err := servers.StartPostfix(t.Context(), w.Cache, w.Dir)
	must(t, err)
	t.Cleanup(postfix.Stop)
	stop, err := postfix.Greylist(t.Context(), w.Cache, pause/2)
	must(t, err)
	t.Cleanup(stop)
	r := &refusals{World: w, postfix: postfix}
	w.Config.SMTP = w.SMTPBlock(postfix)
	r.treat("452 4.2.2 Mailbox full")
	for _, id := range []string{grey, full, over, gone} {
		addClient(w, id)
	}
	r.daemon = w.Start()
	for _, id := range []string{grey, full, over, gone} {
		r.daemon.Await(id, 30*time.Second, "is adopted", adopted)
		r.daemon.Do("rotate", id, "--reason", "scenario")
	}
	for _, id := range []string{grey, full, over, gone} {
		r.daemon.Await(id, time.Minute, "has rotated", after(1))
	}
	r.saidToAdmins()
	r.comeLate()
	r.counted()
}

// treat says what becomes of the owners; an empty word for the full mailbox is one with room.
func (r *refusals) treat(whenFull string) {
	r.T.Helper()
	table := map[string]string{
		r.Address(grey): servers.Greylisted,
		r.Address(over): "552 5.2.2 Mailbox full",
		r.Address(gone): "550 5.1.1 User unknown",
	}
	if whenFull != "" {
		table[r.Address(full)] = whenFull
	}
	r.Must(r.postfix.Treat(r.T.Context(), table))
}

// saidToAdmins awaits that the admins have what nobody else takes.
func (r *refusals) saidToAdmins() {
	r.T.Helper()
	for _, id := range []string{over, gone} {
		r.Await(30*time.Second, "the admins have the mail that "+id+" does not take", func() error {
			mails, err := r.postfix.Mails(r.Address("admin"))
			if err != nil {
				return err
			}
			for _, m := range mails {
				if strings.Contains(m.Subject, id) && strings.Contains(flat(m.Text), "because no address of the owner ("+id+") takes mail") {
					return nil
				}
			}
			return fmt.Errorf("%d mails, none of them in the place of %s", len(mails), id)
		})
	}
}

// flat undoes the lines of a text.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// comeLate awaits the mails that were refused for now: nothing came before its time, and each comes once.
func (r *refusals) comeLate() {
	r.T.Helper()
	for _, id := range []string{grey, full} {
		if mails, err := r.postfix.Mails(r.Address(id)); err != nil || len(mails) > 0 {
			r.T.Fatalf("%s has %d mails already (%v)", id, len(mails), err)
		}
	}
	r.treat("")
	r.Await(patience, "nothing waits any more", func() error { return waiting(r.daemon, 0) })
}

// counted compares log, mailboxes and metrics.
func (r *refusals) counted() {
	t := r.T
	t.Helper()
	mails, err := r.postfix.Mails("")
	r.Must(err)
	sent, open := handedOver(r.World)
	got := copies(r.World, mails)
	for id := range sent {
		if got[id] != 1 {
			t.Errorf("a mail that was sent came %d times", got[id])
		}
	}
	for _, id := range []string{grey, full} {
		if late, err := r.postfix.Mails(r.Address(id)); err != nil || len(late) == 0 {
			t.Errorf("%s has no mail (%v)", id, err)
		}
	}
	for _, id := range []string{over, gone} {
		if refused, err := r.postfix.Mails(r.Address(id)); err != nil || len(refused) > 0 {
			t.Errorf("%s has %d mails (%v)", id, len(refused), err)
		}
	}
	t.Logf("%d mails sent, %d came, %d may have come, each once", len(sent), len(got), len(open))
	r.measured()
}

// measured finds the lateness, and what was given up, in the metrics.
func (r *refusals) measured() {
	t := r.T
	t.Helper()
	delay, err := r.daemon.MetricSum("rotad_notice_delay_seconds_sum")
	r.Must(err)
	var late, dead float64
	for _, kind := range []string{"rotated", "retired"} {
		labels := world.Block{"channel": "smtp", "kind": kind, "outcome": "retry"}
		n, err := r.daemon.Metric("rotad_notices_total", labels)
		r.Must(err)
		late += n
		labels["outcome"] = "dead"
		n, err = r.daemon.Metric("rotad_notices_total", labels)
		r.Must(err)
		dead += n
	}
	if late < 2 || delay < 2*pause.Seconds() {
		t.Errorf("rotad_notice_delay_seconds is %.0f in all after %.0f refusals for now", delay, late)
	}
	if dead < 2 {
		t.Errorf("%.0f mails were refused for good, want one to each of two", dead)
	}
	t.Logf("refused for now %.0f times, for good %.0f times; %.0f seconds late in all", late, dead, delay)
}
