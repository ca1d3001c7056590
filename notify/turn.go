package notify

import (
	"context"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
)

const (
	// speaking is how many speak with a server at once.
	speaking = 4
	// unwritten is how many messages a server may have taken that the disk does not know of yet: a crash sends these twice, at most.
	unwritten = speaking
	// unwrittenOfMany is the same while many notices are due, so that the lines do not stand still while the disk writes.
	unwrittenOfMany = 4 * speaking
)

// turns bound what is under way at once. A turn begins before a message is handed over, and ends once what became of it is
// written down.
type turns struct {
	open  chan struct{} // holds an element for each turn, and for each that cannot be had now
	speak chan func()   // to those that speak
}

func newTurns() turns {
	t := turns{open: make(chan struct{}, unwrittenOfMany), speak: make(chan func())}
	t.narrow()
	return t
}

// widen allows the turns that there are while many notices are due, and narrow takes them away again. In between nothing may be
// under way.
func (t turns) widen() {
	for range unwrittenOfMany - unwritten {
		<-t.open
	}
}

func (t turns) narrow() {
	for range unwrittenOfMany - unwritten {
		t.open <- struct{}{}
	}
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

// begin waits for a turn. It is false where the context ends before; else end has to be called.
func (t turns) begin(ctx context.Context, c Channel, to string) (end func(), ok bool) {
	leave, mine := turnOf(ctx, c, to)
	if !mine {
		return nil, false
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

// handOver hands a message over, when its turn has come, and notes what became of it. The turn ends with yield. Where the daemon is
// being stopped meanwhile, or the channel has turned out to be down, nothing is sent, and the attempt does not count.
func (s *sending) handOver(ctx context.Context, c Channel, m Message, d *credential.Delivery) {
	var (
		receipt Receipt
		err     error
		wait    time.Duration
		sent    bool
	)
	end, mine := s.turns.begin(ctx, c, m.To)
	if mine {
		s.turns.say(ctx, func() {
			if wait = s.down.left(d.Channel, s.Elapsed()); wait <= 0 && ctx.Err() == nil {
				receipt, err = s.send(ctx, c, m)
				sent = true
			}
		})
	}
	if sent {
		s.leave = end
		failpoint.Hit("notice", "sent", s.notice.Client)
		s.outcome(ctx, d, receipt, err)
		return
	}
	if mine {
		end()
	}
	d.Attempts--
	d.Next = s.Now().Add(jitter(max(0, wait), d.MessageID, 0))
}

// yield ends the turn, once what was said is written down.
func (s *sending) yield() {
	if s.leave != nil {
		s.leave()
		s.leave = nil
	}
}
