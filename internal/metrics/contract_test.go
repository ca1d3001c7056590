package metrics_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
)

var update = flag.Bool("update", false, "write the golden files")

// everything is a bench on which each metric has at least one series.
func everything() *bench {
	rec := registered("billing", expires(noon.Add(30*day)), rotating(credential.Rotation{
		ID: "r1", Phase: credential.PhaseOverlap, Since: noon, Old: credential.Secret{ID: "old"},
		Caps: credential.Capabilities{Mode: credential.ModeTwoSlot}, RevokeAfter: noon.Add(3 * day), Extended: noon,
		Client: credential.Client{ID: "billing", Consumers: []credential.NamedConsumer{{Name: "web"}}},
	}))
	rec.Looked = noon
	never := registered("never")
	never.Current.Never = true
	b := newBench(&source{
		totals: metrics.Totals{
			Clients:       map[metrics.Group]int{{Provider: "corp", Mode: credential.ModeTwoSlot}: 3},
			Outbox:        map[credential.NoticeState]int{credential.NoticePending: 1},
			WithoutExpiry: 1,
			Providers: []metrics.Progress{{
				Provider: "corp", Stopped: noon, Away: noon.Add(-time.Hour), Creates: 3, Quota: 50,
				Wave: credential.Wave{ID: "w", Waiting: 989, UnderWay: 2, Confirmed: 8, Failed: 1},
			}},
		},
		expired: 0, soon: []int{0, 0, 1, 1}, due: noon.Add(-3 * time.Second),
		records: []credential.Record{rec, never},
	}, func(o *metrics.Options) {
		o.Build = metrics.Build{Version: "v1.2.3", Commit: "abc", GoVersion: "go1.26"}
		o.Channels, o.NoticeOutcomes, o.Invariants = []string{"smtp"}, []string{"sent"}, []string{"access"}
		o.NextAction = func(r credential.Record) (string, time.Time) { return "revoke", rec.Rotation.RevokeAfter }
		o.TokenExpires = func() time.Time { return noon.Add(time.Hour) }
		o.Failing = func() map[string]time.Duration { return map[string]time.Duration{"smtp": 90 * time.Minute} }
		o.Refusals = []string{"answered"}
	})
	b.Providers([]string{"corp"})
	b.Heartbeat()
	b.Reloaded(true)
	b.Committed(credential.Change{Record: rec})
	b.Late("corp", 3*time.Second)
	b.Request("corp", "inspect", "ok", 30*time.Millisecond)
	b.Delay(credential.NoticeRotated, time.Second)
	return b
}

func TestScrapeIsTheGoldenText(t *testing.T) {
	b, golden := everything(), "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.scrape(t)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.Open(golden)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	if err := testutil.GatherAndCompare(b.registry, want); err != nil {
		t.Error(err)
	}
}

func TestMetricsAreWhatPromlintLikes(t *testing.T) {
	problems, err := testutil.GatherAndLint(everything().registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// family is a metric as the scrape or the reference describes it.
type family struct{ kind, labels string }

var (
	typeLine  = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)
	labelName = regexp.MustCompile(`[{,]([a-z]+)="`)
	tableRow  = regexp.MustCompile("(?m)^\\| `(rotad_[a-z_]+)` \\| ([a-z]+) \\| ([a-z, ]*)\\|")
)

// scraped returns the metrics of a scrape with their types and labels.
func scraped(t *testing.T) map[string]family {
	t.Helper()
	text := everything().scrape(t)
	found := map[string]family{}
	for _, m := range typeLine.FindAllStringSubmatch(text, -1) {
		labels := map[string]bool{}
		for line := range strings.Lines(text) {
			if nameOf(line) == m[1] || m[2] == "histogram" && nameOf(line) == m[1]+"_count" {
				for _, l := range labelName.FindAllStringSubmatch(line, -1) {
					labels[l[1]] = true
				}
			}
		}
		found[m[1]] = family{m[2], strings.Join(slices.Sorted(maps.Keys(labels)), ", ")}
	}
	return found
}

func nameOf(line string) string {
	if i := strings.IndexAny(line, "{ "); i > 0 {
		return line[:i]
	}
	return ""
}

func TestReferenceListsExactlyTheRegisteredMetrics(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]family{}
	for _, m := range tableRow.FindAllStringSubmatch(string(page), -1) {
		labels := strings.Split(strings.TrimSpace(m[3]), ", ")
		slices.Sort(labels)
		listed[m[1]] = family{m[2], strings.Join(labels, ", ")}
	}
	registered := scraped(t)
	for name, is := range registered {
		if says, ok := listed[name]; !ok {
			t.Errorf("the reference lacks %s", name)
		} else if says != is {
			t.Errorf("%s is a %s with the labels %q; the reference says %s with %q", name, is.kind, is.labels, says.kind, says.labels)
		}
	}
	for name := range listed {
		if _, ok := registered[name]; !ok {
			t.Errorf("the reference lists %s, which nobody registers", name)
		}
	}
}

// The names of design, alerts and dashboards are a contract: what they use is really there, as the series that they use.
func TestAlertsAndDashboardsUseMetricsThatExist(t *testing.T) {
	files, err := filepath.Glob("../../deploy/grafana/provisioning/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d dashboards (%v)", len(files), err)
	}
	series := map[string]bool{}
	for name, f := range scraped(t) {
		if f.kind != "histogram" {
			series[name] = true
			continue
		}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			series[name+suffix] = true
		}
	}
	for _, file := range append(files, "../../deploy/prometheus/rules.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		used := regexp.MustCompile(`\brotad_[a-z_]+`).FindAllString(string(text), -1)
		if len(used) == 0 {
			t.Errorf("%s names no metric", file)
		}
		for _, name := range used {
			if !series[name] {
				t.Errorf("%s uses %s, and no series has this name", file, name)
			}
		}
	}
}

// A phase, kind or state that the domain gets is shown from the start as well.
func TestClosedSetsAreWhole(t *testing.T) {
	text := everything().scrape(t)
	for _, set := range []struct{ typ, shownAs, without string }{
		{"Phase", `rotad_rotation_step_duration_seconds_count{step="%"}`, "steady"},
		{"NoticeKind", `rotad_notices_total{channel="smtp",kind="%",outcome="sent"}`, ""},
		{"NoticeState", `rotad_outbox_entries{state="%"}`, ""},
		{"HoldCode", `rotad_holds{reason="%"}`, ""},
	} {
		values := constantsOf(t, set.typ)
		if len(values) < 4 {
			t.Fatalf("found only %d values of credential.%s", len(values), set.typ)
		}
		for _, value := range values {
			if value != set.without && !strings.Contains(text, strings.ReplaceAll(set.shownAs, "%", value)) {
				t.Errorf("the scrape lacks %q of credential.%s", value, set.typ)
			}
		}
	}
}

// constantsOf returns the values of the constants of one type of the domain.
func constantsOf(t *testing.T, typ string) []string {
	t.Helper()
	files, err := filepath.Glob("../credential/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); ok && name.Name == typ && len(spec.Values) == 1 {
				values = append(values, strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
			}
			return true
		})
	}
	return values
}

func TestEverythingMayHappenAtOnce(t *testing.T) {
	b := everything()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 50 {
				rec := registered("a", rotating(credential.Rotation{ID: "r", Phase: credential.PhaseIntent, Since: noon}))
				rec.Looked = noon.Add(time.Duration(i) * time.Second)
				b.Seen(rec)
				b.Committed(credential.Change{Record: rec, Audit: []credential.Audit{{Event: credential.EventConfirmed}}})
				b.Request("corp", "inspect", "ok", time.Millisecond)
				b.Providers([]string{"corp", "old"}[:1+i%2])
				b.Notice("smtp", credential.NoticeHeld, "sent")
				b.Delay(credential.NoticeHeld, time.Second)
				b.Late("corp", time.Second)
				b.Violation("access")
				b.Refused("answered")
				b.Heartbeat()
				b.Reloaded(i%2 == 0)
				b.Silence()
				if i%10 == 0 {
					_, _ = b.registry.Gather()
				}
			}
		})
	}
	all.Wait()
	b.shows(t, `
		invariant_violations_total{invariant="access"} 400
		scan_last_success_timestamp_seconds{provider="corp"} 1.767268849e+09
	`, "invariant_violations_total", "scan_last_success_timestamp_seconds")
}
