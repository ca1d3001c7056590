package metrics

import "github.com/prometheus/client_golang/prometheus"

// descs are the metrics that a scrape reads.
type descs struct {
	expiry, action, phase, consumers, extended, dropped *prometheus.Desc // clients
	clients, holds, outbox                              *prometheus.Desc // totals
	expiring, withoutExpiry, lag                        *prometheus.Desc
	build, heartbeat, token, scanned, failing           *prometheus.Desc // rotad itself
	reloaded, reloadedAt                                *prometheus.Desc
	wave, stopped, away, creates, quota                 *prometheus.Desc // providers
}

func (d descs) all() []*prometheus.Desc {
	return []*prometheus.Desc{
		d.expiry, d.action, d.phase, d.consumers, d.extended, d.dropped, d.clients, d.holds, d.outbox, d.expiring, d.withoutExpiry, d.lag,
		d.build, d.heartbeat, d.token, d.scanned, d.failing, d.reloaded, d.reloadedAt,
		d.wave, d.stopped, d.away, d.creates, d.quota,
	}
}

func newDescs() descs {
	d := descs{
		build: prometheus.NewDesc("rotad_build_info",
			"Which program this is; always 1.", []string{"version", "commit", "goversion"}, nil),
		heartbeat: prometheus.NewDesc("rotad_heartbeat_timestamp_seconds",
			"When the loop last turned.", nil, nil),
		token: prometheus.NewDesc("rotad_vault_token_expiry_timestamp_seconds",
			"When rotad's own token in Vault ends; 0 without a token, +Inf for one that never ends.", nil, nil),
		scanned: prometheus.NewDesc("rotad_scan_last_success_timestamp_seconds",
			"When a client of a provider was last looked at with success.", []string{"provider"}, nil),
		failing: prometheus.NewDesc("rotad_channel_failing_timestamp_seconds",
			"Since when a channel has taken no notice.", []string{"channel"}, nil),
		reloaded: prometheus.NewDesc("rotad_config_last_reload_successful",
			"Whether the configuration that was read last is the one in use.", nil, nil),
		reloadedAt: prometheus.NewDesc("rotad_config_last_reload_success_timestamp_seconds",
			"When the configuration in use was taken.", nil, nil),
	}
	d.ofClients()
	d.ofTotals()
	d.ofProviders()
	return d
}

func (d *descs) ofClients() {
	d.expiry = prometheus.NewDesc("rotad_secret_expiry_timestamp_seconds",
		"When a secret stops working: the one that Vault hands out (current), or the one before it (retiring).",
		[]string{"client", "provider", "owner", "slot"}, nil)
	d.action = prometheus.NewDesc("rotad_next_action_timestamp_seconds",
		"The next thing that will be decided about a client, and when.", []string{"client", "action"}, nil)
	d.phase = prometheus.NewDesc("rotad_rotation_phase",
		"1 for the phase of each rotation under way.", []string{"client", "phase"}, nil)
	d.consumers = prometheus.NewDesc("rotad_consumers",
		"Consumers that a client names, by whether they run on what is published.", []string{"client", "state"}, nil)
	d.extended = prometheus.NewDesc("rotad_overlap_extended_timestamp_seconds",
		"Since when an overlap lasts longer than planned, because the old secret is in use.", []string{"client"}, nil)
	d.dropped = prometheus.NewDesc("rotad_client_series_dropped",
		"Clients without series of their own, because of the configured limit.", nil, nil)
}

func (d *descs) ofProviders() {
	d.wave = prometheus.NewDesc("rotad_wave_clients",
		"Clients of the rotations of a provider that are due together, by how far they are.", []string{"provider", "state"}, nil)
	d.stopped = prometheus.NewDesc("rotad_wave_stopped_timestamp_seconds",
		"Since when these rotations stand still and wait for a person; 0 where they do not.", []string{"provider"}, nil)
	d.away = prometheus.NewDesc("rotad_provider_away_timestamp_seconds",
		"Since when a provider has not answered, so that only probes go there; 0 where it answers.", []string{"provider"}, nil)
	d.creates = prometheus.NewDesc("rotad_provider_creates_today",
		"Secrets that were asked for on this day, in UTC, where there is a limit.", []string{"provider"}, nil)
	d.quota = prometheus.NewDesc("rotad_provider_creates_limit",
		"Secrets that may be asked for on one day; no series where there is no limit.", []string{"provider"}, nil)
}

func (d *descs) ofTotals() {
	d.clients = prometheus.NewDesc("rotad_clients",
		"Registered clients, by provider and overlap mode.", []string{"provider", "mode"}, nil)
	d.holds = prometheus.NewDesc("rotad_holds",
		"Clients that wait for a person, by reason.", []string{"reason"}, nil)
	d.outbox = prometheus.NewDesc("rotad_outbox_entries",
		"Notices that the state holds: pending ones wait, dead ones were refused for good.", []string{"state"}, nil)
	d.expiring = prometheus.NewDesc("rotad_clients_expiring",
		"Clients whose current secret has expired, or will expire within that time.", []string{"within"}, nil)
	d.withoutExpiry = prometheus.NewDesc("rotad_clients_without_expiry",
		"Clients of which nobody knows when their current secret expires.", nil, nil)
	d.lag = prometheus.NewDesc("rotad_due_lag_seconds",
		"How late the most overdue decision is; 0 if none is.", nil, nil)
}
