package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/advice"
	"github.com/rotad/rotad/internal/config"
)

func TestAdviceIsReadByPeople(t *testing.T) {
	span := func(d time.Duration) advice.Seconds { return advice.Seconds(d) }
	const day = 24 * time.Hour
	report := advice.Report{
		Clients: []advice.Client{
			{ID: "billing-api", Policy: "default", Overlap: span(3 * day), Recommended: span(10 * time.Hour), Consumers: []advice.Consumer{
				{Name: "batch", Spread: advice.Spread{Rotations: 8, P50: span(2 * time.Hour), P95: span(7*time.Hour + 40*time.Minute + 9*time.Second)}},
				{Name: "web", Spread: advice.Spread{Rotations: 8, P50: span(90 * time.Second), P95: span(30 * time.Minute)}},
			}},
			{ID: "crm", Policy: "short", Overlap: span(12 * time.Hour), Recommended: span(4 * day), Consumers: []advice.Consumer{
				{Name: "report", Spread: advice.Spread{Rotations: 4, P50: span(6 * time.Hour), P95: span(3 * day)}, Outlasted: 1},
			}},
			{ID: "legacy", Policy: "default", Overlap: span(3 * day), Consumers: []advice.Consumer{
				{Spread: advice.Spread{Rotations: 1, P50: span(time.Hour), P95: span(time.Hour)}},
			}},
		},
		Policies: []advice.Policy{
			{Name: "default", Clients: 1, Spread: advice.Spread{Rotations: 16, P50: span(time.Hour), P95: span(8 * time.Hour)}, Overlap: span(3 * day), Recommended: span(10 * time.Hour), Slowest: "billing-api"},
			{Name: "short", Clients: 1, Spread: advice.Spread{Rotations: 4, P50: span(6 * time.Hour), P95: span(3 * day)}, Overlap: span(12 * time.Hour), Recommended: span(4 * day), Slowest: "crm"},
		},
		Secrets: advice.Secrets{Shared: 14, KeyPairs: 2, Own: 1, Unknown: 1, Movable: []advice.Movable{
			{Kind: "keycloak", Method: "private_key_jwt", How: "Clients, the client, Credentials", Clients: 12, Some: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}},
			{Kind: "http/okta", Method: "private_key_jwt", How: "Applications, the application, General", Clients: 1, Some: []string{"crm"}},
		}},
	}
	var out bytes.Buffer
	a := &app{out: &out}
	a.adviseOverlaps(report)
	if err := a.adviseSecrets(report.Secrets); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/advise.golden"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || out.String() != string(want) {
		t.Errorf("%s (error %v), got:\n%s", golden, err, out.String())
	}
}

// What the example shows of providers is what the advice counts them by.
func TestAdviceKnowsWhatStandsBehindAProvider(t *testing.T) {
	cfg, problems := config.Load("../../config.example.yaml", configKinds(), config.SyntaxOnly())
	if cfg == nil {
		t.Fatal(problems.Errors())
	}
	seen := map[string]advice.Kind{}
	for _, p := range cfg.Providers {
		kind, ok := adapterBehind(cfg, p.Name)
		if !ok {
			t.Errorf("nothing is known of %s", p.Name)
		}
		seen[p.Kind] = kind
	}
	if !seen["jwks"].Keys || !seen["generated"].Own || seen["keycloak"].Keys || seen["keycloak"].Own || len(seen["entra"].Instead) != 2 {
		t.Errorf("%+v", seen)
	}
	if _, ok := adapterBehind(cfg, "nowhere"); ok {
		t.Error("something is known of a provider that is not configured")
	}
}
