package advice_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/advice"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

const day = 24 * time.Hour

func hours(list ...int) []time.Duration {
	out := make([]time.Duration, len(list))
	for i, n := range list {
		out[i] = time.Duration(n) * time.Hour
	}
	return out
}

func record(id, policy string, habits ...credential.Habit) *credential.Record {
	return &credential.Record{
		Client: credential.Client{ID: id, Provider: "sso", Policy: policy}, Caps: credential.Capabilities{Mode: credential.ModeTwoSlot}, Habits: habits,
	}
}

func fleet(records ...*credential.Record) advice.Report {
	f := advice.NewFleet(
		func(name string) (credential.Policy, bool) {
			return credential.Policy{Name: name, Overlap: 3 * day}, name != "gone"
		},
		func(provider string) (advice.Kind, bool) {
			return map[string]advice.Kind{
				"sso": {Name: "keycloak", Instead: []providers.Instead{{Method: providers.InsteadKeys, How: "Credentials"}}},
				"corp": {Name: "entra", Instead: []providers.Instead{
					{Method: providers.InsteadKeys, How: "Certificates"}, {Method: providers.InsteadFederation, How: "Federated credentials"},
				}},
				"old": {Name: "lightapi"}, "keys": {Name: "jwks", Keys: true}, "salts": {Name: "generated", Own: true},
			}[provider], provider != "gone"
		},
	)
	for _, rec := range records {
		f.Add(rec)
	}
	return f.Report()
}

func TestAnOverlapIsRecommendedByTheSlowestConsumer(t *testing.T) {
	for name, test := range map[string]struct {
		habits      []credential.Habit
		recommended time.Duration
		slowest     string
	}{
		"one":                  {[]credential.Habit{{Consumer: "web", Lasted: hours(1, 2, 4)}}, 5 * time.Hour, "web"},
		"two":                  {[]credential.Habit{{Consumer: "web", Lasted: hours(1, 2, 4)}, {Consumer: "batch", Lasted: hours(20, 8, 8)}}, 25 * time.Hour, "batch"},
		"days":                 {[]credential.Habit{{Consumer: "web", Lasted: hours(1, 2, 60)}}, 4 * day, "web"},
		"at once":              {[]credential.Habit{{Consumer: "web", Lasted: hours(0, 0, 0)}}, time.Hour, "web"},
		"as the provider says": {[]credential.Habit{{Lasted: hours(8, 8, 8)}}, 10 * time.Hour, ""},
		"too little is known":  {[]credential.Habit{{Consumer: "web", Lasted: hours(100, 100)}}, 0, "web"},
		"of one too little":    {[]credential.Habit{{Consumer: "web", Lasted: hours(8, 8, 8)}, {Consumer: "new", Lasted: hours(100)}}, 10 * time.Hour, "new"},
	} {
		r := fleet(record("billing", "default", test.habits...))
		c := r.Clients[0]
		if time.Duration(c.Recommended) != test.recommended || c.Consumers[0].Name != test.slowest || time.Duration(c.Overlap) != 3*day {
			t.Errorf("%s: %+v", name, c)
		}
		if enough := test.recommended != 0; enough != (r.Policies[0].Clients == 1) {
			t.Errorf("%s: %+v", name, r.Policies)
		}
	}
}

// Percentiles are durations that occurred: of a few, the 95th is the longest.
func TestPercentiles(t *testing.T) {
	r := fleet(record("billing", "default", credential.Habit{Consumer: "web", Lasted: hours(100, 1, 3, 2)}))
	c := r.Clients[0].Consumers[0]
	if c.Rotations != 4 || time.Duration(c.P50) != 2*time.Hour || time.Duration(c.P95) != 100*time.Hour || c.Outlasted != 1 {
		t.Errorf("%+v", c)
	}
	var many []*credential.Record
	for i := range 200 { // one time in a hundred somebody needs ten days
		lasted := hours(1, 2, 2, 2, 3)
		if i%20 == 0 {
			lasted[4] = 240 * time.Hour
		}
		many = append(many, record(fmt.Sprint("c", i), "default", credential.Habit{Consumer: "web", Lasted: lasted}))
	}
	p := fleet(many...).Policies[0]
	if p.Clients != 200 || p.Rotations != 1000 || time.Duration(p.P50) != 2*time.Hour || time.Duration(p.P95) != 3*time.Hour {
		t.Errorf("%+v", p)
	}
	if time.Duration(p.Recommended) != 13*day || p.Slowest != "c0" {
		t.Errorf("a policy has to fit its slowest client: %+v", p)
	}
}

func TestSharedSecretsAreCounted(t *testing.T) {
	at := func(id, provider string, mode credential.Mode) *credential.Record {
		rec := record(id, "default")
		rec.Client.Provider, rec.Caps.Mode = provider, mode
		return rec
	}
	leaving := at("leaving", "sso", credential.ModeTwoSlot)
	leaving.Leaving = true
	records := []*credential.Record{
		at("a", "sso", credential.ModeGraceWindow), at("b", "sso", credential.ModeKeySet), at("c", "corp", credential.ModeTwoSlot),
		at("d", "old", credential.ModeHardCutover), at("e", "keys", credential.ModeUnknown), at("f", "salts", credential.ModeHardCutover),
		at("g", "gone", credential.ModeTwoSlot), leaving,
	}
	s := fleet(records...).Secrets
	if s.Shared != 3 || s.KeyPairs != 2 || s.Own != 1 || s.Unknown != 1 {
		t.Errorf("%+v", s)
	}
	var ways []string
	for _, m := range s.Movable {
		ways = append(ways, fmt.Sprintf("%s %s %d %v", m.Kind, m.Method, m.Clients, m.Some))
	}
	want := []string{"entra federation 1 [c]", "entra private_key_jwt 1 [c]", "keycloak private_key_jwt 1 [a]"}
	if !slices.Equal(ways, want) {
		t.Errorf("%v", ways)
	}
	var many []*credential.Record
	for i := range 1000 {
		many = append(many, at(fmt.Sprint(i), "sso", credential.ModeTwoSlot))
	}
	if m := fleet(many...).Secrets.Movable[0]; m.Clients != 1000 || len(m.Some) != advice.MaxNamed {
		t.Errorf("%d clients, %d named", m.Clients, len(m.Some))
	}
}

// A policy that has gone says nothing of its overlap, and nothing is longer than what is not known.
func TestAPolicyThatHasGone(t *testing.T) {
	r := fleet(record("billing", "gone", credential.Habit{Consumer: "web", Lasted: hours(1, 2, 300)}))
	if c := r.Clients[0]; c.Overlap != 0 || c.Consumers[0].Outlasted != 0 {
		t.Errorf("%+v", c)
	}
}

func TestTheReportIsReadByMachines(t *testing.T) {
	raw, err := json.Marshal(fleet())
	if err != nil || string(raw) != `{"clients":[],"policies":[],"secrets":{"shared":0,"key_pairs":0,"own":0,"unknown":0,"movable":[]}}` {
		t.Errorf("%s, error %v", raw, err)
	}
	raw, err = json.Marshal(fleet(record("billing", "default", credential.Habit{Consumer: "web", Lasted: hours(1, 2, 4)})))
	for _, want := range []string{`"p50_seconds":7200`, `"overlap_seconds":259200`, `"recommended_overlap_seconds":18000`, `"longer_than_overlap":0`} {
		if err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("%s is missing in %s (error %v)", want, raw, err)
		}
	}
}
