package grafana

// itself is the page about the daemon: does it turn, does it keep up, does the world answer.
func itself() dashboard {
	var all []panel
	for _, part := range [][]panel{signs(), pace(), providers(), notices(), process()} {
		all = append(all, part...)
	}
	return newDashboard("rotad-itself", "rotad / itself", "The daemon: alive, in time, with its providers, Vault and mail.",
		"6h", choices(false), all...)
}

// signs are the numbers that have to be good.
func signs() []panel {
	return []panel{
		stat("Loop turned", "How long ago. More than five minutes: it lives and decides nothing.",
			query{`max(time() - rotad_heartbeat_timestamp_seconds)`, "ago"}).unit("s").colored("green", from{60, "yellow"}, from{300, "red"}),
		stat("Most overdue decision", "0 where nothing is late.",
			query{`max(rotad_due_lag_seconds)`, "late"}).unit("s").colored("green", from{60, "yellow"}, from{900, "red"}),
		stat("Vault token ends in", "It is renewed long before; +Inf never ends.",
			query{`min(rotad_vault_token_expiry_timestamp_seconds - time())`, "time left"}).unit("s").colored("red", from{600, "yellow"}, from{1800, "green"}),
		stat("Broken rules", "Must stay 0. Each has a line in the log.",
			query{`sum(rotad_invariant_violations_total)`, "violations"}).colored("green", from{1, "red"}),
		stat("Configuration", "1 if the one in use is the one that was read last.",
			query{`min(rotad_config_last_reload_successful)`, "taken"}).colored("red", from{1, "green"}),
		stat("Clients without series", "Beyond metrics.client_series; the most urgent are kept.",
			query{`max(rotad_client_series_dropped)`, "left out"}).colored("green", from{1, "yellow"}),
	}
}

// pace says whether the daemon keeps up.
func pace() []panel {
	return []panel{
		graph("Taken up too late", "After a client fell due, until rotad took it up: most are below the lower line.", third,
			query{quantile("0.5", `rotad_decision_lag_seconds_bucket`, ""), "half"},
			query{quantile("0.99", `rotad_decision_lag_seconds_bucket`, ""), "99 of 100"}).unit("s"),
		graph("Steps of rotations", "How long a rotation stays in a phase; 19 of 20 are below.", third,
			query{`histogram_quantile(0.95, sum by (le, step) (rotad_rotation_step_duration_seconds_bucket))`, "{{step}}"}).unit("s"),
		bars("Finished steps", "Per hour.", third,
			query{`sum by (step) (increase(rotad_rotation_step_duration_seconds_count[$__interval]))`, "{{step}}"}),
		graph("Clients with series, by owner", "Of the chosen owners and providers.", third,
			query{`count by (owner) (` + current + `)`, "{{owner}}"}).wholeNumbers(),
		table("Program", "What runs where.", middle, "instance", false).
			askNow("table", query{expr: `rotad_build_info`}).
			columns("instance", map[string]string{"Value": "runs"}),
	}
}

// providers says whether the identity providers answer.
func providers() []panel {
	return []panel{
		states("Providers", "Whether the last call got an answer; a refusal is one.", third,
			query{`min by (provider) (rotad_provider_up{provider=~"$provider"})`, "{{provider}}"}, "no answer", "answers"),
		graph("Requests", "Per second, by how they ended.", third,
			query{`sum by (provider, outcome) (rate(rotad_provider_requests_total{provider=~"$provider"}[$__rate_interval]))`, "{{provider}} {{outcome}}"}).unit("reqps"),
		graph("Answers take", "19 of 20 are faster; waiting for rotad's own limits not counted.", third,
			query{`histogram_quantile(0.95, sum by (le, provider, operation) ` +
				`(rate(rotad_provider_request_duration_seconds_bucket{provider=~"$provider"}[$__rate_interval])))`, "{{provider}} {{operation}}"}).unit("s"),
		graph("Rotations that are due together", "By how far they are; failed ones stop the rest.", third,
			query{`sum by (provider, state) (rotad_wave_clients{provider=~"$provider"})`, "{{provider}} {{state}}"}).wholeNumbers(),
		graph("Last successful look", "How long ago, by provider.", third,
			query{`max by (provider) (time() - rotad_scan_last_success_timestamp_seconds{provider=~"$provider"})`, "{{provider}}"}).unit("s"),
	}
}

// notices says whether people are told.
func notices() []panel {
	return []panel{
		graph("Notices that wait, or were refused", "Waiting ones are sent once the mail server answers.", third,
			query{`sum by (state) (rotad_outbox_entries{state=~"pending|dead"})`, "{{state}}"}).wholeNumbers(),
		bars("Attempts to tell people", "By kind and outcome.", third,
			query{`sum by (kind, outcome) (increase(rotad_notices_total[$__interval])) > 0`, "{{kind}} {{outcome}}"}),
		graph("Notices take", "From the decision to the server's yes; 19 of 20 are faster.", third,
			query{`histogram_quantile(0.95, sum by (le) (rotad_notice_delay_seconds_bucket))`, "95 of 100"}).unit("s"),
		graph("Channels that take nothing", "For how long. An hour is told over another channel, and alerts.", third,
			query{`max by (channel) (time() - rotad_channel_failing_timestamp_seconds)`, "{{channel}}"}).unit("s"),
		bars("Answers of people", "By what they said, and whether by the link in a mail or by a command.", third,
			query{`sum by (verb, way) (increase(rotad_answers_total[$__interval]))`, "{{verb}} {{way}}"}),
		bars("Links that were refused", "By reason. Many that are not signed: somebody tries.", third,
			query{`sum by (reason) (increase(rotad_answers_refused_total[$__interval]))`, "{{reason}}"}),
	}
}

// process is what the machine gives.
func process() []panel {
	const job = `{job="rotad"}`
	return []panel{
		graph("Memory", "Resident.", third, query{`process_resident_memory_bytes` + job, "{{instance}}"}).unit("bytes"),
		graph("Processor", "Cores in use.", third, query{`rate(process_cpu_seconds_total` + job + `[$__rate_interval])`, "{{instance}}"}),
		graph("Open files and goroutines", "", third, query{`process_open_fds` + job, "files"}, query{`go_goroutines` + job, "goroutines"}).wholeNumbers(),
	}
}

// quantile asks a histogram about the time that is shown.
func quantile(q, bucket, by string) string {
	return `histogram_quantile(` + q + `, sum by (le` + by + `) (rate(` + bucket + `[$__rate_interval])))`
}
