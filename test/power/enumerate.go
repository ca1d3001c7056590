package power

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/rotad/rotad/state"
)

// Counts are what an enumeration has seen.
type Counts struct {
	Barriers int // fsyncs with something to lose
	Images   int
	Opened   int
	Absent   int // the file is not there yet
	Refused  int
	Older    int // beyond the law only: opened, and holds what was acknowledged before the commit
	Mixed    int // beyond the law only: opened and sound, and holds neither the one nor the other
	Unsound  int // beyond the law only: opened, and only the full check finds what is wrong
}

// Add adds other counts.
func (c *Counts) Add(o Counts) {
	c.Barriers += o.Barriers
	c.Images += o.Images
	c.Opened += o.Opened
	c.Absent += o.Absent
	c.Refused += o.Refused
	c.Older += o.Older
	c.Mixed += o.Mixed
	c.Unsound += o.Unsound
}

// Ack is something that rotad has told the world: from a position of the log on it has to be in every image.
type Ack struct {
	At   int // operations before it
	ID   string
	Rev  uint64
	Gone bool // the client is archived
}

// Enumeration judges the images that cuts may leave of a recorded log.
type Enumeration struct {
	Name    string // of the file
	Random  int    // subsets per barrier
	Most    int    // single drops and tears per barrier: a commit has few, the copy of a whole file has thousands
	Every   int    // take the single drops and tears of every so many-th barrier only; 0 = of each
	Lies    bool   // also what a disk leaves that lies about its fsyncs
	Seed    uint64
	Dir     func() string // makes a directory for a worker's images
	Workers int
	Acks    []Ack
	Image   func(v *Volume, dir string) error // asked of every legal image; nil = nothing more is asked

	mu     sync.Mutex
	counts Counts
	errs   []error
	lies   Counts
	revs   map[Sum]map[string]uint64
}

// image is one to be judged, and what it may hold.
type image struct {
	volume *Volume
	legal  []Sum // before and after
	lie    bool  // beyond the law
	what   string
	at     int
}

// Run walks the log and judges every image. The errors say what broke, each with its place in the log.
func (e *Enumeration) Run(ctx context.Context, from *Volume, log []Op) (legal, beyond Counts, err error) {
	e.revs = map[Sum]map[string]uint64{}
	images := make(chan image, 64)
	var workers sync.WaitGroup
	for range max(1, e.Workers) {
		dir := e.Dir()
		workers.Go(func() {
			for i := range images {
				e.judge(ctx, i, dir)
			}
		})
	}
	err = e.walk(ctx, from, log, e.Dir(), images)
	close(images)
	workers.Wait()
	return e.counts, e.lies, errors.Join(append(e.errs, err)...)
}

const maxErrors = 5

func (e *Enumeration) fail(i image, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.errs) < maxErrors {
		e.errs = append(e.errs, fmt.Errorf("operation %d, %s: %w", i.at, i.what, err))
	}
}

// walk follows the log and sends the images of each of its places.
func (e *Enumeration) walk(ctx context.Context, from *Volume, log []Op, dir string, images chan<- image) error {
	durable, pending := from.Clone(), []Op(nil)
	before, err := e.floor(ctx, durable, dir)
	if err != nil {
		return fmt.Errorf("the disk before the first operation: %w", err)
	}
	last, number := commit{durable: durable.Clone()}, 0
	for at, op := range log {
		then, had := durable, pending
		if op.Kind >= Sync {
			then = durable.Clone()
		}
		durable, pending = settle(durable, pending, op)
		if op.Kind < Sync || len(pending) == len(had) { // nothing was at stake
			continue
		}
		after, err := e.floor(ctx, durable, dir)
		if err != nil {
			return fmt.Errorf("operation %d, all of it: %w", at, err)
		}
		if err := e.acknowledged(ctx, before, then, at, dir); err != nil {
			return err
		}
		e.send(stop{durable: then, pending: had, at: at, legal: []Sum{before, after}, number: number}, images)
		number++
		e.count(Counts{Barriers: 1})
		last.ops = append(last.ops, had...)
		if after != before {
			e.lie(last, at, []Sum{before, after}, images)
			last = commit{durable: durable.Clone()}
		}
		before = after
	}
	return e.acknowledged(ctx, before, durable, len(log), dir)
}

// stop is a barrier, right before it takes effect.
type stop struct {
	durable *Volume
	pending []Op
	at      int
	legal   []Sum
	number  int
	lie     bool // the barrier took no effect although it said so
}

// commit is what was fsynced since the state was another one.
type commit struct {
	durable *Volume
	ops     []Op
}

// lie makes the images of a disk that says that it has written and has not: each piece of a commit lost, or torn.
func (e *Enumeration) lie(c commit, at int, legal []Sum, images chan<- image) {
	if !e.Lies {
		return
	}
	e.singles(stop{durable: c.durable, pending: c.ops, at: at, legal: legal, lie: true}, images)
}

func (e *Enumeration) count(c Counts) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts.Add(c)
}

// floor returns what the disk holds for certain after a barrier.
func (e *Enumeration) floor(ctx context.Context, v *Volume, dir string) (Sum, error) {
	verdict, err := Judge(ctx, v, e.Name, dir)
	return verdict.Sum, errors.Join(err, verdict.Refused)
}

// acknowledged compares what rotad has told the world before a barrier with what was durable then.
func (e *Enumeration) acknowledged(ctx context.Context, sum Sum, v *Volume, at int, dir string) error {
	if len(e.Acks) == 0 {
		return nil
	}
	revs := e.revs[sum]
	if revs == nil {
		known, err := Read(ctx, v, e.Name, dir)
		if err != nil {
			return err
		}
		revs = map[string]uint64{}
		for id, r := range known.Records {
			revs[id] = r.Rev
		}
		e.revs[sum] = revs
	}
	for ; len(e.Acks) > 0 && e.Acks[0].At <= at; e.Acks = e.Acks[1:] {
		ack := e.Acks[0]
		rev, there := revs[ack.ID]
		left := !ack.Gone && slices.ContainsFunc(e.Acks, func(later Ack) bool { return later.Gone && later.ID == ack.ID })
		if there && ack.Gone || !there && !ack.Gone && !left || there && rev < ack.Rev {
			return fmt.Errorf("operation %d: %s is durable at revision %d (%t), and %d was shown before", at, ack.ID, rev, there, ack.Rev)
		}
	}
	return nil
}

// send makes the images of what is pending before a barrier.
func (e *Enumeration) send(s stop, images chan<- image) {
	random := rand.New(rand.NewPCG(e.Seed, uint64(s.at)))
	for _, n := range e.some(len(s.pending), random) { // every prefix; the whole of it is the next floor
		images <- image{Survive(s.durable, s.pending[:n], all(n)), s.legal, false, fmt.Sprintf("the first %d of %d", n, len(s.pending)), s.at}
	}
	if e.Every < 2 || s.number%e.Every == 0 {
		e.singles(s, images)
	}
	for range e.Random {
		pieces := Pieces(s.pending, Grain(random))
		keep := Chance(random, len(pieces))
		images <- image{Survive(s.durable, pieces, keep), s.legal, false, fmt.Sprintf("a random subset of %d", len(pieces)), s.at}
	}
}

// singles drops and tears every piece once. A tear keeps the head of a page, or its tail.
func (e *Enumeration) singles(s stop, images chan<- image) {
	pieces := Pieces(s.pending, Page)
	random := rand.New(rand.NewPCG(e.Seed, ^uint64(s.at)))
	for _, i := range e.some(len(pieces), random) {
		piece, keep := pieces[i], all(len(pieces))
		keep[i] = false
		images <- image{Survive(s.durable, pieces, keep), s.legal, s.lie, fmt.Sprintf("without piece %d of %d", i, len(pieces)), s.at}
		if piece.Kind != Write || len(piece.Data) <= Sector {
			continue
		}
		for _, torn := range tears(piece, random) {
			with := append([]Op(nil), pieces...)
			with[i] = torn
			images <- image{Survive(s.durable, with, all(len(with))), s.legal, s.lie, fmt.Sprintf("with piece %d of %d torn", i, len(pieces)), s.at}
		}
	}
}

// some picks what is dropped and torn one by one between two barriers.
func (e *Enumeration) some(n int, random *rand.Rand) []int { return random.Perm(n)[:min(n, e.Most)] }

// tears returns the head and the tail of a page, cut at a sector.
func tears(op Op, random *rand.Rand) [2]Op {
	cut := Sector * (1 + random.IntN((len(op.Data)-1)/Sector))
	head, tail := op, op
	head.Data = op.Data[:cut]
	tail.At, tail.Data = op.At+int64(cut), op.Data[cut:]
	return [2]Op{head, tail}
}

func all(n int) []bool {
	keep := make([]bool, n)
	for i := range keep {
		keep[i] = true
	}
	return keep
}

// judge judges one image.
func (e *Enumeration) judge(ctx context.Context, i image, dir string) {
	verdict, err := Judge(ctx, i.volume, e.Name, dir)
	if i.lie {
		e.beyond(i, verdict, err)
		return
	}
	if err == nil && e.Image != nil {
		err = e.Image(i.volume, dir)
	}
	c := Counts{Images: 1}
	switch {
	case err != nil:
		e.fail(i, err)
	case verdict.Refused != nil:
		c.Refused++
		e.fail(i, fmt.Errorf("refused, although a disk that honours fsync may leave it: %w", verdict.Refused))
	case verdict.Sum != i.legal[0] && verdict.Sum != i.legal[1]:
		e.fail(i, errors.New("it holds neither what was acknowledged nor that and the commit under way"))
	case verdict.Sum == Sum{}:
		c.Absent++
	default:
		c.Opened++
	}
	e.count(c)
}

// beyond counts what became of an image that only a disk that lies can leave.
func (e *Enumeration) beyond(i image, verdict Verdict, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lies.Images++
	switch {
	case errors.Is(err, state.ErrCorrupt) && verdict.Refused == nil:
		e.lies.Unsound++
	case err != nil && len(e.errs) < maxErrors:
		e.errs = append(e.errs, fmt.Errorf("operation %d, %s, by a disk that lies: %w", i.at, i.what, err))
	case verdict.Refused != nil:
		e.lies.Refused++
	case verdict.Sum == i.legal[0]:
		e.lies.Older++
	case verdict.Sum != i.legal[1]:
		e.lies.Mixed++
	default:
		e.lies.Opened++
	}
}
