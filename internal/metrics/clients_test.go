package metrics_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
)

func TestCurrentSlotSaysWhenTheSecretInVaultExpires(t *testing.T) {
	stated := func(r *credential.Record) { r.Client.Expires = noon.Add(2 * day) }
	never := func(r *credential.Record) { r.Current.Never = true }
	for name, tc := range map[string]struct {
		facts []func(*credential.Record)
		want  string
	}{
		"the provider says it":                   {[]func(*credential.Record){expires(noon.Add(day))}, "1.7673552e+09"},
		"a person states it":                     {[]func(*credential.Record){stated}, "1.7674416e+09"},
		"the provider's word counts":             {[]func(*credential.Record){stated, expires(noon.Add(day))}, "1.7673552e+09"},
		"never is +Inf":                          {[]func(*credential.Record){never}, "+Inf"},
		"never beats what a person stated":       {[]func(*credential.Record){never, stated}, "+Inf"},
		"unknown has no series":                  {nil, ""},
		"fractions of a second are kept":         {[]func(*credential.Record){expires(noon.Add(500 * time.Millisecond))}, "1.7672688005e+09"},
		"a year beyond nanoseconds is not wrong": {[]func(*credential.Record){expires(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))}, "2.53402300799e+11"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(&source{records: []credential.Record{registered("billing", tc.facts...)}})
			want := ""
			if tc.want != "" {
				want = `secret_expiry_timestamp_seconds{client="billing",owner="payments",provider="corp",slot="current"} ` + tc.want
			}
			b.shows(t, want, "secret_expiry_timestamp_seconds")
		})
	}
}

func TestConsumersAreCountedByWhatTheyRunOn(t *testing.T) {
	rec := registered("billing", rotating(credential.Rotation{
		Phase: credential.PhaseOverlap, Caps: credential.Capabilities{Mode: credential.ModeTwoSlot}, Old: credential.Secret{ID: "old"},
		RevokeAfter: noon, Promoted: 7, Extended: noon,
		Client: credential.Client{ID: "billing", Consumers: []credential.NamedConsumer{{Name: "web"}, {Name: "batch"}, {Name: "db", Optional: true}}},
	}))
	rec.Version = 7
	rec.Consumers = []credential.ConsumerState{{Name: "web", Version: 7}, {Name: "batch", Version: 6}}
	b := newBench(&source{records: []credential.Record{rec}})
	b.shows(t, `consumers{client="billing",state="late"} 2
rotad_consumers{client="billing",state="moved"} 1`, "consumers")
	b.shows(t, `overlap_extended_timestamp_seconds{client="billing"} 1.7672688e+09`, "overlap_extended_timestamp_seconds")
}

func TestRetiringSlotSaysUntilWhenTheOldSecretWorks(t *testing.T) {
	old := credential.Secret{ID: "old", Expires: noon.Add(9 * day)}
	base := credential.Rotation{
		Phase: credential.PhaseOverlap, Caps: credential.Capabilities{Mode: credential.ModeTwoSlot},
		Old: old, RevokeAfter: noon.Add(3 * day), OldDies: noon.Add(5 * day),
	}
	in := func(f func(*credential.Rotation)) credential.Rotation { r := base; f(&r); return r }
	grace := func(r *credential.Rotation) { r.Caps.Mode = credential.ModeGraceWindow }
	manual := func(r *credential.Rotation) { r.Caps.Mode = credential.ModeManual }
	for name, tc := range map[string]struct {
		rotation credential.Rotation
		want     string
	}{
		"the end of the overlap":             {base, "1.767528e+09"},
		"while it is being revoked":          {in(func(r *credential.Rotation) { r.Phase = credential.PhaseRevoking }), "1.767528e+09"},
		"its own expiry where that is first": {in(func(r *credential.Rotation) { r.Old.Expires = noon.Add(day) }), "1.7673552e+09"},
		"the provider's timer retires it":    {in(grace), "1.7677008e+09"},
		"a timer that is not waited for": {in(func(r *credential.Rotation) {
			grace(r)
			r.Policy.DeleteEarly = true
		}), "1.767528e+09"},
		"a person removes it: its expiry": {in(manual), "1.7680464e+09"},
		"a person removes it: never": {in(func(r *credential.Rotation) {
			manual(r)
			r.Old = credential.Secret{ID: "old", Never: true}
		}), "+Inf"},
		"a person removes it: unknown": {in(func(r *credential.Rotation) {
			manual(r)
			r.Old = credential.Secret{ID: "old"}
		}), ""},
		"not before it is promoted":    {in(func(r *credential.Rotation) { r.Phase = credential.PhaseVerified }), ""},
		"not after it was revoked":     {in(func(r *credential.Rotation) { r.Phase, r.Revoked = credential.PhaseRevoking, true }), ""},
		"not after a hard cutover":     {in(func(r *credential.Rotation) { r.Cutover = true }), ""},
		"not where there was none":     {in(func(r *credential.Rotation) { r.Old = credential.Secret{} }), ""},
		"no id, but a version held it": {in(func(r *credential.Rotation) { r.Old, r.OldVersion = credential.Secret{}, 4 }), "1.767528e+09"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(&source{records: []credential.Record{registered("billing", rotating(tc.rotation))}})
			want := ""
			if tc.want != "" {
				want = `secret_expiry_timestamp_seconds{client="billing",owner="payments",provider="corp",slot="retiring"} ` + tc.want
			}
			b.shows(t, want, "secret_expiry_timestamp_seconds")
		})
	}
}

func TestOnlyWhatIsNotSteadyHasAPhase(t *testing.T) {
	b := newBench(&source{records: []credential.Record{
		registered("a"),
		registered("b", rotating(credential.Rotation{Phase: credential.PhaseStaged})),
	}})
	b.shows(t, `rotation_phase{client="b",phase="staged"} 1`, "rotation_phase")
}

func TestNextActionComesFromTheOptions(t *testing.T) {
	next := func(r credential.Record) (string, time.Time) {
		switch r.Client.ID {
		case "a":
			return "rotate", noon
		case "b":
			return "", noon
		default:
			return "look", time.Time{}
		}
	}
	b := newBench(&source{records: []credential.Record{registered("a"), registered("b"), registered("c")}},
		func(o *metrics.Options) { o.NextAction = next })
	b.shows(t, `next_action_timestamp_seconds{action="rotate",client="a"} 1.7672688e+09`, "next_action_timestamp_seconds")
}

func crowd(n int) []credential.Record {
	records := make([]credential.Record, n)
	for i := range records {
		records[i] = registered(fmt.Sprintf("client-%05d", i), expires(noon.Add(time.Duration(i)*time.Hour)),
			rotating(credential.Rotation{Phase: credential.PhaseIntent}))
	}
	return records
}

func TestClientSeriesStopAtTheLimit(t *testing.T) {
	many := metrics.Totals{Clients: map[metrics.Group]int{
		{Provider: "corp", Mode: credential.ModeTwoSlot}: 4_000, {Provider: "old", Mode: credential.ModeManual}: 1_000,
	}}
	for name, tc := range map[string]struct {
		limit, answered int
		asked           int64
		series, dropped int
	}{
		"the most urgent are shown":            {10, 10, 10, 10, 4_990},
		"a source that answers more is cut":    {10, 25, 10, 10, 4_990},
		"a source that answers less is no gap": {10, 4, 10, 4, 4_996},
		"0 = none, and nothing is read":        {0, 10, 0, 0, 5_000},
		"no limit in reach":                    {6_000, 5_000, 6_000, 5_000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &source{totals: many, records: crowd(tc.answered)}
			b := newBench(s, func(o *metrics.Options) { o.ClientSeries = tc.limit })
			text := b.scrape(t)
			for _, metric := range []string{"rotation_phase", "secret_expiry_timestamp_seconds"} {
				if got := lines(samples(text, []string{metric})); got != tc.series {
					t.Errorf("%d series of %s, want %d", got, metric, tc.series)
				}
			}
			if s.asked.Load() != tc.asked {
				t.Errorf("the source was asked for %d, want %d", s.asked.Load(), tc.asked)
			}
			b.shows(t, fmt.Sprintf("client_series_dropped %d", tc.dropped), "client_series_dropped")
		})
	}
}

func TestTheSameClientTwiceDoesNotCostTheScrape(t *testing.T) {
	b := newBench(&source{records: []credential.Record{
		registered("a", expires(noon)), registered("a", expires(noon.Add(day))), registered("b\xff", expires(noon)),
	}})
	b.shows(t, `
		secret_expiry_timestamp_seconds{client="a",owner="payments",provider="corp",slot="current"} 1.7672688e+09
		secret_expiry_timestamp_seconds{client="b�",owner="payments",provider="corp",slot="current"} 1.7672688e+09
	`, "secret_expiry_timestamp_seconds")
}

func TestNoMetricCarriesASecretOrItsID(t *testing.T) {
	canary := credential.Secret{ID: "canary", Slot: "canary", Label: "canary", Hint: "canary", Expires: noon}
	rec := registered("a", rotating(credential.Rotation{
		ID: "canary", Phase: credential.PhaseOverlap, Old: canary, New: canary, Before: []credential.Secret{canary},
		Orphan: "canary", RevokeAfter: noon,
	}))
	rec.Current = canary
	rec.Client.Labels = map[string]string{"canary": "canary"}
	rec.Client.Ref = credential.Ref{"client_id": "canary"}
	rec.Hold = &credential.Hold{Code: credential.HoldMismatch, Detail: "canary"}
	rec.Backoff.Error = "canary"
	b := newBench(&source{records: []credential.Record{rec}})
	b.Committed(credential.Change{Record: rec, Audit: []credential.Audit{
		{Event: credential.EventConfirmed, Secret: "canary", Rotation: "canary", Detail: "canary"},
		{Event: credential.EventAborted, Detail: "canary"},
	}})
	text := b.scrape(t)
	if lines(samples(text, []string{"secret_expiry_timestamp_seconds"})) != 2 {
		t.Errorf("the client with the canary is not shown:\n%s", text)
	}
	if containsAny(text, "canary") {
		t.Errorf("the scrape shows what it must not:\n%s", text)
	}
}
