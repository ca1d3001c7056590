package notify

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
)

// KindDigest is the kind of the message that says together what is not urgent. It has no row of its own in an outbox: it is
// the notices that have waited for it.
const KindDigest credential.NoticeKind = "digest"

// maxDigest is how many notices one digest says: a mail that no server takes tells nobody.
const maxDigest = 1000

// gathering is the work on what has waited for one moment: each way to its reader gets one message about all of it. The rules
// are those of a single notice, and whatever is settled is settled for all at once.
type gathering struct {
	*Loop
	world *World
	rows  []*sending
}

// post is one message of a digest: a way to the reader, and the id, which tells several apart where one would be too large.
type post struct {
	way
	id string
}

// digest handles the notices that have waited for one digest.
func (l *Loop) digest(ctx context.Context, world *World, notices []credential.Notice) error {
	live, err := l.living(ctx, notices)
	if err != nil {
		return err
	}
	if live, err = l.putOff(ctx, world, live); err != nil {
		return err
	}
	slices.SortStableFunc(live, func(a, b credential.Notice) int { return int(a.Seq) - int(b.Seq) }) //nolint:gosec // numbers of rows
	g := &gathering{Loop: l, world: world}
	for i, n := range oneEvent(live) {
		first := live[i/maxDigest*maxDigest]
		key := "digest|" + n.Owner + "|" + strconv.FormatInt(n.Wait.Unix(), 10) + "|" + first.Key
		g.rows = append(g.rows, &sending{Loop: l, world: world, notice: n, digest: key})
	}
	if err := g.run(ctx); err != nil {
		return err
	}
	return g.words(ctx)
}

// run tries every message that is due, then what stands in for those that nobody takes.
func (g *gathering) run(ctx context.Context) error {
	if err := g.resolve(ctx); err != nil {
		return err
	}
	tried := map[post]bool{}
	for p, ok := g.next(tried); ok && ctx.Err() == nil; p, ok = g.next(tried) {
		tried[p] = true
		if err := g.attempt(ctx, p); err != nil {
			return err
		}
		if _, more := g.next(tried); !more {
			for _, s := range g.rows {
				s.standIn()
			}
		}
	}
	for _, s := range g.rows {
		s.climb(false)
	}
	return g.settleAll(ctx)
}

// resolve finds the readers of every row, and settles those that have none.
func (g *gathering) resolve(ctx context.Context) error {
	var told []*sending
	var others []credential.Notice
	for _, s := range g.rows {
		if len(s.notice.Deliveries) == 0 {
			s.resolve()
		}
		if len(s.notice.Deliveries) > 0 {
			told = append(told, s)
			continue
		}
		s.sum()
		others = append(others, s.rows()...)
	}
	g.rows = told
	return g.settle(ctx, others...)
}

// words tells over another channel of one that takes nothing.
func (g *gathering) words(ctx context.Context) error {
	for _, s := range g.rows {
		s.tellOfTrouble()
		due := slices.ContainsFunc(s.notice.Deliveries, func(d credential.Delivery) bool {
			return d.About != "" && d.State == credential.NoticePending && !d.Next.After(g.Now())
		})
		if due && ctx.Err() == nil {
			if err := s.run(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// next is a message that has not been tried in this turn.
func (g *gathering) next(tried map[post]bool) (post, bool) {
	for _, s := range g.rows {
		for _, d := range s.notice.Deliveries {
			p := post{way{d.Channel, d.To}, d.MessageID}
			if d.About == "" && d.State == credential.NoticePending && !tried[p] {
				return p, true
			}
		}
	}
	return post{}, false
}

// part is the rows that one message says, each with its delivery.
type part struct {
	rows       []*sending
	deliveries []*credential.Delivery
}

func (g *gathering) part(p post) (out part) {
	for _, s := range g.rows {
		for i := range s.notice.Deliveries {
			d := &s.notice.Deliveries[i]
			if d.About == "" && d.State == credential.NoticePending && !d.Next.After(g.Now()) && (post{way{d.Channel, d.To}, d.MessageID}) == p {
				out.rows, out.deliveries = append(out.rows, s), append(out.deliveries, d)
			}
		}
	}
	return out
}

// share lets every row know what became of the message.
func (p part) share() {
	for _, d := range p.deliveries[1:] {
		*d = *p.deliveries[0]
	}
}

// attempt sends one message if it is due, as sending.attempt does for a single notice.
func (g *gathering) attempt(ctx context.Context, p post) error {
	whole := g.part(p)
	if len(whole.rows) == 0 {
		return nil
	}
	defer whole.share()
	s, d, now := whole.rows[0], whole.deliveries[0], g.Now()
	if s.answered(d) {
		return nil
	}
	channel, ready := s.ready(d, now)
	if !ready {
		return nil
	}
	moment := now
	if d.Ambiguous {
		moment = d.Next.Add(-AmbiguousPause)
	}
	message, ok := g.render(whole, moment)
	if !ok {
		return nil
	}
	d.Attempts++
	d.Next = now.Add(lease)
	whole.share()
	failpoint.Hit("notice", "before", s.notice.Client)
	if err := g.settleAll(ctx); err != nil {
		return err
	}
	failpoint.Hit("notice", "begun", s.notice.Client)
	s.handOver(ctx, channel, message, d)
	return nil
}

// render writes the message. What is left of a digest when all but one have lost their reason is that one's own mail.
func (g *gathering) render(p part, moment time.Time) (Message, bool) {
	s, d := p.rows[0], p.deliveries[0]
	if len(p.rows) == 1 {
		return s.render(d, moment)
	}
	notices, reader := make([]credential.Notice, len(p.rows)), s.recipient(d)
	for i, row := range p.rows {
		notices[i] = row.notice
		if reader.Next.To == "" {
			reader.Next, _ = g.world.rungAfter(row.notice)
		}
	}
	m, eventErr, err := g.world.Renderer.RenderDigest(notices, reader, moment)
	if err != nil {
		s.bury(d, &SendError{Class: ClassPermanent, Stage: "render", Err: err})
		return Message{}, false
	}
	if eventErr != nil {
		g.Meter.Notice(d.Channel, KindDigest, OutcomeNoEvent)
		g.Log.Warn("a digest goes without some calendar events", "owner", s.notice.Owner, "error", eventErr)
	}
	m.ID = d.MessageID
	return m, true
}

// settleAll writes all rows down at once: what went out in one message is never sent again in part.
func (g *gathering) settleAll(ctx context.Context) error {
	var rows []credential.Notice
	for _, s := range g.rows {
		defer s.yield()
		s.sum()
		rows = append(rows, s.rows()...)
	}
	if err := g.settle(ctx, rows...); err != nil {
		return err
	}
	for _, s := range g.rows {
		s.written()
	}
	return nil
}
