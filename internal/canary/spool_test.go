package canary_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/notify"
)

// spool is a file that takes what leaves the process until it is searched.
type spool struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
}

func newSpool(dir, name string) (*spool, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return &spool{file: f, out: bufio.NewWriterSize(f, 1<<16)}, nil
}

// Write takes some bytes.
func (s *spool) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *spool) printf(format string, args ...any) { _, _ = fmt.Fprintf(s, format, args...) }

// close brings everything into the file, which takes no more.
func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.out.Flush(), s.file.Close())
}

// Send takes a mail as it would go over the wire. It makes a spool a channel of notices.
func (s *spool) Send(_ context.Context, m notify.Message) (notify.Receipt, error) {
	raw, err := notify.Compose(m)
	s.printf("To: %s\r\n%s\r\n", m.To, raw)
	return notify.Receipt{Reply: "2.0.0 Ok"}, err
}

// Name is that of the channel of mails.
func (s *spool) Name() string { return notify.MailChannel }

// posts is the spool as a channel that takes no mails: it keeps what would go to a program and to a chat.
type posts struct{ *spool }

// Name is what the configuration calls it.
func (posts) Name() string { return "ops" }

// Send takes one notice in both forms.
func (p posts) Send(_ context.Context, m notify.Message) (notify.Receipt, error) {
	event, err := notify.Event(m)
	card, other := notify.SlackMessage(m)
	p.printf("%s\n%s\n", event, card)
	return notify.Receipt{Reply: "204"}, errors.Join(err, other)
}

// verbs print a value in every way that a careless line of a log may.
func (s *spool) verbs(values ...any) {
	for _, v := range values {
		s.printf("%v\n%+v\n%#v\n%q\n%s\n%x\n", v, v, v, v, v, v)
		err, ok := v.(error)
		for ok && err != nil {
			s.printf("%T %+v %#v %v\n", err, err, err, errors.Join(err, context.Canceled))
			err = errors.Unwrap(err)
		}
	}
}

// dump prints what passes the loop. It implements scheduler.Watch.
type dump struct {
	out   *spool
	every int64
	mu    sync.Mutex
	seen  int64
	done  map[rotation.Effect]int
	wrong int
	wake  func()
}

func (d *dump) turn() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen++
	return d.seen%d.every == 0
}

// Committed prints some changes.
func (d *dump) Committed(c credential.Change) {
	if len(c.Notices) > 0 {
		d.wake()
	}
	if d.turn() {
		d.out.printf("%+v\n%#v\n", c, c)
	}
}

// Effect prints some outcomes, and every failure.
func (d *dump) Effect(rec credential.Record, e rotation.Effect, o rotation.Outcome, _ time.Duration) {
	d.mu.Lock()
	d.done[e]++
	if o.Result != rotation.Done {
		d.wrong++
	}
	d.mu.Unlock()
	if o.Result != rotation.Done || d.turn() {
		d.out.printf("%+v\n%#v\n%+v\n", rec, o, o)
	}
}

// Late does nothing.
func (*dump) Late(string, time.Duration) {}

// Turned does nothing.
func (*dump) Turned() {}
