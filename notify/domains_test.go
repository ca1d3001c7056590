package notify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// rationing is a channel of the tests with the turns of the real one.
type rationing struct {
	*channel

	turns *notify.SMTP
}

func (r rationing) Turn(ctx context.Context, to string) (func(), bool) { return r.turns.Turn(ctx, to) }

// A domain whose server is slow gets one mail at a time. Meanwhile nobody else waits for it.
func TestASlowDomainHoldsUpNobodyElse(t *testing.T) {
	for _, limit := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			const mails = 8
			turns, err := notify.NewSMTP(notify.SMTPSettings{Host: "mail.example.com", PerDomain: limit})
			if err != nil {
				t.Fatal(err)
			}
			var notices []credential.Notice
			owners := map[string]notify.Contact{"quick": {Emails: []string{"team@quick.example.com"}}}
			for i := range mails {
				owner := fmt.Sprintf("slow-%d", i)
				owners[owner] = notify.Contact{Emails: []string{owner + "@SLOW.example.com"}}
				notices = append(notices, ownedBy(owner, retired(uint64(i+1), owner)))
			}
			w := newWorld(t, append(notices, ownedBy("quick", retired(mails+1, "quick")))...)
			slow := func(to string) bool {
				return strings.HasSuffix(to, "slow.example.com") || strings.HasSuffix(to, "SLOW.example.com")
			}
			w.channel.before = func(m notify.Message) {
				if slow(m.To) {
					<-time.After(time.Minute)
				}
			}
			w.settings.World.Directory = directory{owners: owners}
			w.settings.World.Channels = []notify.Channel{rationing{w.channel, turns}}
			began := time.Now()
			w.run(t)
			pass(mails * time.Minute)
			for n, s := range w.channel.sends() {
				after := s.at.Sub(began)
				switch {
				case limit == 1 && slow(s.message.To) && after != time.Duration(n)*time.Minute:
					t.Errorf("mail %d to the slow domain was taken after %s", n, after)
				case limit == 1 && !slow(s.message.To) && after != 0:
					t.Errorf("the mail to the quick domain was taken after %s", after)
				case limit == 0 && after > 3*time.Minute:
					t.Errorf("without a limit, mail %d was taken after %s", n, after)
				}
			}
			if got := len(w.channel.sends()); got != mails+1 {
				t.Errorf("%d mails were taken", got)
			}
		})
	}
}

func ownedBy(owner string, n credential.Notice) credential.Notice {
	n.Owner = owner
	return n
}
