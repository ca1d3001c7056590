package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/state/bolt"
	"github.com/rotad/rotad/state/taken"
)

const manyMails = 5000 // in a round

// mailsPart tells 5,000 owners that a secret expires, by the daemon's loop of notices: it reads each client's record,
// renders text, page and calendar event, notes in the outbox that the mail begins, hands it over and notes that it was
// sent. The outbox waits for the disk.
//
// The other side is Postfix's smtp-source, with as many connections as rotad keeps and a message of the same size, which it
// has ready in memory. It connects anew for every message, as a program without a pool does. Both send to one smtp-sink,
// which takes everything and keeps nothing.
func mailsPart(ctx context.Context, s settings) (result, error) {
	store, err := bolt.Open(filepath.Join(s.dir, "mails.db"), bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	p, err := newPost(store, s, s.sink, manyMails)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := register(ctx, store, manyMails, client, time.Now()); err != nil {
		return nil, err
	}
	var ours, theirs []time.Duration
	for round := range 3 * s.rounds { // a round takes a second, and differs from the next by up to a fifth
		if err := p.decide(ctx, round); err != nil {
			return nil, err
		}
		took, err := p.send(ctx)
		if err != nil {
			return nil, err
		}
		raw, err := rawMails(ctx, s, p.size)
		if err != nil {
			return nil, err
		}
		ours, theirs = append(ours, took), append(theirs, raw)
	}
	rate := func(d time.Duration) float64 { return manyMails / d.Seconds() }
	return result{"ours_per_s": rate(median(ours)), "raw_per_s": rate(median(theirs)), "bytes": float64(p.size)}, nil
}

// post is rotad's way to the mail server, over one store.
type post struct {
	store    *bolt.Store
	taken    *taken.Log
	channel  *notify.SMTP
	renderer *notify.Renderer
	warning  credential.Notice // what all notices of the run are made from
	size     int               // of a mail, in bytes
	many     int               // in a round
	sent     atomic.Int64
	goal     int64
	done     chan struct{}
}

func newPost(store *bolt.Store, s settings, sink string, many int) (*post, error) {
	host, port, err := net.SplitHostPort(sink)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	p := &post{store: store, many: many, done: make(chan struct{}, 1)}
	if p.taken, err = taken.Open(filepath.Join(s.dir, "taken"), time.Now); err != nil {
		return nil, err
	}
	if p.channel, err = notify.NewSMTP(notify.SMTPSettings{Host: host, Port: number, TLS: notify.TLSNone}); err != nil {
		return nil, err
	}
	p.renderer, err = notify.NewRenderer(notify.Sender{From: notify.Address{Addr: "rotad@example.com"}, Key: store.Meta().Key, Mount: "secret"})
	if err != nil {
		return nil, err
	}
	samples, err := notify.Samples(nil, "")
	if err != nil {
		return nil, err
	}
	for _, sample := range samples {
		if sample.Name == "warning" {
			p.warning, p.size = sample.Notice, len(sample.Mail)
			return p, nil
		}
	}
	return nil, errors.New("there is no sample of a warning")
}

func (p *post) close() { _ = errors.Join(p.channel.Close(), p.taken.Close()) }

// decide puts a warning about each client into the outbox.
func (p *post) decide(ctx context.Context, round int) error {
	now := time.Now().UTC()
	for first := 0; first < p.many; first += 500 {
		var changes []credential.Change
		for i := first; i < first+500; i++ {
			rec, found, err := p.store.Get(ctx, clientID(i))
			if err != nil || !found {
				return fmt.Errorf("reading client %d: %w", i, err)
			}
			n := p.about(rec.Client, round, now)
			rec.Current = credential.Secret{ID: n.Facts.SecretID, Expires: n.Facts.Expires}
			changes = append(changes, credential.Change{Record: rec, Notices: []credential.Notice{n}})
		}
		if refused, err := p.store.CommitMany(ctx, changes); err != nil || len(refused) > 0 {
			return fmt.Errorf("filling the outbox, %d refused: %w", len(refused), err)
		}
	}
	return nil
}

func (p *post) about(c credential.Client, round int, now time.Time) credential.Notice {
	n := p.warning
	n.Key, n.Client, n.Owner = fmt.Sprintf("%s|warning|%d", c.ID, round), c.ID, c.Owner
	n.At, n.Due, n.State = now, now, credential.NoticePending
	n.Facts.Expires, n.Facts.SecretID = now.Add(14*day), "key-"+c.ID
	invite := *n.Calendar
	invite.UID, invite.At = c.ID+"@example.com", n.Facts.Expires
	n.Calendar = &invite
	return n
}

// send lets the loop run until all is sent.
func (p *post) send(ctx context.Context) (time.Duration, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p.goal = p.sent.Load() + int64(p.many)
	began := time.Now()
	loop, err := notify.NewLoop(notify.Settings{
		Outbox: queue{p.store}, Records: p, Meter: p, Taken: p.taken, Now: time.Now, Elapsed: func() time.Duration { return time.Since(began) },
		After: time.After, World: notify.World{Directory: p, Renderer: p.renderer, Channels: []notify.Channel{p.channel}},
	})
	if err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	select {
	case <-p.done:
	case err = <-ended:
		return 0, fmt.Errorf("the loop of notices ended: %w", err)
	}
	stop()
	err = <-ended // the last outcomes are durable now
	return time.Since(began), err
}

// Get returns the record of a client, for the loop.
func (p *post) Get(id string) (credential.Record, bool, error) {
	return p.store.Get(context.Background(), id)
}

// Owner is the one owner.
func (p *post) Owner(string) (notify.Contact, bool) {
	return notify.Contact{Emails: []string{"payments@example.com"}}, true
}

// Admins are nobody.
func (p *post) Admins() notify.Contact { return notify.Contact{} }

// Notice counts what was sent. Anything else means that the figure is none.
func (p *post) Notice(_ string, kind credential.NoticeKind, outcome notify.Outcome) {
	if outcome != notify.OutcomeSent {
		panic(fmt.Sprintf("bench: a notice of kind %s was %s", kind, outcome))
	}
	if p.sent.Add(1) == p.goal {
		p.done <- struct{}{}
	}
}

// Delay is not asked here.
func (p *post) Delay(credential.NoticeKind, time.Duration) {}

// queue is the store as the loop of notices sees it.
type queue struct{ store *bolt.Store }

// Claim takes due notices.
func (q queue) Claim(ctx context.Context, now time.Time, limit int) ([]credential.Notice, error) {
	return q.store.ClaimNotices(ctx, now, limit)
}

// Settle writes back what became of a notice.
func (q queue) Settle(ctx context.Context, notices ...credential.Notice) error {
	return q.store.Settle(ctx, notices...)
}

// NextDue returns when the next notice is due.
func (q queue) NextDue(ctx context.Context) (time.Time, bool, error) { return q.store.NextNotice(ctx) }

// Prune forgets nothing: all is young.
func (q queue) Prune(context.Context, time.Time) (int, error) { return 0, nil }

// rawMails lets smtp-source send as many messages of a size.
func rawMails(ctx context.Context, s settings, size int) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, s.source, "-s", strconv.Itoa(notify.DefaultKeep), "-m", strconv.Itoa(manyMails), //nolint:gosec // of this machine
		"-l", strconv.Itoa(size), "-f", "rotad@example.com", "-t", "payments@example.com", s.sink)
	began := time.Now()
	if said, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("running smtp-source: %w: %s", err, said)
	}
	return time.Since(began), nil
}
