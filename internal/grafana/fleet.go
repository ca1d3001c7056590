package grafana

// fleet is the page of those who run rotad: what expires next, and who has to act.
func fleet() dashboard {
	return newDashboard("rotad-fleet", "rotad / fleet", "Every client: what expires next, what is under way, who has to act.",
		"7d", choices(false), append(fleetNumbers(),
			expiring("What expires next", "The next two hundred, the most urgent first.", tall),
			heat("Days to the next expiry, by owner", "Of each owner's clients the one that expires next. A rotation turns red into green.", whole,
				query{`min by (owner) (` + left + `) / 86400`, "{{owner}}"}),
			bars("Rotations", "How they ended.", third,
				query{`sum by (outcome) (increase(rotad_rotations_total{provider=~"$provider"}[$__interval]))`, "{{outcome}}"}),
			underWay(third),
			overlaps(third),
			table("Held, by code", "docs/reference/holds.md says what each code means and what ends it.", third, "clients", true).
				askNow("table", query{expr: `sum by (reason) (rotad_holds) > 0`}).
				columns("reason", map[string]string{"reason": "code", "Value": "clients"}),
			graph("Clients by provider and overlap mode", "Mode unknown: not looked at yet.", third,
				query{`sum by (provider, mode) (rotad_clients{provider=~"$provider"})`, "{{provider}} {{mode}}"}).wholeNumbers(),
			graph("Expiring within", "The longer horizons include the shorter ones; expired ones are apart.", third,
				query{`max by (within) (rotad_clients_expiring)`, "{{within}}"}).wholeNumbers(),
		)...)
}

func fleetNumbers() []panel {
	return []panel{
		stat("Clients", "Registered at the chosen providers.",
			query{`sum(rotad_clients{provider=~"$provider"})`, "clients"}).colored("blue"),
		stat("Expired", "Consumers of these cannot log in.",
			query{`max(rotad_clients_expiring{within="expired"})`, "expired"}).colored("green", from{1, "red"}),
		stat("Expire within 7 days", "Most of them are rotated before.",
			query{`max(rotad_clients_expiring{within="7d"})`, "within 7d"}).colored("green", from{1, "yellow"}),
		stat("Held", "Clients that wait for a person.",
			query{`sum(rotad_holds)`, "held"}).colored("green", from{1, "orange"}),
		stat("Overdue", "Planned for more than an hour ago, and not done.",
			query{`count(` + overdue + `) or vector(0)`, "overdue"}).colored("green", from{1, "red"}),
		stat("Without a known expiry", "Nobody can be warned of these.",
			query{`max(rotad_clients_without_expiry)`, "unknown"}).colored("green", from{1, "yellow"}),
	}
}
