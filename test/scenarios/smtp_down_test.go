package scenarios_test

import (
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// smtpDown takes the mail server away: no rotation waits for mail, and every mail comes once it is back, once. It
// plays once with Postfix that is stopped, and once with smtp-sink that refuses every recipient for now.
func smtpDown(w *world.World) {
	t := w.T
	w.Realm(20*time.Second, servers.RealmClient{ID: "quiet", Secret: "the-secret-of-quiet"})
	w.Config.Policies["default"]["overlap"] = "5s"
	postfix, err := servers.StartPostfix(t.Context(), w.Cache, w.Dir)
	w.Must(err)
	t.Cleanup(postfix.Stop)
	w.Config.SMTP = w.SMTPBlock(postfix)
	w.Config.Admins = world.Block{"email": []string{w.Address("admin")}}
	w.Publish("quiet", "the-secret-of-quiet")
	w.AddClient("quiet", nil)
	w.Consume("quiet")
	postfix.Stop()
	d := w.Start()
	rotateUnheard(d, 1)
	mails, err := postfix.Mails("")
	if err != nil || len(mails) != 0 {
		t.Fatalf("a stopped server has %d mails (%v)", len(mails), err)
	}
	w.Must(postfix.Start(t.Context()))
	w.Await(3*time.Minute, "the mails arrive", func() error { return heardOnce(w, postfix.Mails) })

	d.Stop(time.Minute)
	sink, err := servers.StartSink(t.Context(), w.Cache, w.Dir, "-r", "RCPT")
	w.Must(err)
	t.Cleanup(func() { sink.Stop() })
	w.Config.SMTP = world.Block{"host": "127.0.0.1", "port": sink.Port, "tls": "none", "from": "secrets@rotad.test"}
	d = w.Start()
	rotateUnheard(d, 2)
	sink.Stop()
	w.Must(sink.Restart(t.Context()))
	w.Await(3*time.Minute, "the refused mails arrive", func() error {
		return heardOnce(w, func(to string) ([]servers.Mail, error) { return mailsTo(sink, to) })
	})
}

// rotateUnheard rotates to the end while nobody can be told.
func rotateUnheard(d *world.Daemon, version int) {
	d.Await("quiet", 30*time.Second, "is adopted", sighted(credential.SightAdopted))
	d.Do("rotate", "quiet", "--reason", "nobody can be told")
	d.Await("quiet", time.Minute, "has rotated", finished(version))
}

// heardOnce is nil when owner and admins have mail, and none of it twice.
func heardOnce(w *world.World, box func(to string) ([]servers.Mail, error)) error {
	for _, to := range []string{w.Address("payments"), w.Address("admin")} {
		mails, err := box(to)
		if err != nil || len(mails) == 0 {
			return fmt.Errorf("%s has %d mails (%v)", to, len(mails), err)
		}
		seen := map[string]bool{}
		for _, m := range mails {
			if seen[m.ID] {
				w.T.Fatalf("the mail %q came twice to %s", m.Subject, to)
			}
			seen[m.ID] = true
		}
	}
	return nil
}

func mailsTo(sink *servers.Sink, to string) ([]servers.Mail, error) {
	all, err := sink.Mails()
	var found []servers.Mail
	for _, m := range all {
		if m.To == to {
			found = append(found, m)
		}
	}
	return found, err
}
