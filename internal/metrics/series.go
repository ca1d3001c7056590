package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// series is one series of a client. The constant metrics of client_golang check and copy every label of every series; what
// two series of a client, or all clients of an owner, have in common is one value in memory here, because there may be a
// hundred thousand of them in a scrape.
type series struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair // sorted by name
	value  float64
}

// Desc is prometheus.Metric.
func (s *series) Desc() *prometheus.Desc { return s.desc }

// Write is prometheus.Metric.
func (s *series) Write(m *dto.Metric) error {
	m.Label, m.Gauge = s.labels, &dto.Gauge{Value: &s.value}
	return nil
}

// shared are the labels of one scrape that many series have.
type shared map[[2]string]*dto.LabelPair

// of returns the one label of a name and a value.
func (s shared) of(name, value string) *dto.LabelPair {
	key := [2]string{name, value}
	if s[key] == nil {
		s[key] = label(name, value)
	}
	return s[key]
}

// label makes a label. One bad byte in a value must not cost the scrape.
func label(name, value string) *dto.LabelPair {
	value = clean(value)
	return &dto.LabelPair{Name: &name, Value: &value}
}

// series shows a series of a client. The labels have to stand in the order of their names.
func (s sink) series(d *prometheus.Desc, value float64, labels ...*dto.LabelPair) {
	s <- &series{desc: d, labels: labels, value: value}
}

// ending returns an end as Prometheus counts it. A zero time is never.
func ending(at time.Time) float64 {
	if at.IsZero() {
		return math.Inf(1)
	}
	return seconds(at)
}
