package notify

import (
	"context"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
)

// speaking is how many speak with a server at once, and how many messages at most a server may have taken that nothing remembers: a
// kill sends these twice.
const speaking = 4

// turns bound what is under way at once. A turn begins before a message is handed over, and ends once what became of it is
// remembered: where many notices are due, past a kill; else also past a power cut, which means that the disk has it.
type turns struct {
	open  chan struct{} // holds an element for each turn that waits for the disk
	speak chan func()   // to those that speak
}

func newTurns() turns {
	return turns{open: make(chan struct{}, speaking), speak: make(chan func())}
}

// speakers start those that speak, until the function that is returned is called. Whoever has said one thing says the next that
// waits at once: a line never stands still until somebody has woken up.
func (t turns) speakers() (dismiss func()) {
	var wg sync.WaitGroup
	enough := make(chan struct{})
	for range speaking {
		wg.Go(func() {
			for {
				select {
				case say := <-t.speak:
					say()
				case <-enough:
					return
				}
			}
		})
	}
	return func() { close(enough); wg.Wait() }
}

// begin waits for a turn. It is false where the context ends before; else end has to be called. One that is remembered as soon as it
// is said need not wait for the disk, only for who speaks.
func (t turns) begin(ctx context.Context, c Channel, to string, remembered bool) (end func(), ok bool) {
	leave, mine := turnOf(ctx, c, to)
	if !mine || remembered {
		return leave, mine
	}
	select {
	case t.open <- struct{}{}:
		return func() { <-t.open; leave() }, true
	case <-ctx.Done():
		leave()
		return nil, false
	}
}

// turnOf waits for the turn of a reader, where the channel has such.
func turnOf(ctx context.Context, c Channel, to string) (leave func(), ok bool) {
	if r, has := c.(rationed); has {
		return r.Turn(ctx, to)
	}
	return func() {}, true
}

// say waits until somebody has said something. It is false where the context ends before anybody has begun.
func (t turns) say(ctx context.Context, something func()) bool {
	said := make(chan struct{})
	select {
	case t.speak <- func() { defer close(said); something() }:
		<-said
		return true
	case <-ctx.Done():
		return false
	}
}

// attempted is what became of a message in one turn.
type attempted struct {
	receipt Receipt
	err     error
	wait    time.Duration // the channel has turned out to be down for so long
	sent    bool
	again   bool // it needs another turn
}

// handOver hands a message over, when its turn has come, and notes what became of it. The turn ends with yield, if not before. Where
// the daemon is being stopped meanwhile, or the channel has turned out to be down, nothing is sent, and the attempt does not count.
func (s *sending) handOver(ctx context.Context, c Channel, m Message, d *credential.Delivery) {
	a := s.inTurn(ctx, c, m, d)
	for a.again {
		s.yield()
		a = s.inTurn(ctx, c, m, d)
	}
	if a.sent {
		s.outcome(ctx, d, a.receipt, a.err)
		return
	}
	s.yield()
	d.Attempts--
	d.Next = s.Now().Add(jitter(max(0, a.wait), d.MessageID, 0))
}

// inTurn waits for a turn and sends. A hundred may wait for who speaks when it turns out that nothing is noted past a kill any more:
// each of them needs a turn that lasts until the disk has it.
func (s *sending) inTurn(ctx context.Context, c Channel, m Message, d *credential.Delivery) (a attempted) {
	remembered := s.remembers()
	end, mine := s.turns.begin(ctx, c, m.To, remembered)
	if !mine {
		return a
	}
	s.leave = end
	s.turns.say(ctx, func() {
		a.wait = s.down.left(d.Channel, s.Elapsed())
		switch {
		case a.wait > 0 || ctx.Err() != nil:
		case remembered && !s.remembers():
			a.again = true
		default:
			a.receipt, a.err = s.send(ctx, c, m)
			a.sent = true
			failpoint.Hit("notice", "sent", s.notice.Client)
			s.remember(d.MessageID, a.receipt, a.err)
		}
	})
	return a
}

// remembers says whether what was taken is noted past a kill, and so many notices are due that this is enough for a while.
func (s *sending) remembers() bool { return s.world.flood && !s.forgets.Load() }

// remember notes that a message was taken, past a kill, before anybody says the next. Where many are due the turn ends with that.
func (s *sending) remember(id string, receipt Receipt, err error) {
	if err != nil {
		return
	}
	if err = s.Taken.Note(id, receipt.Reply); err != nil {
		if !s.forgets.Swap(true) {
			s.Log.Warn("what was taken cannot be noted; from now on each message waits until the state has it", "error", err)
		}
		return
	}
	s.noted = append(s.noted, id)
	if s.world.flood {
		s.yield()
	}
}

// answered says whether an earlier process has handed a message over, which was killed before the outbox knew of it. It is sent then.
func (s *sending) answered(d *credential.Delivery) bool {
	answer, known := s.Taken.Answer(d.MessageID)
	if known {
		s.noted = append(s.noted, d.MessageID)
		s.sent(d, answer, OutcomeSent)
	}
	return known
}

// yield ends the turn.
func (s *sending) yield() {
	if s.leave != nil {
		s.leave()
		s.leave = nil
	}
}

// written ends what is noted past a kill, once the outbox has it.
func (s *sending) written() {
	for _, id := range s.noted {
		if err := s.Taken.Done(id); err != nil {
			s.Log.Warn("what was taken cannot be forgotten, which does no harm", "error", err)
		}
	}
	s.noted = nil
}
