package grafana

// owner is the page of a team: its clients and nothing else.
func owner() dashboard {
	first, rest := urgency()
	return newDashboard("rotad-owner", "rotad / owner", "One team's clients: when each expires, and what happens before.",
		"30d", choices(true),
		stat("Next expiry in", "Of all clients of this owner.",
			query{`min(` + left + `)`, "time left"}).unit("s").colored(first, rest...),
		stat("Clients", "With a known expiry.", query{`count(` + current + `)`, "clients"}).colored("blue"),
		stat("Expired", "Consumers of these cannot log in.",
			query{`count(` + current + ` < time()) or vector(0)`, "expired"}).colored("green", from{1, "red"}),
		stat("Expire within 7 days", "Most of them are rotated before.",
			query{`count(` + left + ` < 604800) or vector(0)`, "within 7d"}).colored("green", from{1, "yellow"}),
		stat("Rotations under way", "Overlaps included.",
			query{`count(` + moving + `) or vector(0)`, "under way"}).colored("blue"),
		stat("Wait for a person", "Held, or in an overlap that only a person can end: rotad status says which and why.",
			query{`count(` + current + ` unless on (client) rotad_next_action_timestamp_seconds) or vector(0)`, "waiting"}).
			colored("green", from{1, "orange"}),
		expiring("Clients", "The most urgent first, with what happens next.", tall),
		heat("Days to expiry, by client", "A rotation turns red into green.", whole,
			query{`min by (client) (` + left + `) / 86400`, "{{client}}"}),
		graph("Time left", "Falls a day per day, and rises with each rotation.", half,
			query{`min by (client) (` + left + `)`, "{{client}}"}).unit("s"),
		underWay(half),
		overlaps(half),
		graph("Next actions", "How long until something is decided; below zero it is overdue.", half,
			query{`min by (client, action) (` + next + `) - time()`, "{{client}} {{action}}"}).unit("s"),
	)
}
