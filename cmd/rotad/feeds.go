package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/answer"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/state"
)

// feedStore keeps which address of an owner's feed is the present one.
type feedStore interface {
	Feed(ctx context.Context, owner string) (generation uint64, err error)
	ChangeFeed(ctx context.Context, owner string) (generation uint64, err error)
}

// calendar tells the address of an owner's feed, or gives it another one.
func (a *actions) calendar(ctx context.Context, c admin.Command) (admin.Reply, error) {
	cfg := a.config()
	if !cfg.Listen.Public.On() || a.feeds == nil {
		return admin.Reply{}, &admin.Error{Class: admin.ClassRefused, Why: "there is no listener for people", Hint: "write listen.public and public_url into the configuration, and restart rotad"}
	}
	if _, ok := cfg.Owners[c.Owner]; !ok {
		return admin.Reply{}, &admin.Error{Class: admin.ClassNotFound, Why: fmt.Sprintf("there is no owner %q", c.Owner), Hint: "see owners: in the configuration"}
	}
	key, err := publicKey(cfg)
	if err != nil {
		return admin.Reply{}, err
	}
	read := a.feeds.Feed
	if c.Revoke {
		read = a.feeds.ChangeFeed
	}
	generation, err := read(ctx, c.Owner)
	if err != nil {
		return admin.Reply{}, err
	}
	if c.Revoke {
		a.log.Info("the calendar feed of an owner has another address now", "owner", c.Owner, "actor", c.Actor)
	}
	address, err := answer.FeedURL(cfg.PublicURL, key, c.Owner, generation)
	return admin.Reply{Address: address}, err
}

// feeds are the calendars of owners, out of the state.
type feeds struct{ d *daemon }

// Generation implements answer.Feed.
func (f feeds) Generation(ctx context.Context, owner string) (uint64, error) {
	return f.d.store.Feed(ctx, owner)
}

// Tag implements answer.Feed. It reads all clients and renders none.
func (f feeds) Tag(ctx context.Context, owner string) (string, error) {
	if _, ok := f.d.config().Owners[owner]; !ok {
		return "", answer.ErrNobody
	}
	feed := f.of(owner)
	sum := sha256.New()
	version, from := buildVersion()
	_, _ = fmt.Fprintf(sum, "%s %s\n%s\n", version, from, feed.Shape())
	err := f.each(ctx, func(rec *credential.Record) error {
		_, _ = sum.Write(feed.Mark(rec))
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)[:16]), err
}

// Write implements answer.Feed. An event that cannot be written costs that event and never the calendar.
func (f feeds) Write(ctx context.Context, owner string, w io.Writer) error {
	feed := f.of(owner)
	if _, err := w.Write(feed.Begin()); err != nil {
		return err
	}
	err := f.each(ctx, func(rec *credential.Record) error {
		event, err := feed.Event(rec)
		if err != nil {
			f.d.log.Warn("an event is left out of a calendar feed", "client", rec.Client.ID, "error", err)
			return nil
		}
		_, err = w.Write(event)
		return err
	})
	if err != nil {
		return err
	}
	_, err = w.Write(feed.End())
	return err
}

func (f feeds) of(owner string) notify.Feed {
	contact, _ := newDirectory(f.d.config()).Owner(owner)
	return f.d.renderer.Load().Feed(owner, contact.Zone, contact.Language)
}

// each shows every client, a page at a time: a page is what is held of them at most, and each is a short reading of its own.
func (f feeds) each(ctx context.Context, show func(*credential.Record) error) error {
	for after, more := "", true; more; {
		page, err := f.d.store.List(ctx, after, 0)
		if err != nil {
			return err
		}
		for i := range page {
			if err := show(&page[i]); err != nil {
				return err
			}
			after = page[i].Client.ID
		}
		more = len(page) == state.PageSize
	}
	return nil
}
