package grafana

// prometheus is the data source that the reader has chosen.
func prometheus() source { return source{Type: "prometheus", UID: "${datasource}"} }

// query is one question of a panel.
type query struct {
	expr   string
	legend string // of a series; "" = its labels
}

// size is the room of a panel in the grid, which is 24 wide.
type size struct{ w, h int }

var (
	small  = size{4, 4}
	third  = size{8, 8}
	half   = size{12, 8}
	whole  = size{24, 9}
	tall   = size{24, 12}
	middle = size{16, 8}
)

func newPanel(kind, title, says string, s size) panel {
	return panel{
		Type: kind, Title: title, Description: says, GridPos: place{W: s.w, H: s.h}, Datasource: prometheus(),
		FieldConfig: fields{Overrides: []override{}}, Options: map[string]any{},
	}
}

// ask adds questions about the time that is shown.
func (p panel) ask(queries ...query) panel {
	for _, q := range queries {
		p.Targets = append(p.Targets, target{
			RefID: p.nextRef(), Expr: q.expr, LegendFormat: q.legend, Format: "time_series", Range: true,
		})
	}
	return p
}

// askNow adds questions about this moment, answered as a table where format says so.
func (p panel) askNow(format string, queries ...query) panel {
	for _, q := range queries {
		p.Targets = append(p.Targets, target{
			RefID: p.nextRef(), Expr: q.expr, LegendFormat: q.legend, Format: format, Instant: true,
		})
	}
	return p
}

// nextRef names the next question; a panel has a few.
func (p panel) nextRef() string { return "ABCDEF"[len(p.Targets) : len(p.Targets)+1] }

func (p panel) unit(u string) panel {
	p.FieldConfig.Defaults.Unit = u
	return p
}

// wholeNumbers shows no decimals.
func (p panel) wholeNumbers() panel {
	p.FieldConfig.Defaults.Decimals = new(int)
	return p
}

// colored gives a colour from each value on. The first colour holds below the second one's value.
func (p panel) colored(first string, from ...from) panel {
	p.FieldConfig.Defaults.Thresholds = steps(first, from...)
	p.FieldConfig.Defaults.Color = map[string]any{"mode": "thresholds"}
	return p
}

// from is a colour and the value from which on it holds.
type from struct {
	value float64
	color string
}

func steps(first string, from ...from) *thresholds {
	t := &thresholds{Mode: "absolute", Steps: []step{{Color: first}}}
	for _, f := range from {
		t.Steps = append(t.Steps, step{Color: f.color, Value: &f.value})
	}
	return t
}

// stat shows numbers of this moment, large.
func stat(title, says string, queries ...query) panel {
	p := newPanel("stat", title, says, small).askNow("time_series", queries...)
	p.Options = map[string]any{
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		"orientation":   "auto", "textMode": "auto", "wideLayout": true, "colorMode": "background", "graphMode": "none",
		"justifyMode": "auto", "percentChangeColorMode": "standard", "showPercentChange": false,
	}
	return p.wholeNumbers().colored("green")
}

// graph draws lines over time.
func graph(title, says string, s size, queries ...query) panel {
	p := newPanel("timeseries", title, says, s).ask(queries...)
	p.Options = map[string]any{"legend": legend(), "tooltip": tooltip()}
	p.FieldConfig.Defaults.Custom = map[string]any{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "auto", "spanNulls": false,
		"stacking": map[string]any{"mode": "none"},
	}
	p.FieldConfig.Defaults.Color = map[string]any{"mode": "palette-classic"}
	return p
}

// bars counts what has happened, one bar per hour or more.
func bars(title, says string, s size, queries ...query) panel {
	p := graph(title, says, s, queries...)
	p.Interval = "1h"
	custom := p.FieldConfig.Defaults.Custom
	custom["drawStyle"], custom["fillOpacity"], custom["stacking"] = "bars", 80, map[string]any{"mode": "normal"}
	return p.wholeNumbers()
}

func legend() map[string]any {
	return map[string]any{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}}
}

func tooltip() map[string]any { return map[string]any{"mode": "multi", "sort": "desc"} }

// states shows since when something is so, one row per series.
func states(title, says string, s size, q query, zero, one string) panel {
	p := newPanel("state-timeline", title, says, s).ask(q)
	p.Options = map[string]any{
		"showValue": "never", "rowHeight": 0.8, "mergeValues": true, "alignValue": "left",
		"legend": legend(), "tooltip": map[string]any{"mode": "single", "sort": "none"},
	}
	p.FieldConfig.Defaults.Custom = map[string]any{"fillOpacity": 80, "lineWidth": 0}
	p.FieldConfig.Defaults.Mappings = []any{map[string]any{"type": "value", "options": map[string]any{
		"0": map[string]any{"text": zero, "color": "red", "index": 0},
		"1": map[string]any{"text": one, "color": "green", "index": 1},
	}}}
	return p.colored("red", from{1, "green"})
}

// heat draws a row per series and colours each moment by the value: few days are red, thirty and more are green.
func heat(title, says string, s size, q query) panel {
	p := newPanel("heatmap", title, says, s).ask(q)
	p.Options = map[string]any{
		"calculate": false, "cellGap": 1, "showValue": "auto", "selectionMode": "x",
		"cellValues": map[string]any{"unit": "d", "decimals": 0},
		"color": map[string]any{
			"mode": "scheme", "scheme": "RdYlGn", "scale": "linear", "steps": 64, "reverse": true, "min": 0, "max": 30,
			"fill": "dark-orange", "exponent": 0.5,
		},
		"exemplars":    map[string]any{"color": "rgba(255,0,255,0.7)"},
		"filterValues": map[string]any{"le": -1e9}, // what has expired is below zero, and the last to be left out
		"legend":       map[string]any{"show": true},
		"rowsFrame":    map[string]any{"layout": "auto", "value": "days left"},
		"tooltip":      map[string]any{"mode": "single", "yHistogram": false, "showColorScale": true},
		"yAxis":        map[string]any{"axisPlacement": "left", "reverse": false},
	}
	return p
}

// table shows a row per answer.
func table(title, says string, s size, sortBy string, down bool) panel {
	p := newPanel("table", title, says, s)
	p.Options = map[string]any{
		"showHeader": true, "frameIndex": 0, "cellHeight": "sm",
		"sortBy": []any{map[string]any{"displayName": sortBy, "desc": down}},
	}
	p.FieldConfig.Defaults.Custom = map[string]any{
		"align": "auto", "inspect": false, "cellOptions": map[string]any{"type": "auto"},
	}
	return p
}

// columns joins the answers on a label, leaves columns out, and names the rest.
func (p panel) columns(on string, names map[string]string) panel {
	hidden := map[string]any{}
	for _, time := range []string{"Time", "Time 1", "Time 2", "Time 3"} {
		hidden[time] = true
	}
	if len(p.Targets) > 1 {
		p.Transformations = append(p.Transformations, transformation{
			"joinByField", map[string]any{"byField": on, "mode": "outer"},
		})
	}
	p.Transformations = append(p.Transformations, transformation{
		"organize", map[string]any{"excludeByName": hidden, "indexByName": map[string]any{}, "renameByName": names},
	})
	return p
}

// column says how a column is shown.
func (p panel) column(name string, properties ...property) panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{matcher{"byName", name}, properties})
	return p
}
