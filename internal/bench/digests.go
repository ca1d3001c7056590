package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/state/bolt"
	"github.com/rotad/rotad/state/taken"
)

const (
	digestOwners = 100_000
	digestEach   = 10 // clients of an owner
	digestBatch  = 1000
)

// digestsPart lets one morning pass for 100,000 owners of ten manual clients each, whose secrets last for ninety days: every client
// is asked what has to be told today, what has to is written to the outbox, waits there for nine o'clock, and goes out as a
// digest per owner (a mail of its own where there is one thing only, or where it is urgent), composed to the last byte. It waits
// for the disk.
func digestsPart(ctx context.Context, s settings) (result, error) {
	store, err := bolt.Open(filepath.Join(s.dir, "digests.db"), bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	m, err := newMorning(store, s.dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = m.taken.Close() }()
	began := time.Now()
	if err := m.plan(ctx); err != nil {
		return nil, err
	}
	planned := time.Since(began)
	if err := m.send(ctx); err != nil {
		return nil, err
	}
	return result{
		"s": time.Since(began).Seconds(), "plan_s": planned.Seconds(), "notices": float64(m.notices), "mails": float64(m.mails.Load()),
		"bytes": float64(m.bytes.Load()), "peak_mib": m.peak,
	}, nil
}

// morning is the store, its clients and the people who own them.
type morning struct {
	store    *bolt.Store
	taken    *taken.Log
	renderer *notify.Renderer
	day      time.Time    // its midnight
	now      atomic.Int64 // on the wall
	notices  int
	mails    atomic.Int64
	bytes    atomic.Int64
	peak     float64 // of memory
}

func newMorning(store *bolt.Store, dir string) (*morning, error) {
	m := &morning{store: store, day: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}
	m.now.Store(m.day.Add(8 * time.Hour).Unix())
	var err error
	if m.taken, err = taken.Open(filepath.Join(dir, "taken"), m.wall); err != nil {
		return nil, err
	}
	m.renderer, err = notify.NewRenderer(notify.Sender{From: notify.Address{Addr: "rotad@example.com"}, Key: store.Meta().Key, Mount: "secret"})
	return m, err
}

func (m *morning) wall() time.Time { return time.Unix(m.now.Load(), 0).UTC() }

func manual() credential.Policy {
	return credential.Policy{
		Name: "default", Start: credential.StartAuto, Lifetime: lifetime, RotateBefore: 14 * day, WarnWhen: credential.WarnUnlessAutomatic,
		Warn: []credential.Warning{{Before: 30 * day}, {Before: 7 * day, Every: day}},
	}
}

// decide is what is to be told of one client this morning, after what was told yesterday.
func (m *morning) decide(i int) rotation.Decision {
	id := strconv.Itoa(i)
	env := rotation.Env{Now: m.day.Add(-16 * time.Hour), Second: m.day, NextLook: m.day.Add(day), Policy: manual(), FreshUID: "uid-" + id}
	rec := rotation.Register(credential.Client{
		ID: "client-" + id, Provider: provider, Ref: credential.Ref{"client_id": id}, Owner: "team-" + strconv.Itoa(i/digestEach), Policy: "default",
		Vault: credential.VaultPath{Mount: "secret", Path: "apps/" + id},
	}, env).Record
	rec.Sight, rec.Caps.Mode = credential.SightAdopted, credential.ModeManual
	rec.Current = credential.Secret{ID: "key-" + id, Expires: m.day.Add(time.Duration(i*7919%(90*24*60)) * time.Minute)}
	rec = rotation.Plan(rec, env).Record
	env.Now = m.day.Add(8 * time.Hour)
	return rotation.Plan(rec, env)
}

// plan asks every client, and writes down what is to be told.
func (m *morning) plan(ctx context.Context) error {
	var batch []credential.Notice
	for i := range digestOwners * digestEach {
		batch = append(batch, m.decide(i).Notices...)
		if len(batch) < digestBatch && i < digestOwners*digestEach-1 {
			continue
		}
		if err := m.store.Settle(ctx, batch...); err != nil {
			return err
		}
		m.notices += len(batch)
		batch = batch[:0]
		m.look()
	}
	return nil
}

// look notes how much memory there is.
func (m *morning) look() { m.peak = max(m.peak, anonymous()) }

// send lets the loop put off what can wait, and then moves the clock to nine.
func (m *morning) send(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	loop, err := notify.NewLoop(notify.Settings{
		Outbox: queue{m.store}, Records: m, Taken: m.taken, Now: m.wall, Elapsed: func() time.Duration { return time.Since(began) },
		After: func(time.Duration) <-chan time.Time { return time.After(20 * time.Millisecond) },
		World: notify.World{Directory: m, Renderer: m.renderer, Channels: []notify.Channel{m}},
	})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("the loop of notices ended: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
		m.look()
		next, waits, err := m.store.NextNotice(ctx)
		switch {
		case err != nil:
			return err
		case !waits:
			stop()
			return <-ended
		case next.After(m.wall()) && m.store.OutboxCounts()[credential.NoticePending] == 0:
			m.now.Store(next.Add(2 * time.Minute).Unix())
			loop.Wake()
		}
	}
}

// Get returns the record of a client after this morning's decision.
func (m *morning) Get(id string) (credential.Record, bool, error) {
	i, err := strconv.Atoi(strings.TrimPrefix(id, "client-"))
	if err != nil {
		return credential.Record{}, false, fmt.Errorf("reading the number of %s: %w", id, err)
	}
	return m.decide(i).Record, true, nil
}

// Owner has one address, and gets a digest at nine.
func (m *morning) Owner(name string) (notify.Contact, bool) {
	return notify.Contact{Emails: []string{name + "@example.com"}, Digest: m}, true
}

// Admins are nobody.
func (m *morning) Admins() notify.Contact { return notify.Contact{} }

// Next is nine o'clock.
func (m *morning) Next(t time.Time) time.Time {
	if nine := m.day.Add(9 * time.Hour); t.Before(nine) {
		return nine
	}
	return m.day.Add(33 * time.Hour)
}

// Name is the name of mail.
func (m *morning) Name() string { return notify.MailChannel }

// Send composes the mail and lets it go.
func (m *morning) Send(_ context.Context, msg notify.Message) (notify.Receipt, error) {
	mail, err := notify.Compose(msg)
	m.bytes.Add(int64(len(mail)))
	m.mails.Add(1)
	return notify.Receipt{Reply: "2.0.0 Ok"}, err
}
