package mailkills

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/state/bolt"
	"github.com/rotad/rotad/state/taken"
	"github.com/rotad/rotad/test/world"
)

// reader is the team that gets digests; the others are told of each notice at once.
const reader = "reader"

func teams() []string { return []string{"team-0", "team-1", "team-2", "team-3", "team-4", "team-5"} }

func addresses(w *world.World, team string) []string {
	return []string{w.Address(team), w.Address(team + "-lead")}
}

// each is how many notices a digest has.
const each = 5

// open opens the state of the dead daemon.
func (c *campaign) open(o bolt.Options) *bolt.Store {
	c.T.Helper()
	o.AllowFilesystem = true
	store, err := bolt.Open(c.Path("state/rotad.db"), o)
	c.Must(err)
	return store
}

// waiting are the notices that the state does not know as settled.
func (c *campaign) waiting(store *bolt.Store, now time.Time) []credential.Notice {
	c.T.Helper()
	rows, err := store.ClaimNotices(c.T.Context(), now, 1<<20)
	c.Must(err)
	return rows
}

// supply plans more where less is due than a life may send. What a commit would have written is written by the same store.
func (c *campaign) supply() {
	c.T.Helper()
	look := c.open(bolt.Options{ReadOnly: true})
	due := len(c.waiting(look, time.Now()))
	c.Must(look.Close())
	if due >= c.enough {
		return
	}
	store := c.open(bolt.Options{})
	if c.renderer == nil {
		var err error
		c.renderer, err = notify.NewRenderer(notify.Sender{From: notify.Address{Addr: sender}, Key: store.Meta().Key})
		c.Must(err)
	}
	now := time.Now().UTC()
	for range c.more {
		c.plan(store, c.notice(now))
	}
	for i := range c.digests {
		c.planDigest(store, now.Add(-time.Duration(i+1)*time.Second).Truncate(time.Second))
	}
	c.Must(store.Close())
}

// notice is the next one, for one of the teams.
func (c *campaign) notice(now time.Time) credential.Notice {
	n := c.sample
	c.notices++
	n.Key = fmt.Sprintf("mailkills|%d", c.notices)
	n.Client, n.Owner = fmt.Sprintf("service-%03d", c.notices%c.clients), teams()[c.notices%len(teams())]
	n.At, n.Due, n.State = now, now, credential.NoticePending
	n.Facts.OldDies = now.Add(72 * time.Hour)
	invite := *n.Calendar
	invite.At = n.Facts.OldDies
	n.Calendar = &invite
	return n
}

// plan writes one notice down, and owes it to its team.
func (c *campaign) plan(store *bolt.Store, n credential.Notice) {
	c.T.Helper()
	c.Must(store.Settle(c.T.Context(), n))
	c.owe(n.Owner, n.Key)
}

// planDigest writes down the notices that have waited for a digest, and owes one mail about all of them.
func (c *campaign) planDigest(store *bolt.Store, moment time.Time) {
	c.T.Helper()
	var rows []credential.Notice
	for i := range each {
		n := c.notice(moment)
		n.Owner, n.Client = reader, fmt.Sprintf("digested-%d", i)
		n.State, n.Digest, n.Wait, n.Due = credential.NoticeWaiting, true, moment, moment
		rows = append(rows, n)
	}
	c.Must(store.Settle(c.T.Context(), rows...))
	c.owe(reader, fmt.Sprintf("digest|%s|%d|%s", reader, moment.Unix(), rows[0].Key))
}

// owe notes the messages that a key stands for.
func (c *campaign) owe(team, key string) {
	for _, id := range c.messages(team, key) {
		c.owed[id] = true
	}
}

// messages names those that a key stands for, one for each address of a team.
func (c *campaign) messages(team, key string) (ids []string) {
	for _, to := range addresses(c.World, team) {
		ids = append(ids, c.renderer.MessageID(credential.Notice{Key: key}, to))
	}
	return ids
}

// checkEvery is how many kills pass between two checks of the whole state file, which takes longer the more there is in it.
const checkEvery = 25

// look finds what a kill has exposed: what the server has taken, and neither the dead state nor the file beside it knows as sent.
func (c *campaign) look() {
	c.T.Helper()
	c.count()
	store := c.open(bolt.Options{ReadOnly: true})
	if len(c.lives)%checkEvery == 0 {
		c.Must(store.Check(c.T.Context()))
	}
	noted, err := taken.Read(c.Path("state/rotad.db.taken"))
	c.Must(err)
	open := map[string]bool{}
	for _, n := range c.waiting(store, time.Now().Add(24*time.Hour)) {
		for _, id := range c.unsent(n) {
			if !slices.Contains(noted, id) && c.copies[id] > c.exposed[id] {
				open[id] = true
			}
		}
	}
	for id := range open {
		c.exposed[id]++
	}
	c.most = max(c.most, len(open))
	c.Must(store.Close())
}

// unsent names the messages of a notice that its row does not say to be sent. While many are due no row says that they have begun.
func (c *campaign) unsent(n credential.Notice) (ids []string) {
	for _, d := range n.Deliveries {
		if d.State == credential.NoticePending {
			ids = append(ids, d.MessageID)
		}
	}
	if len(n.Deliveries) == 0 && !n.Digest {
		ids = c.messages(n.Owner, n.Key)
	}
	return ids
}

// count notes what the server has taken since the last time.
func (c *campaign) count() {
	c.T.Helper()
	mails, err := c.server.Mails()
	c.Must(err)
	for _, m := range mails[c.counted:] {
		c.copies[m.ID]++
	}
	c.counted = len(mails)
}

// errUnsettled says that the daemon has ended in good order and left notices behind.
var errUnsettled = errors.New("the daemon has left notices unsettled")

// settled reads from the state that every notice was sent.
func (c *campaign) settled(ctx context.Context) (err error) {
	store := c.open(bolt.Options{ReadOnly: true})
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Check(ctx); err != nil {
		return err
	}
	count := store.OutboxCounts()
	for state, n := range count {
		if want := map[bool]int{true: c.notices}[state == credential.NoticeSent]; n != want {
			return fmt.Errorf("%w: of %d are %v", errUnsettled, c.notices, count)
		}
	}
	return nil
}
