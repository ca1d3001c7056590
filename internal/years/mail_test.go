package years_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/state/bolt"
)

// outbox is the store as the notices see it.
type outbox struct {
	store   *bolt.Store
	forgets *sync.Map // what it was told once; nil = it forgets nothing
}

func (o outbox) Claim(ctx context.Context, now time.Time, limit int) ([]credential.Notice, error) {
	return o.store.ClaimNotices(ctx, now, limit)
}

func (o outbox) Settle(ctx context.Context, notices ...credential.Notice) error {
	return o.settleNotices(ctx, notices)
}

func (o outbox) NextDue(ctx context.Context) (time.Time, bool, error) { return o.store.NextNotice(ctx) }

func (o outbox) Prune(ctx context.Context, now time.Time) (int, error) {
	return o.store.Prune(ctx, now)
}

// present is the store as notices ask it whether they are still true.
type present struct {
	ctx   context.Context
	store *bolt.Store
}

func (p present) Get(id string) (credential.Record, bool, error) {
	return p.store.Get(p.ctx, id)
}

// directory knows the owners.
type directory map[string]notify.Contact

func owners() directory {
	d := directory{}
	for i, zone := range zones() {
		loaded, err := time.LoadLocation(zone)
		if err != nil {
			panic(err)
		}
		d[fmt.Sprintf("owner-%d", i)] = notify.Contact{Emails: []string{fmt.Sprintf("team-%d@example.com", i)}, Zone: loaded}
	}
	return d
}

// Owner returns a contact.
func (d directory) Owner(name string) (notify.Contact, bool) {
	c, ok := d[name]
	return c, ok
}

// Admins returns the contact of the people who run rotad.
func (d directory) Admins() notify.Contact {
	return notify.Contact{Emails: []string{"admins@example.com"}}
}

// mailbox takes mail, counts each message by its id, and is away now and then.
type mailbox struct {
	fleet *fleet
	away  *outage

	refuses string               // an address that is not known here
	took    func(notify.Message) // sees what was taken; nil = nobody does

	mu   sync.Mutex
	sent map[string]int
}

var errAway = errors.New("no route to the mail server")

// Name is the name of the channel.
func (m *mailbox) Name() string { return notify.MailChannel }

// Send takes one message. The judge is told of one that comes a second time.
func (m *mailbox) Send(_ context.Context, msg notify.Message) (notify.Receipt, error) {
	if m.away.now() {
		return notify.Receipt{}, &notify.SendError{Class: notify.ClassDown, Stage: "dial", Err: errAway}
	}
	if m.refuses != "" && msg.To == m.refuses {
		return notify.Receipt{}, &notify.SendError{Class: notify.ClassPermanent, Stage: "rcpt", Code: 550, Err: errUnknown}
	}
	m.fleet.judge.counts.mails.Add(1)
	m.mu.Lock()
	if m.took != nil {
		m.took(msg)
	}
	m.sent[msg.ID]++
	again := m.sent[msg.ID] > 1
	m.mu.Unlock()
	if a := m.fleet.accounts[msg.Client]; a != nil {
		if again {
			m.fleet.judge.violate(a, "%s %s was mailed twice", msg.Kind, msg.Milestone)
		}
	}
	return notify.Receipt{Reply: "2.0.0 Ok"}, nil
}
