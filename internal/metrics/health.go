package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// DefaultSilence is how long the loop may be silent before the process counts as dead. The loop turns every 15 seconds
// even when nothing is due.
const DefaultSilence = time.Minute

// Health says whether the process lives and whether it can do its work. A process that is not alive should be started
// again; one that is not ready should be left alone, because it is Vault or the configuration that has to change.
type Health struct {
	Silence func() time.Duration // since the loop's last turn: Metrics.Silence
	Limit   time.Duration        // the longest silence of a live process; 0 = DefaultSilence
	Ready   []Check              // each has to pass
	Log     *slog.Logger         // nil = what a scrape could not read is not logged
}

// Check is one thing that has to be true before rotad is ready. Ask returns why it is not, for people; it must answer at
// once, from memory, and its text must hold no secret.
type Check struct {
	Name string
	Ask  func(ctx context.Context) error
}

// Alive says whether the loop turns.
func (h Health) Alive() bool { return h.Silence() <= h.limit() }

func (h Health) limit() time.Duration {
	if h.Limit == 0 {
		return DefaultSilence
	}
	return h.Limit
}

// Report is the body of /healthz and /readyz, as JSON.
type Report struct {
	Status   string    `json:"status"`             // "ok", or what it is not: "not alive", "not ready"
	Problems []Problem `json:"problems,omitempty"` // one for each check that did not pass
}

// Problem is a check that did not pass.
type Problem struct {
	Check   string `json:"check"`
	Problem string `json:"problem"`
}

func (h Health) alive(context.Context) Report {
	if h.Alive() {
		return Report{Status: "ok"}
	}
	silent := fmt.Sprintf("the loop last turned %s ago", h.Silence().Round(time.Second))
	return Report{Status: "not alive", Problems: []Problem{{Check: "loop", Problem: silent}}}
}

func (h Health) ready(ctx context.Context) Report {
	report := Report{Status: "ok"}
	for _, check := range h.Ready {
		if err := check.Ask(ctx); err != nil {
			report.Status = "not ready"
			report.Problems = append(report.Problems, Problem{Check: check.Name, Problem: err.Error()})
		}
	}
	return report
}

// scrapesAtOnce bounds the requests that wait for one collection.
const scrapesAtOnce = 16

// Handler serves /metrics, /healthz and /readyz. The last two answer 200, or 503 with a Report that says what is wrong.
func Handler(g prometheus.Gatherer, h Health) http.Handler {
	options := promhttp.HandlerOpts{
		// What could not be read is left out; a monitor that goes blind altogether would hide the rest.
		ErrorHandling: promhttp.ContinueOnError,
		// A second scraper shares the collection under way instead of starting another one.
		CoalesceGather:      true,
		MaxRequestsInFlight: scrapesAtOnce,
	}
	if h.Log != nil {
		options.ErrorLog = scrapeLog{h.Log}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g, options))
	mux.HandleFunc("GET /healthz", answer(h.alive))
	mux.HandleFunc("GET /readyz", answer(h.ready))
	return mux
}

func answer(ask func(context.Context) Report) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		report := ask(r.Context())
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if report.Status != "ok" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(report) // whoever asked has gone
	}
}

// scrapeLog logs what a scrape could not read.
type scrapeLog struct{ log *slog.Logger }

// Println is promhttp.Logger.
func (l scrapeLog) Println(v ...any) {
	l.log.Warn("a scrape left out what it could not read", "error", fmt.Sprint(v...))
}
