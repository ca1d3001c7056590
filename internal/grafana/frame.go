package grafana

// newDashboard is a dashboard with what all of them have: the variables, the annotations, the way to the others.
func newDashboard(uid, title, says, since string, vars []variable, panels ...panel) dashboard {
	return dashboard{
		UID: uid, Title: title, Description: says, Tags: []string{"rotad"}, SchemaVersion: 41, Version: 1, Editable: true,
		GraphTooltip: 1, Refresh: "1m", Time: span{From: "now-" + since, To: "now"}, Timezone: "browser",
		Links: []link{{
			Title: "rotad", Type: "dashboards", Icon: "external link", Tags: []string{"rotad"}, IncludeVars: true, KeepTime: true,
		}},
		Templating: variables{vars}, Annotations: annotations{rotations()}, Panels: placed(panels),
	}
}

// placed puts panels beside each other while there is room, and numbers them.
func placed(panels []panel) []panel {
	x, y, high := 0, 0, 0
	for i := range panels {
		p := &panels[i]
		if x+p.GridPos.W > 24 {
			x, y, high = 0, y+high, 0
		}
		p.ID, p.GridPos.X, p.GridPos.Y = i+1, x, y
		x, high = x+p.GridPos.W, max(high, p.GridPos.H)
	}
	return panels
}

// choices are the variables: which Prometheus, whose clients, where. One owner is chosen on the owner's page, any
// number elsewhere.
func choices(oneOwner bool) []variable {
	owners := labelValues("owner", "Owner", "rotad_secret_expiry_timestamp_seconds")
	if oneOwner {
		owners.Multi, owners.IncludeAll, owners.AllValue, owners.Current = false, false, "", nil
	}
	return []variable{
		{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1},
		owners,
		labelValues("provider", "Provider", "rotad_clients"),
	}
}

func labelValues(label, title, metric string) variable {
	ds := prometheus()
	return variable{
		Name: label, Label: title, Type: "query", Datasource: &ds, Refresh: 2, Sort: 1,
		Query: map[string]any{
			"qryType": 1, "query": "label_values(" + metric + ", " + label + ")", "refId": "variable-" + label,
		},
		Multi: true, IncludeAll: true, AllValue: ".*", Current: &choice{Text: "All", Value: "$__all"},
	}
}

// rotations marks when rotations happened: the overlap of each as a span, and how each one ended.
func rotations() []annotation {
	return []annotation{
		{
			Name: "Overlaps", Enable: true, IconColor: "blue", Datasource: prometheus(),
			Target:      event(`rotad_secret_expiry_timestamp_seconds{slot="retiring",` + chosen + `}`),
			TitleFormat: "{{client}}: the old secret still works", TextFormat: "until it is retired", TagKeys: "provider,owner",
		},
		{
			Name: "Rotations", Enable: true, IconColor: "green", Datasource: prometheus(),
			Target: event(`sum by (provider, outcome) ` +
				`(increase(rotad_rotations_total{provider=~"$provider"}[$__rate_interval])) > 0`),
			TitleFormat: "a rotation at {{provider}} ended: {{outcome}}", TextFormat: "", TagKeys: "provider,outcome",
		},
	}
}

func event(expr string) target {
	return target{RefID: "Anno", Expr: expr, Format: "time_series", Range: true, Interval: "60s"}
}
