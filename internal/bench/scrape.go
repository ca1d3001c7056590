package main

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/state/bolt"
)

const (
	seriesClients = 50_000 // each has two series: when its secret ends, and what is decided next
	cappedClients = 1000   // the limit of series where the large file is measured against the small one
)

// scrapePart asks for /metrics as Prometheus does, compressed, and lets the answers go. It runs on the large file after
// every client of it has been looked at, so that all have an expiry.
//
// The bare side is a program with client_golang alone that keeps 100,000 gauges with the same names, labels and values in
// memory, and updates none of them; ours reads the clients from the state file at each scrape. The other pair is ours on
// both sides: with the limit of series in force, the number of clients has to cost nothing.
func scrapePart(ctx context.Context, s settings) (result, error) {
	large, err := bolt.Open(s.state(), bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = large.Close() }()
	small, err := bolt.Open(s.small(), bolt.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = small.Close() }()
	if err = lookAtAll(ctx, small, smallClients); err != nil {
		return nil, err
	}
	bare, err := bareSeries(ctx, large)
	if err != nil {
		return nil, err
	}
	sides := map[string]http.Handler{
		"ours_ms": page(large, seriesClients), "bare_ms": promhttp.HandlerFor(bare, promhttp.HandlerOpts{}),
		"large_ms": page(large, cappedClients), "small_ms": page(small, cappedClients),
	}
	took := map[string][]float64{}
	for range 2*s.rounds + 1 {
		for name, side := range sides {
			runtime.GC()
			d, err := scrape(ctx, side)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			took[name] = append(took[name], float64(d.Microseconds())/1000)
		}
	}
	r := result{}
	for name, list := range took {
		r[name] = median(list)
	}
	return r, nil
}

// lookAtAll lets the daemon's loop look at each client once.
func lookAtAll(ctx context.Context, store *bolt.Store, clients int64) error {
	c, w := newClock(), newWatch()
	w.goal.Store(clients)
	return running(ctx, newScheduler(store, c, quiet{c}, quietTiming(), quiet{c}, w), func() error {
		<-w.reached
		return nil
	})
}

// page is rotad's own handler over a store, with a limit of series.
func page(store *bolt.Store, limit int) http.Handler {
	c, registry := newClock(), prometheus.NewRegistry()
	m := metrics.New(registry, stored{store}, metrics.Options{Now: c.now, Elapsed: c.elapsed, ClientSeries: limit, NextAction: nextAction})
	return metrics.Handler(registry, metrics.Health{Silence: m.Silence})
}

func nextAction(rec credential.Record) (action string, at time.Time) {
	at, _ = rotation.Planned(rec, policy(), credential.Always{})
	return "rotate", at
}

// stored is a store as the metrics read it.
type stored struct{ *bolt.Store }

// Totals returns the counters that commits keep.
func (s stored) Totals() metrics.Totals {
	all := s.Aggregates()
	t := metrics.Totals{Clients: map[metrics.Group]int{}, Holds: all.Holds, Outbox: all.Outbox, WithoutExpiry: all.WithoutExpiry}
	for watch, n := range all.Clients {
		t.Clients[metrics.Group{Provider: watch.Provider, Mode: watch.Mode}] = n
	}
	return t
}

// Expiring counts what expires soon.
func (s stored) Expiring(now time.Time, within ...time.Duration) (expired int, soon []int, err error) {
	return s.Store.Expiring(context.Background(), now, within...)
}

// MostUrgent returns what expires soonest.
func (s stored) MostUrgent(n int) iter.Seq2[credential.Record, error] {
	return s.Store.MostUrgent(context.Background(), n)
}

// OldestDue returns the head of the due index.
func (s stored) OldestDue() (time.Time, bool, error) {
	return s.NextDue(context.Background(), provider)
}

// bareSeries are gauges with the series that rotad shows for the most urgent clients.
func bareSeries(ctx context.Context, store *bolt.Store) (*prometheus.Registry, error) {
	expiry := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "rotad_secret_expiry_timestamp_seconds", Help: "When a secret stops working."},
		[]string{"client", "provider", "owner", "slot"})
	action := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "rotad_next_action_timestamp_seconds", Help: "What is decided next, and when."},
		[]string{"client", "action"})
	for rec, err := range store.MostUrgent(ctx, seriesClients) {
		if err != nil {
			return nil, err
		}
		if rec.Current.Expires.IsZero() {
			return nil, fmt.Errorf("nobody has looked at client %s yet", rec.Client.ID)
		}
		expiry.WithLabelValues(rec.Client.ID, rec.Client.Provider, rec.Client.Owner, "current").Set(float64(rec.Current.Expires.Unix()))
		what, at := nextAction(rec)
		action.WithLabelValues(rec.Client.ID, what).Set(float64(at.Unix()))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(expiry, action)
	return registry, nil
}

// scrape asks once, as Prometheus 3 does.
func scrape(ctx context.Context, side http.Handler) (time.Duration, error) {
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	request.Header.Set("Accept-Encoding", "gzip")
	answer := &counted{header: http.Header{}, status: http.StatusOK}
	began := time.Now()
	side.ServeHTTP(answer, request)
	took := time.Since(began)
	if answer.status != http.StatusOK || answer.written == 0 {
		return 0, fmt.Errorf("a scrape got status %d and %d bytes", answer.status, answer.written)
	}
	return took, nil
}

// counted is an answer that nobody reads.
type counted struct {
	header  http.Header
	status  int
	written int
}

func (c *counted) Header() http.Header    { return c.header }
func (c *counted) WriteHeader(status int) { c.status = status }
func (c *counted) Write(p []byte) (int, error) {
	c.written += len(p)
	return len(p), nil
}
