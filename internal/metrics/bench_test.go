package metrics_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
)

// BenchmarkScrape is a scrape of 10,000 clients with series of their own, the store's share not counted.
func BenchmarkScrape(b *testing.B) {
	bench := newBench(&source{records: crowd(10_000)}, func(o *metrics.Options) {
		o.ClientSeries = 10_000
		o.NextAction = func(credential.Record) (string, time.Time) { return "rotate", noon }
	})
	h := metrics.Handler(bench.registry, metrics.Health{Silence: silent(0)})
	request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", nil)
	b.ReportAllocs()
	for b.Loop() {
		answer := &discard{header: http.Header{}}
		h.ServeHTTP(answer, request)
		b.SetBytes(answer.written)
	}
}

// discard is an answer that nobody reads.
type discard struct {
	header  http.Header
	written int64
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(p []byte) (int, error) {
	d.written += int64(len(p))
	return io.Discard.Write(p)
}
