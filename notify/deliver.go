package notify

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
)

// sending is the work on one notice.
type sending struct {
	*Loop
	world  *World
	notice credential.Notice
	unsaid bool               // it matters too little for every channel of its readers
	next   *credential.Notice // the word to the next rung of the ladder; nil = it is not to be told yet
	digest string             // the key of the digest that it goes out with; empty = it goes on its own
	leave  func()             // ends the turn; nil = it has ended
	noted  []string           // the ids of messages that are noted past a kill, and that the outbox does not know as sent yet
}

// run tries every delivery that is due, one after another. Before each it settles the notice with that delivery marked
// as begun, which also stores the outcome of the one before.
func (s *sending) run(ctx context.Context) error {
	defer s.yield()
	if len(s.notice.Deliveries) == 0 {
		s.resolve()
	}
	for i := 0; i < len(s.notice.Deliveries); i++ {
		if ctx.Err() != nil {
			break
		}
		if err := s.attempt(ctx, i); err != nil {
			return err
		}
		if i == len(s.notice.Deliveries)-1 && !s.standIn() {
			s.tellOfTrouble()
		}
	}
	s.climb(false)
	s.sum()
	return s.save(ctx)
}

// attempt sends one delivery if it is due.
func (s *sending) attempt(ctx context.Context, i int) error {
	d, now := &s.notice.Deliveries[i], s.Now()
	if d.State != credential.NoticePending || d.Next.After(now) {
		return nil
	}
	if s.answered(d) {
		return nil
	}
	channel, ready := s.ready(d, now)
	if !ready {
		return nil
	}
	moment := now
	if d.Ambiguous {
		// The same bytes as the first time, down to "in 3 hours".
		moment = d.Next.Add(-AmbiguousPause)
	}
	message, ok := s.render(d, moment)
	if !ok {
		return nil
	}
	d.Attempts++
	d.Next = now.Add(lease)
	s.sum()
	failpoint.Hit("notice", "before", s.notice.Client)
	if err := s.begin(ctx); err != nil {
		return err
	}
	failpoint.Hit("notice", "begun", s.notice.Client)
	s.handOver(ctx, channel, message, d)
	return nil
}

// begin settles that a delivery is begun, so that what dies from it again and again is given up some time. While many notices are due
// that is half of all that the disk has to do, and left out where it is noted past a kill which messages were taken: nothing comes twice
// for that.
func (s *sending) begin(ctx context.Context) error {
	if s.remembers() {
		return nil
	}
	return s.save(ctx)
}

// ready finds the channel of a delivery. It is false where there is none any more, or where it counts as down.
func (s *sending) ready(d *credential.Delivery, now time.Time) (Channel, bool) {
	channel := s.channel(d.Channel)
	if channel == nil {
		d.State, d.Error, d.Next = credential.NoticeDropped, "this channel is not configured", time.Time{}
		s.Meter.Notice(d.Channel, s.notice.Kind, OutcomeDropped)
		return nil, false
	}
	if left := s.down.left(d.Channel, s.Elapsed()); left > 0 {
		d.Next = now.Add(jitter(max(left, aside), d.MessageID, 0))
		return nil, false
	}
	return channel, true
}

func (s *sending) channel(name string) Channel {
	for _, c := range s.world.Channels {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// render writes the message; ok is false for a notice that no template can say, which is a defect and buries it.
func (s *sending) render(d *credential.Delivery, moment time.Time) (m Message, ok bool) {
	m, eventErr, err := s.world.Renderer.Render(s.notice, s.recipient(d), moment)
	if err != nil {
		s.bury(d, &SendError{Class: ClassPermanent, Stage: "render", Err: err})
		return Message{}, false
	}
	if eventErr != nil {
		s.Meter.Notice(d.Channel, s.notice.Kind, OutcomeNoEvent)
		s.Log.Warn("notice goes without its calendar event",
			"seq", s.notice.Seq, "client", s.notice.Client, "error", eventErr)
	}
	m.ID = d.MessageID
	return m, true
}

// send lets a message under way finish while the daemon is being stopped, for a while: breaking off right before the
// server's answer would leave it open whether the mail has arrived.
func (s *sending) send(ctx context.Context, c Channel, m Message) (Receipt, error) {
	sendCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-s.After(grace):
			cancel()
		case <-sendCtx.Done():
		}
	})
	defer stop()
	return c.Send(sendCtx, m)
}

// outcome notes what became of an attempt.
func (s *sending) outcome(ctx context.Context, d *credential.Delivery, receipt Receipt, err error) {
	if err == nil {
		s.sent(d, receipt.Reply, OutcomeSent)
		return
	}
	var failed *SendError
	if !errors.As(err, &failed) {
		failed = &SendError{Class: ClassRetry, Stage: "send", Err: err}
	}
	d.Error = clean(failed.Error(), maxDetail)
	switch {
	case failed.Class == ClassPermanent, failed.Class == ClassRetry && d.Attempts >= giveUp:
		s.bury(d, failed)
	case failed.Class == ClassAmbiguous && d.Ambiguous:
		s.sent(d, "sent twice, never answered", OutcomeAmbiguous)
	case failed.Class == ClassAmbiguous:
		s.down.fails(d.Channel, s.Elapsed(), d.Error)
		d.Ambiguous, d.Next = true, s.Now().Add(AmbiguousPause)
		s.Meter.Notice(d.Channel, s.notice.Kind, OutcomeAmbiguous)
		s.Log.Warn("notice may have arrived", "seq", s.notice.Seq, "kind", s.notice.Kind, "client", s.notice.Client,
			"channel", d.Channel, "message_id", d.MessageID, "next", d.Next)
	default:
		s.later(ctx, d, failed)
	}
}

func (s *sending) sent(d *credential.Delivery, reply string, outcome Outcome) {
	now := s.Now()
	d.State, d.SentAt, d.Next, d.Error, d.Receipt = credential.NoticeSent, now, time.Time{}, "", reply
	s.down.end(d.Channel)
	s.Meter.Notice(d.Channel, s.notice.Kind, outcome)
	s.Meter.Delay(s.notice.Kind, now.Sub(later(s.notice.At, s.notice.Wait)))
	s.Log.Info("notice sent", "seq", s.notice.Seq, "kind", s.notice.Kind, "client", s.notice.Client,
		"channel", d.Channel, "message_id", d.MessageID, "attempts", d.Attempts)
}

// later plans the next attempt, when the other side has said or by our own pauses. A channel that is down is not the
// message's fault: it costs no attempt.
func (s *sending) later(ctx context.Context, d *credential.Delivery, failed *SendError) {
	pause := orElse(failed.After, pauseAfter(d.Attempts, failed.Slow))
	s.down.fails(d.Channel, s.Elapsed(), d.Error)
	if failed.Class == ClassDown && ctx.Err() == nil {
		s.down.begin(d.Channel, s.Elapsed(), failed)
		d.Attempts--
		pause = max(s.down.left(d.Channel, s.Elapsed()), time.Second)
	}
	d.Next = s.Now().Add(jitter(pause, d.MessageID, d.Attempts))
	s.Meter.Notice(d.Channel, s.notice.Kind, OutcomeRetry)
	s.Log.Warn("notice not sent yet", "seq", s.notice.Seq, "kind", s.notice.Kind, "client", s.notice.Client,
		"channel", d.Channel, "class", failed.Class.String(), "stage", failed.Stage, "code", failed.Code,
		"enhanced", failed.Enhanced, "next", d.Next)
}

// bury gives a delivery up. The log names the reason but not the address.
func (s *sending) bury(d *credential.Delivery, failed *SendError) {
	d.State, d.Next, d.Error = credential.NoticeDead, time.Time{}, clean(failed.Error(), maxDetail)
	s.Meter.Notice(d.Channel, s.notice.Kind, OutcomeDead)
	s.Log.Error("notice refused for good", "seq", s.notice.Seq, "kind", s.notice.Kind, "client", s.notice.Client,
		"channel", d.Channel, "stage", failed.Stage, "code", failed.Code, "enhanced", failed.Enhanced)
}

// sum derives state and due time of the notice from its deliveries. A notice that nobody could be told counts as dead.
func (s *sending) sum() {
	n := &s.notice
	n.Due, n.State = time.Time{}, credential.NoticeDead
	for _, d := range n.Deliveries {
		if d.State == credential.NoticePending && (n.Due.IsZero() || d.Next.Before(n.Due)) {
			n.Due = d.Next
		}
		switch {
		case d.About != "": // the word about a channel is not the notice
		case d.State == credential.NoticeSent:
			n.State = credential.NoticeSent
		case d.State == credential.NoticeDropped && n.State != credential.NoticeSent:
			n.State = credential.NoticeDropped
		}
	}
	switch {
	case !n.Due.IsZero():
		n.State = credential.NoticePending
	case s.unsaid:
		n.State = credential.NoticeDropped
		s.Meter.Notice("", n.Kind, OutcomeDropped)
		s.Log.Info("notice dropped", "seq", n.Seq, "kind", n.Kind, "client", n.Client, "reason", "it matters too little for the channels of its readers")
	case len(n.Deliveries) == 0:
		s.Log.Error("nobody to tell: no address; see owners: and admins: in the configuration", "admins", n.Admins,
			"seq", n.Seq, "kind", n.Kind, "client", n.Client, "owner", n.Owner)
		s.Meter.Notice("", n.Kind, OutcomeDead)
	}
}
