package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rotad/rotad/internal/credential"
)

// collector reads the source and the signs at each scrape. It keeps nothing.
type collector struct {
	source  Source
	signs   *signs
	options Options
	descs
}

func newCollector(source Source, s *signs, o Options) *collector {
	return &collector{source: source, signs: s, options: o, descs: newDescs()}
}

// Describe is prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.all() {
		ch <- d
	}
}

// Collect is prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	out := sink(ch)
	c.itself(out)
	totals := c.source.Totals()
	c.totals(out, totals)
	for _, p := range totals.Providers {
		c.progress(out, p)
	}
	c.expiringClients(out)
	c.lateness(out)
	with, err := c.clientSeries(out)
	if err != nil {
		out.failed(c.expiry, err)
	}
	out.gauge(c.dropped, float64(max(0, totals.clients()-with)))
}

// itself shows what the process knows about itself.
func (c *collector) itself(out sink) {
	b := c.options.Build
	out.gauge(c.build, 1, named(b.Version, "unknown"), named(b.Commit, "unknown"), named(b.GoVersion, "unknown"))
	s := c.signs.show()
	out.moment(c.heartbeat, s.turned)
	if s.loaded {
		out.gauge(c.reloaded, truth(s.good))
	}
	out.moment(c.reloadedAt, s.loadedAt)
	for provider, at := range s.looks {
		out.moment(c.scanned, at, clean(provider))
	}
	if c.options.Failing != nil {
		for channel, long := range c.options.Failing() {
			out.moment(c.failing, c.options.Now().Add(-long).Truncate(time.Second), clean(channel))
		}
	}
	if c.options.TokenExpires != nil {
		out.gauge(c.token, ending(c.options.TokenExpires()))
	}
}

// totals shows the counters over all clients.
func (c *collector) totals(out sink, t Totals) {
	for group, n := range t.Clients {
		out.gauge(c.clients, float64(n), clean(group.Provider), named(string(group.Mode), "unknown"))
	}
	for _, rule := range credential.HoldRules() {
		out.gauge(c.holds, float64(t.Holds[rule.Code]), string(rule.Code))
	}
	for _, state := range noticeStates() {
		out.gauge(c.outbox, float64(t.Outbox[state]), string(state))
	}
	out.gauge(c.withoutExpiry, float64(t.WithoutExpiry))
}

// progress shows what begins under one provider.
func (c *collector) progress(out sink, p Progress) {
	provider := clean(p.Provider)
	for state, n := range map[string]int{
		"waiting": p.Wave.Waiting, "under-way": p.Wave.UnderWay, "confirmed": p.Wave.Confirmed, "failed": p.Wave.Failed,
	} {
		out.gauge(c.wave, float64(n), provider, state)
	}
	out.gauge(c.stopped, orZero(p.Stopped), provider)
	out.gauge(c.away, orZero(p.Away), provider)
	if p.Quota > 0 {
		out.gauge(c.creates, float64(p.Creates), provider)
		out.gauge(c.quota, float64(p.Quota), provider)
	}
}

func orZero(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return seconds(t)
}

// horizon is one value of the label "within".
type horizon struct {
	name   string
	within time.Duration
}

func horizons() []horizon {
	const day = 24 * time.Hour
	return []horizon{{"1d", day}, {"7d", 7 * day}, {"30d", 30 * day}, {"90d", 90 * day}}
}

var errHorizons = errors.New("the source did not answer for each duration that it was asked for")

func (c *collector) expiringClients(out sink) {
	names, within := []string{}, []time.Duration{}
	for _, h := range horizons() {
		names, within = append(names, h.name), append(within, h.within)
	}
	expired, soon, err := c.source.Expiring(c.options.Now(), within...)
	if err == nil && len(soon) != len(within) {
		err = errHorizons
	}
	if err != nil {
		out.failed(c.expiring, err)
		return
	}
	out.gauge(c.expiring, float64(expired), "expired")
	for i, n := range soon {
		out.gauge(c.expiring, float64(n), names[i])
	}
}

// lateness shows how late the most overdue decision is: 0 where nothing is due.
func (c *collector) lateness(out sink) {
	at, ok, err := c.source.OldestDue()
	if err != nil {
		out.failed(c.lag, err)
		return
	}
	late := time.Duration(0)
	if ok {
		late = max(0, c.options.Now().Sub(at))
	}
	out.gauge(c.lag, late.Seconds())
}

// sink takes what a scrape finds.
type sink chan<- prometheus.Metric

func (s sink) gauge(d *prometheus.Desc, value float64, labels ...string) {
	m, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, value, labels...)
	if err != nil {
		s.failed(d, err)
		return
	}
	s <- m
}

// moment shows a time. A zero one is not known and has no series.
func (s sink) moment(d *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		s.gauge(d, seconds(at), labels...)
	}
}

// failed reports what could not be read. Everything else of the scrape is served.
func (s sink) failed(d *prometheus.Desc, err error) { s <- prometheus.NewInvalidMetric(d, err) }

// seconds returns a moment as Prometheus counts it, for years beyond the reach of nanoseconds as well.
func seconds(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
