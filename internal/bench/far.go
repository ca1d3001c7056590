package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/state/bolt"
)

const (
	farMails = 1000 // in a round
	// farAway is how long a question and its answer take together on the way to the far server.
	farAway = 20 * time.Millisecond
	// journeys is how often a mail waits for that: once for its envelope, which goes in one piece (RFC 2920), once for itself.
	journeys = 2
)

// farPart tells 1,000 owners over a line that holds every answer back for 20 ms, as mailsPart does over none. The other side needs
// no measuring: so many connections, each of which does nothing but wait for its server, hand over that many mails in a second.
func farPart(ctx context.Context, s settings) (result, error) {
	store, err := bolt.Open(filepath.Join(s.dir, "far.db"), bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	p, err := newPost(store, s, s.far, farMails)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := register(ctx, store, farMails, client, time.Now()); err != nil {
		return nil, err
	}
	var ours []time.Duration
	for round := range min(s.rounds, 3) {
		if err := p.decide(ctx, round); err != nil {
			return nil, err
		}
		took, err := p.send(ctx)
		if err != nil {
			return nil, err
		}
		ours = append(ours, took)
	}
	waiting := notify.DefaultKeep / (journeys * farAway.Seconds())
	return result{"ours_per_s": farMails / median(ours).Seconds(), "waiting_per_s": waiting}, nil
}

func reportFar(ctx context.Context, s settings, r *report) error {
	m, err := spawn(ctx, s, "mails-far", r.log)
	if err != nil {
		return err
	}
	r.atLeast("mails-20ms", m["ours_per_s"]/m["waiting_per_s"], 0.9)
	return nil
}
