// Package watch proves what people look at and are woken by: a real Prometheus scrapes the daemon in interesting states,
// every panel and alert that rotad ships is asked of it, and a real Alertmanager brings alerts to a webhook.
//
//	rotad: expired, due soon, held, in overlap, stuck mail ... ◄── scrape ── Prometheus ◄── every query of deploy/grafana
//	                                                                          │             and deploy/prometheus
//	                                                                          └──► Alertmanager ──► webhook, by owner
//	deploy/grafana/.../*.json ──► TypeScript ◄── Grafana's published types
package watch
