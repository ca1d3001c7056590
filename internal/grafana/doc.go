// Package grafana writes what Grafana is provisioned with, so that a panel is a line here and an alert exists once.
//
//	fleet.go owner.go itself.go ──► deploy/grafana/provisioning/dashboards/*.json
//	deploy/prometheus/rules.yaml ─► deploy/grafana/provisioning/alerting/rules.yaml
//
// "make generate" writes the files, and a test refuses ones that are out of date. The daemon contains none of this.
package grafana

//go:generate go run ./generate
