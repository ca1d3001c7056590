package grafana

// chosen selects what the variables say.
const chosen = `owner=~"$owner",provider=~"$provider"`

// current is when the secrets that Vault hands out expire.
const current = `rotad_secret_expiry_timestamp_seconds{slot="current",` + chosen + `}`

// left is the time until then, without those that never expire.
const left = `(` + current + ` < Inf) - time()`

// next is what happens next to the chosen clients.
const next = `rotad_next_action_timestamp_seconds and on (client) ` + current

// overdue is what was planned for more than an hour ago.
const overdue = `rotad_next_action_timestamp_seconds{action=~"rotate|revoke"} < time() - 3600 and on (client) ` + current

// moving are the chosen clients' rotations under way.
const moving = `rotad_rotation_phase and on (client) ` + current

const day = 86400.0 // seconds

// urgency colours the time that is left.
func urgency() (first string, rest []from) {
	return "red", []from{{day, "orange"}, {7 * day, "yellow"}, {30 * day, "green"}}
}

// expiring is the table of what expires next.
func expiring(title, says string, s size) panel {
	first, rest := urgency()
	return table(title, says, s, "time left", false).
		askNow("table",
			query{expr: `bottomk(200, max by (client, owner, provider) (` + current + ` < Inf)) * 1000`},
			query{expr: `min by (client) (` + left + `)`},
			query{expr: `max by (client, action) (` + next + `) * 1000`}).
		columns("client", map[string]string{
			"Value #A": "expires", "Value #B": "time left", "Value #C": "at", "action": "next action",
		}).
		column("expires", property{"unit", "dateTimeAsIso"}).
		column("at", property{"unit", "dateTimeAsIso"}).
		column("time left", property{"unit", "s"}, property{"thresholds", steps(first, rest...)},
			property{"color", map[string]any{"mode": "thresholds"}},
			property{"custom.cellOptions", map[string]any{"type": "color-background", "mode": "basic"}}).
		column("owner", property{"links", []any{map[string]any{
			"title": "everything of this owner", "url": "/d/rotad-owner?var-owner=${__value.raw}&${datasource:queryparam}",
		}}})
}

// overlaps is the table of old secrets that still work.
func overlaps(s size) panel {
	return table("Old secrets that still work", "Until when consumers have time to move; this retires on purpose.", s,
		"until", false).
		askNow("table", query{expr: `max by (client, owner, provider) (` +
			`rotad_secret_expiry_timestamp_seconds{slot="retiring",` + chosen + `}) * 1000`}).
		columns("client", map[string]string{"Value": "until"}).
		column("until", property{"unit", "dateTimeAsIso"})
}

// underWay shows which clients are in which phase.
func underWay(s size) panel {
	return graph("Rotations under way", "Clients by phase. An overlap takes days, the other phases minutes.", s,
		query{`sum by (phase) (` + moving + `)`, "{{phase}}"}).wholeNumbers()
}
