// Package metrics shows what rotad does and what it knows: /metrics for Prometheus, /healthz and /readyz.
//
//	commits, calls, notices ──► Metrics ──► counters, histograms ──┐
//	the loop, reloads ────────► Metrics ──► moments ──┐            ├──► Gatherer ──► Handler ──► Serve
//	Source (the store) ─────── at scrape ──► collector ────────────┘                   ▲
//	                                                            Health (Checks) ───────┘
//
// Gauges about clients are read at scrape from a Source: counters that every commit keeps, and at most a configured number
// of records. So nothing is kept twice, and the cost of a scrape does not grow with the number of clients. Times are
// timestamps, never countdowns: a series that does not change costs a scraper next to nothing, and the reader's clock
// decides what is late. A missing series means "not known"; +Inf means "never".
//
// The package knows the domain and Prometheus, and no other part of rotad: the composition root adapts them.
package metrics
