package metrics_test

import (
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
)

const day = 24 * time.Hour

// noon is the moment of most tests: 1767268800 in Unix seconds.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

var errDisk = errors.New("the disk is gone")

// source is a store that answers what a test says.
type source struct {
	totals  metrics.Totals
	expired int
	soon    []int
	records []credential.Record
	due     time.Time
	broken  bool
	asked   atomic.Int64 // the last n of MostUrgent
}

func (s *source) Totals() metrics.Totals { return s.totals }

func (s *source) Expiring(_ time.Time, within ...time.Duration) (int, []int, error) {
	if s.broken {
		return 0, nil, errDisk
	}
	if s.soon == nil {
		return s.expired, make([]int, len(within)), nil
	}
	return s.expired, s.soon, nil
}

func (s *source) MostUrgent(n int) iter.Seq2[credential.Record, error] {
	return func(yield func(credential.Record, error) bool) {
		s.asked.Store(int64(n))
		if s.broken {
			yield(credential.Record{}, errDisk)
			return
		}
		for _, rec := range s.records {
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func (s *source) OldestDue() (time.Time, bool, error) {
	if s.broken {
		return time.Time{}, false, errDisk
	}
	return s.due, !s.due.IsZero(), nil
}

// bench is a Metrics with its registry and its clocks.
type bench struct {
	*metrics.Metrics
	registry *prometheus.Registry
	now      time.Time
	elapsed  time.Duration
}

func newBench(s *source, set ...func(*metrics.Options)) *bench {
	b := &bench{registry: prometheus.NewPedanticRegistry(), now: noon}
	o := metrics.Options{
		Now: func() time.Time { return b.now }, Elapsed: func() time.Duration { return b.elapsed }, ClientSeries: 1000,
	}
	for _, f := range set {
		f(&o)
	}
	b.Metrics = metrics.New(b.registry, s, o)
	return b
}

// scrape returns what /metrics says. A scrape that could not read everything fails the test.
func (b *bench) scrape(t *testing.T) string {
	t.Helper()
	answer := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	promhttp.HandlerFor(b.registry, promhttp.HandlerOpts{}).ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		t.Fatalf("the scrape answers %d: %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// shows compares the samples of some metrics, named without their prefix, with the lines of a text.
func (b *bench) shows(t *testing.T, text string, names ...string) {
	t.Helper()
	got, want := samples(b.scrape(t), names), samples(text, names)
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if text != "" && want == "" {
		t.Errorf("no line of the text is about %v", names)
	}
}

// samples keeps the lines about the named metrics, without prefix.
func samples(text string, names []string) string {
	var kept []string
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "rotad_")
		if i := strings.IndexAny(line, "{ "); i > 0 && slices.Contains(names, line[:i]) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// registered returns a client of one provider and owner.
func registered(id string, change ...func(*credential.Record)) credential.Record {
	rec := credential.Record{Client: credential.Client{ID: id, Provider: "corp", Owner: "payments"}}
	for _, f := range change {
		f(&rec)
	}
	return rec
}

func expires(at time.Time) func(*credential.Record) {
	return func(r *credential.Record) { r.Current.Expires = at }
}

func rotating(r credential.Rotation) func(*credential.Record) {
	return func(rec *credential.Record) { rec.Rotation = &r }
}
