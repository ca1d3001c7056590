package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/rotad/rotad/internal/credential"
)

// Options say what Metrics is made of. Now and Elapsed are required.
type Options struct {
	Now     func() time.Time     // the wall clock
	Elapsed func() time.Duration // the monotonic clock

	Build Build
	// ClientSeries is the number of clients that get series of their own, the most urgent first; 0 = none.
	ClientSeries int
	// NextAction says what will be decided next about a client, and when; an empty action or a zero time = nothing. It
	// may be nil.
	NextAction func(credential.Record) (action string, at time.Time)
	// TokenExpires says when rotad's own token in Vault ends; zero = never. A moment in the past means that there is no
	// token that works. It may be nil.
	TokenExpires func() time.Time
	// Failing says for how long each channel has taken no notice; one that works is absent. It may be nil.
	Failing func() map[string]time.Duration

	// The following are sets of label values that are known beforehand. Each series of theirs is there from the start,
	// with 0, so that the first event is seen as a rise.

	Channels       []string // of notices
	NoticeOutcomes []string
	Refusals       []string // reasons that Refused is called with
	Invariants     []string // names that Violation is called with
}

// Build says which program this is.
type Build struct {
	Version   string
	Commit    string
	GoVersion string
}

// Metrics counts what happens, and remembers the few moments that no store keeps. All methods may be called by several
// goroutines at once, and none of them waits for I/O.
type Metrics struct {
	options Options
	signs   signs
	steps   steps

	rotations  *prometheus.CounterVec
	step       *prometheus.HistogramVec
	up         *prometheus.GaugeVec
	requests   *prometheus.CounterVec
	request    *prometheus.HistogramVec
	lag        prometheus.Histogram
	notices    *prometheus.CounterVec
	delay      prometheus.Histogram
	answers    *prometheus.CounterVec
	refused    *prometheus.CounterVec
	violations *prometheus.CounterVec
}

// New registers all metrics of rotad. It panics if some are registered already, as registering does.
func New(r prometheus.Registerer, source Source, o Options) *Metrics {
	m := &Metrics{options: o}
	m.signs.begin(o.Elapsed())
	m.count(promauto.With(r))
	m.measure(promauto.With(r))
	m.prefill()
	r.MustRegister(newCollector(source, &m.signs, o))
	return m
}

// count makes the counters, and the gauge that is set where things happen.
func (m *Metrics) count(f promauto.Factory) {
	m.rotations = f.NewCounterVec(prometheus.CounterOpts{
		Name: "rotad_rotations_total",
		Help: "Finished rotations, by how they ended.",
	}, []string{"provider", "outcome"})
	m.requests = f.NewCounterVec(prometheus.CounterOpts{
		Name: "rotad_provider_requests_total",
		Help: "Calls to a provider, by how they ended: ok, the answer of a verification, or the class of the error.",
	}, []string{"provider", "operation", "outcome"})
	m.up = f.NewGaugeVec(prometheus.GaugeOpts{
		Name: "rotad_provider_up",
		Help: "Whether the last call to a provider got an answer.",
	}, []string{"provider"})
	m.notices = f.NewCounterVec(prometheus.CounterOpts{
		Name: "rotad_notices_total",
		Help: "Attempts to tell people something, by channel, kind of notice and outcome.",
	}, []string{"channel", "kind", "outcome"})
	m.answers = f.NewCounterVec(prometheus.CounterOpts{
		Name: "rotad_answers_total",
		Help: "Answers of people to notices, by what they said and over which way.",
	}, []string{"verb", "way"})
	m.refused = f.NewCounterVec(prometheus.CounterOpts{
		Name: "rotad_answers_refused_total",
		Help: "Requests of the listener for people that were refused, by reason.",
	}, []string{"reason"})
	m.violations = f.NewCounterVec(prometheus.CounterOpts{
		Name: "rotad_invariant_violations_total",
		Help: "How often something was not true that must be true at every moment.",
	}, []string{"invariant"})
}

// measure makes the histograms.
func (m *Metrics) measure(f promauto.Factory) {
	m.step = f.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "rotad_rotation_step_duration_seconds",
		Help:    "How long a rotation stayed in a phase.",
		Buckets: stepBuckets(),
	}, []string{"step"})
	m.request = f.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "rotad_provider_request_duration_seconds",
		Help:    "How long a provider took for a call, waiting for rotad's own limits not counted.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"provider", "operation"})
	m.lag = f.NewHistogram(prometheus.HistogramOpts{
		Name:    "rotad_decision_lag_seconds",
		Help:    "How late a client was taken up after it fell due.",
		Buckets: lagBuckets(),
	})
	m.delay = f.NewHistogram(prometheus.HistogramOpts{
		Name:    "rotad_notice_delay_seconds",
		Help:    "The time from the decision to tell people to the moment a server took the message.",
		Buckets: lagBuckets(),
	})
}

// prefill shows the series of closed sets from the start. Operations of providers are no closed set: each kind has its
// own.
func (m *Metrics) prefill() {
	for _, phase := range phases() {
		m.step.WithLabelValues(string(phase))
	}
	for _, kind := range noticeKinds() {
		for _, outcome := range m.options.NoticeOutcomes {
			for _, channel := range m.options.Channels {
				m.notices.WithLabelValues(channel, string(kind), outcome)
			}
		}
	}
	for _, verb := range answerVerbs() {
		for _, way := range []string{wayMail, wayCommand} {
			m.answers.WithLabelValues(verb, way)
		}
	}
	for _, reason := range m.options.Refusals {
		m.refused.WithLabelValues(reason)
	}
	for _, name := range m.options.Invariants {
		m.violations.WithLabelValues(name)
	}
}

// Seconds of the longer buckets.
const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// stepBuckets reach from a second (create) to weeks (overlap).
func stepBuckets() []float64 {
	return []float64{1, 5, 15, minute, 5 * minute, 15 * minute, hour, 6 * hour, day, 3 * day, 7 * day, 14 * day, 30 * day}
}

// lagBuckets reach from nothing, on a good day, to the length of an outage.
func lagBuckets() []float64 {
	return []float64{.1, 1, 5, 15, minute, 5 * minute, 15 * minute, hour, 6 * hour, day, 3 * day}
}
