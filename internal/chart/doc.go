// Package chart writes those files of the Helm chart that are made of something else, so that none is kept by hand twice.
//
//	deploy/prometheus/rules.yaml ─────────────► files/rules.yaml
//	internal/grafana ─────────────────────────► files/dashboards/*.json
//	values.json (here) + "rotad schema" ──────► values.schema.json
//
// Helm sees nothing outside of a chart's directory, hence the copies. "make generate" writes them, and a test of cmd/rotad,
// which alone knows all kinds of providers, refuses ones that are out of date. The daemon contains none of this.
package chart

//go:generate go run ./generate
