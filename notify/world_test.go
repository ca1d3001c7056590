package notify_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
)

// outbox is a queue in memory. It copies what it takes and gives, as a real store does.
type outbox struct {
	mu      sync.Mutex
	rows    map[uint64]credential.Notice
	settled int
	pruned  []time.Time
	fail    func(credential.Notice) error // asked before a row is replaced
	broken  error                         // about rows that cannot be read
	disk    func(credential.Notice)       // waits for the disk
}

func newOutbox(notices ...credential.Notice) *outbox {
	o := &outbox{rows: map[uint64]credential.Notice{}}
	o.add(notices...)
	return o
}

func (o *outbox) add(notices ...credential.Notice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range notices {
		o.rows[n.Seq] = clone(n)
	}
}

func clone(n credential.Notice) credential.Notice {
	n.Deliveries = slices.Clone(n.Deliveries)
	if n.Calendar != nil {
		c := *n.Calendar
		n.Calendar = &c
	}
	return n
}

func (o *outbox) Claim(_ context.Context, now time.Time, limit int) ([]credential.Notice, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var due []credential.Notice
	for _, n := range o.rows {
		if !n.Due.IsZero() && !n.Due.After(now) {
			due = append(due, clone(n))
		}
	}
	slices.SortFunc(due, func(a, b credential.Notice) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Seq, b.Seq))
	})
	return due[:min(limit, len(due))], o.broken
}

func (o *outbox) Settle(_ context.Context, notices ...credential.Notice) error {
	if o.disk != nil {
		o.disk(notices[0])
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range notices {
		if o.fail != nil {
			if err := o.fail(n); err != nil {
				return err
			}
		}
		if _, ok := o.rows[n.Seq]; !ok && n.Seq != 0 {
			return errors.New("there is no such notice")
		}
	}
	o.settled++
	for _, n := range notices {
		if n.Seq == 0 {
			if o.known(n.Key) {
				continue
			}
			n.Seq = uint64(len(o.rows)) + 1000
		}
		o.rows[n.Seq] = clone(n)
	}
	return nil
}

func (o *outbox) known(key string) bool {
	for _, n := range o.rows {
		if n.Key == key {
			return true
		}
	}
	return false
}

func (o *outbox) NextDue(context.Context) (time.Time, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var next time.Time
	for _, n := range o.rows {
		if !n.Due.IsZero() && (next.IsZero() || n.Due.Before(next)) {
			next = n.Due
		}
	}
	return next, !next.IsZero(), nil
}

func (o *outbox) Prune(_ context.Context, now time.Time) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pruned = append(o.pruned, now)
	return 0, nil
}

func (o *outbox) get(seq uint64) credential.Notice {
	o.mu.Lock()
	defer o.mu.Unlock()
	return clone(o.rows[seq])
}

// records answers with the same record for every client.
type records struct {
	mu     sync.Mutex
	record credential.Record
	found  bool
}

func (r *records) Get(string) (credential.Record, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.record, r.found, nil
}

type directory struct {
	owners map[string]notify.Contact
	admins notify.Contact
}

func (d directory) Owner(name string) (notify.Contact, bool) {
	c, ok := d.owners[name]
	return c, ok
}

func (d directory) Admins() notify.Contact { return d.admins }

// sent is one message as the channel took it.
type sent struct {
	at      time.Time
	message notify.Message
	bytes   string
}

// channel takes messages and answers as it is told.
type channel struct {
	t      testing.TB
	answer func(n int, m notify.Message) error // n counts from 1; nil = takes everything
	during func(ctx context.Context) error     // runs while a message is under way
	before func(m notify.Message)

	compose bool // keeps the bytes of each message

	mu   sync.Mutex
	seen []sent
}

func (c *channel) Name() string { return notify.MailChannel }

func (c *channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if c.before != nil {
		c.before(m)
	}
	var mail []byte
	if c.compose {
		var err error
		if mail, err = notify.Compose(m); err != nil {
			c.t.Errorf("composing: %v", err)
		}
	}
	c.mu.Lock()
	c.seen = append(c.seen, sent{at: time.Now(), message: m, bytes: string(mail)})
	n := len(c.seen)
	c.mu.Unlock()
	if c.during != nil {
		if err := c.during(ctx); err != nil {
			return notify.Receipt{}, err
		}
	}
	if c.answer != nil {
		if err := c.answer(n, m); err != nil {
			return notify.Receipt{}, err
		}
	}
	return notify.Receipt{Reply: "2.0.0 Ok: queued as 4F2A"}, nil
}

func (c *channel) sends() []sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

// meter counts outcomes.
type meter struct {
	mu     sync.Mutex
	counts map[notify.Outcome]int
	delays []time.Duration
}

func (m *meter) Notice(_ string, _ credential.NoticeKind, o notify.Outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts == nil {
		m.counts = map[notify.Outcome]int{}
	}
	m.counts[o]++
}

func (m *meter) Delay(_ credential.NoticeKind, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delays = append(m.delays, d)
}

func (m *meter) count(o notify.Outcome) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[o]
}

// loopWorld is a loop with all it needs. It lives inside a synctest bubble, where time is virtual.
type loopWorld struct {
	outbox   *outbox
	records  *records
	channel  *channel
	meter    *meter
	settings notify.Settings
	loop     *notify.Loop
	stop     context.CancelFunc
	done     chan error
}

func newWorld(t *testing.T, notices ...credential.Notice) *loopWorld {
	t.Helper()
	w := &loopWorld{
		outbox: newOutbox(notices...), records: &records{found: true}, channel: &channel{t: t}, meter: &meter{},
	}
	start := time.Now()
	w.settings = notify.Settings{
		Outbox: w.outbox, Records: w.records, Meter: w.meter,
		Now: time.Now, Elapsed: func() time.Duration { return time.Since(start) }, After: time.After,
		World: notify.World{
			Directory: directory{
				owners: map[string]notify.Contact{"payments": {Emails: []string{"payments@example.com"}}},
				admins: notify.Contact{Emails: []string{"admin@example.com"}},
			},
			Renderer: renderer(t), Channels: []notify.Channel{w.channel},
		},
	}
	return w
}

// run starts the loop; it ends with the test.
func (w *loopWorld) run(t *testing.T) {
	t.Helper()
	loop, err := notify.NewLoop(w.settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.loop, w.stop, w.done = loop, cancel, make(chan error, 1)
	go func() { w.done <- loop.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		synctest.Wait()
	})
	synctest.Wait()
}

// pass lets virtual time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// retired is a notice that stays true whatever happens.
func retired(seq uint64, client string) credential.Notice {
	n := rotated(client)
	n.Seq, n.Key, n.Kind, n.Owner, n.Calendar = seq, client+"|"+time.Duration(seq).String(), credential.NoticeRetired, "payments", nil
	n.At, n.Due, n.State = time.Now(), time.Now(), credential.NoticePending
	return n
}

func failure(class notify.Class) *notify.SendError {
	return &notify.SendError{Class: class, Stage: "test", Err: errors.New("as told")}
}
