package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/handshake"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/scheduler"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

const (
	spokenFor    = 10_000 // clients
	consumersOf  = 5      // each
	handshakeKey = "a-key-of-more-than-thirty-two-characters"
)

// handshakesPart lets each of five consumers of 10,000 clients say a version that it did not run on before, round after
// round, as many at once as the listener takes: token, body, decision, and a commit with an entry of the audit, while the
// daemon's loop runs and is woken as the daemon wakes it. No network is in between. The bare side writes the same record,
// entry and watermark by as many calls of bbolt.Batch from as many goroutines; its values are ready before its clock starts.
//
// Then all say the same once more, which writes nothing.
func handshakesPart(ctx context.Context, s settings) (result, error) {
	store, err := bolt.Open(filepath.Join(s.dir, "handshakes.db"), bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	bare, err := openBare(filepath.Join(s.dir, "bare-handshakes.db"), "record", "audit", "meta")
	if err != nil {
		return nil, err
	}
	defer func() { _ = bare.Close() }()
	h := &handshakes{store: store, bare: bare, clock: newClock()}
	if err = register(ctx, store, spokenFor, h.client, h.clock.now()); err != nil {
		return nil, err
	}
	w := newWatch()
	w.goal.Store(spokenFor)
	h.scheduler = newScheduler(store, h.clock, quiet{h.clock}, quietTiming(), quiet{h.clock}, w)
	var r result
	err = running(ctx, h.scheduler, func() (err error) {
		<-w.reached
		idle(ctx, store, h.scheduler, h.clock)
		r, err = h.measure(ctx, s.rounds)
		return err
	})
	return r, err
}

// handshakes are both sides.
type handshakes struct {
	store     *bolt.Store
	bare      *bbolt.DB
	clock     *clock
	scheduler *scheduler.Scheduler
	written   []statementPairs // of the round that was learnt
	learnt    bool
	commits   atomic.Int64
}

// statementPairs are what the commit of one statement writes.
type statementPairs struct{ id, record, entry []byte }

func (h *handshakes) client(i int) credential.Client {
	c := client(i)
	for n := range consumersOf {
		c.Consumers = append(c.Consumers, credential.NamedConsumer{Name: consumerName(n)})
	}
	return c
}

func consumerName(n int) string { return "consumer-" + strconv.Itoa(n) }

// handshakeRounds is how often both sides are measured: 50,000 waits for the disk in groups take their time.
const handshakeRounds = 3

// measure lets all speak once for the memory, before the bare side's values lie in it, and once to learn those; then both sides
// have their rounds.
func (h *handshakes) measure(ctx context.Context, rounds int) (result, error) {
	const all = spokenFor * consumersOf
	var ours, theirs []float64
	if _, err := h.round(ctx, 1); err != nil {
		return nil, err
	}
	anon := anonymous()
	h.commits.Store(0)
	h.written = make([]statementPairs, all)
	if _, err := h.round(ctx, 2); err != nil {
		return nil, err
	}
	h.learnt = true
	for n := range min(rounds, handshakeRounds) {
		h.commits.Store(0)
		took, err := h.round(ctx, 3-n%2)
		if err == nil && h.commits.Load() != all {
			err = fmt.Errorf("%d statements came to %d commits", all, h.commits.Load())
		}
		if err != nil {
			return nil, err
		}
		alone, err := h.alone(n)
		if err != nil {
			return nil, err
		}
		ours, theirs = append(ours, all/took.Seconds()), append(theirs, all/alone.Seconds())
	}
	h.commits.Store(0)
	again, err := h.round(ctx, 3-(min(rounds, handshakeRounds)-1)%2)
	if err == nil && h.commits.Load() != 0 {
		err = errors.New("a statement that says nothing new was written")
	}
	return result{
		"ours_per_s": median(ours), "bare_per_s": median(theirs), "again_per_s": all / again.Seconds(),
		"anon_mib": anon,
	}, err
}

// round lets every consumer say a version.
func (h *handshakes) round(ctx context.Context, version int) (time.Duration, error) {
	server := &handshake.Server{
		Key: func() (string, error) { return handshakeKey, nil }, Log: slog.New(slog.DiscardHandler), Moved: h.moved,
	}
	handler, body := server.Handler(), `{"version": `+strconv.Itoa(version)+`}`
	tokens, err := allTokens()
	if err != nil {
		return 0, err
	}
	var next atomic.Int64
	began := time.Now()
	err = together(func() error {
		for i := int(next.Add(1)) - 1; i < len(tokens); i = int(next.Add(1)) - 1 {
			path := "/v1/clients/" + clientID(i/consumersOf) + "/consumers/" + consumerName(i%consumersOf)
			request := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(body))
			request.Header.Set("Authorization", "Bearer "+tokens[i])
			answer := &counted{header: http.Header{}, status: http.StatusOK}
			if handler.ServeHTTP(answer, request); answer.status != http.StatusOK {
				return fmt.Errorf("a statement got status %d", answer.status)
			}
		}
		return nil
	})
	return time.Since(began), err
}

func allTokens() ([]string, error) {
	all := make([]string, 0, spokenFor*consumersOf)
	for i := range spokenFor * consumersOf {
		token, err := handshake.Token(credential.NewSensitive(handshakeKey), clientID(i/consumersOf), consumerName(i%consumersOf))
		if err != nil {
			return nil, err
		}
		all = append(all, token.Reveal())
	}
	return all, nil
}

// moved does what the daemon does with a statement.
func (h *handshakes) moved(ctx context.Context, client, consumer string, version int) error {
	rec, ok, err := h.store.Get(ctx, client)
	if err != nil || !ok {
		return fmt.Errorf("client %s: there %t, %w", client, ok, err)
	}
	if rotation.SaidLately(&rec, consumer, version, h.clock.now()) {
		return nil
	}
	for {
		d, err := rotation.RunsOn(consumer, version)(rec, rotation.Person{Name: "consumer:" + consumer}, h.scheduler.Env(rec))
		if err != nil {
			return err
		}
		change := credential.Change{Record: d.Record, Notices: d.Notices, Audit: d.Audit, Keep: true}
		committed, conflict, err := h.store.Commit(ctx, change)
		if err != nil {
			return err
		}
		if !conflict {
			h.scheduler.Wake()
			return h.learn(h.commits.Add(1)-1, change)
		}
		rec = committed
	}
}

// learn keeps the pairs of a commit.
func (h *handshakes) learn(n int64, c credential.Change) error {
	if h.written == nil || h.learnt {
		return nil
	}
	if len(c.Audit) != 1 || len(c.Notices) != 0 {
		return fmt.Errorf("a statement wrote %d entries and %d notices", len(c.Audit), len(c.Notices))
	}
	record, err := state.Encode(&c.Record)
	entry, failed := state.Encode(&c.Audit[0])
	id := c.Record.Client.ID
	h.written[n] = statementPairs{[]byte(id), state.Seal(id, make([]byte, 8), record), state.Seal("audit", make([]byte, 40), entry)}
	return errors.Join(err, failed)
}

// alone writes the pairs of all statements, one call of Batch each. Entries are new in every round.
func (h *handshakes) alone(round int) (time.Duration, error) {
	watermark := state.Seal("watermark", make([]byte, 8))
	var next atomic.Int64
	began := time.Now()
	err := together(func() error {
		for i := int(next.Add(1)) - 1; i < len(h.written); i = int(next.Add(1)) - 1 {
			p, key := h.written[i], binary.BigEndian.AppendUint64(nil, uint64(round*len(h.written)+i)) //nolint:gosec // small
			if err := h.bare.Batch(func(tx *bbolt.Tx) error {
				return errors.Join(
					tx.Bucket([]byte("record")).Put(p.id, p.record), tx.Bucket([]byte("audit")).Put(key, p.entry),
					tx.Bucket([]byte("meta")).Put([]byte("watermark"), watermark))
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return time.Since(began), err
}
