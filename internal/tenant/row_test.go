package tenant_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/tenant"
	"github.com/rotad/rotad/providers"
)

const day = 24 * time.Hour

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func secret(id string, age, life time.Duration) credential.Secret {
	return credential.Secret{ID: id, Start: noon.Add(-age), Expires: noon.Add(life - age)}
}

func listed(labels bool, secrets ...credential.Secret) providers.Listed {
	return providers.Listed{
		Ref: credential.Ref{"app_id": "a"}, Name: "billing",
		Snapshot: providers.Snapshot{Caps: credential.Capabilities{Labels: labels}, Secrets: secrets},
	}
}

func labelled(s credential.Secret, label string) credential.Secret {
	s.Label = label
	return s
}

func TestWhatIsSaidOfACredential(t *testing.T) {
	judge := tenant.Judge{Now: noon, Overlap: 30 * day}
	never := credential.Secret{ID: "n", Start: noon.Add(-day), Never: true}
	previous := credential.Secret{ID: "p", Slot: providers.SlotPrevious}
	counting := credential.Secret{ID: "p", Slot: providers.SlotPrevious, Expires: noon.Add(day)}
	current := credential.Secret{ID: "c", Slot: providers.SlotCurrent, Start: noon.Add(-300 * day)}
	for name, test := range map[string]struct {
		client providers.Listed
		want   tenant.Row // of the first secret: what it says
	}{
		"a usual one":                              {listed(true, secret("a", 10*day, 90*day)), tenant.Row{AgeDays: 10, MadeBy: tenant.MadeByOther}},
		"a label of rotad":                         {listed(true, labelled(secret("a", 10*day, 90*day), credential.Label("r", 1))), tenant.Row{AgeDays: 10, MadeBy: tenant.MadeByRotad}},
		"no labels are kept":                       {listed(false, secret("a", 10*day, 90*day)), tenant.Row{AgeDays: 10, MadeBy: tenant.MadeUnknown}},
		"it never expires":                         {listed(true, never), tenant.Row{AgeDays: 1, Never: true, MadeBy: tenant.MadeByOther}},
		"it ends in 99 years":                      {listed(true, secret("a", day, 99*365*day)), tenant.Row{AgeDays: 1, Century: true, MadeBy: tenant.MadeByOther}},
		"it has expired":                           {listed(true, secret("a", 100*day, 90*day)), tenant.Row{AgeDays: 100, Expired: true, MadeBy: tenant.MadeByOther}},
		"a newer one has stood beside it for long": {listed(true, secret("a", 200*day, 700*day), secret("b", 40*day, 700*day)), tenant.Row{AgeDays: 200, LeftBehind: true, MadeBy: tenant.MadeByOther}},
		"a newer one is young":                     {listed(true, secret("a", 200*day, 700*day), secret("b", 20*day, 700*day)), tenant.Row{AgeDays: 200, MadeBy: tenant.MadeByOther}},
		"a newer one has expired":                  {listed(true, secret("a", 200*day, 700*day), secret("b", 40*day, 10*day)), tenant.Row{AgeDays: 200, MadeBy: tenant.MadeByOther}},
		"the previous one has no end":              {listed(false, previous, current), tenant.Row{AgeDays: -1, LeftBehind: true, MadeBy: tenant.MadeUnknown}},
		"the previous one counts down":             {listed(false, counting, current), tenant.Row{AgeDays: -1, MadeBy: tenant.MadeUnknown}},
		"the current one is old":                   {listed(false, current, previous), tenant.Row{AgeDays: 300, MadeBy: tenant.MadeUnknown}},
	} {
		got := judge.Rows(test.client)[0]
		if got.AgeDays != test.want.AgeDays || got.Never != test.want.Never || got.Century != test.want.Century || got.Expired != test.want.Expired ||
			got.LeftBehind != test.want.LeftBehind || got.MadeBy != test.want.MadeBy {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestARotationUnderWayLeavesNothingBehind(t *testing.T) {
	judge := tenant.Judge{Now: noon, Overlap: day, Known: func(credential.Ref) (tenant.Known, bool) {
		return tenant.Known{ID: "billing-api", Rotating: true}, true
	}}
	rows := judge.Rows(listed(true, secret("a", 200*day, 700*day), secret("b", 40*day, 700*day)))
	if rows[0].LeftBehind || rows[0].Registered != "billing-api" {
		t.Errorf("%+v", rows[0])
	}
}

// Every way in which a client can differ is said, and only that one.
func TestDrift(t *testing.T) {
	mine := secret("mine", 10*day, 90*day)
	known := tenant.Known{ID: "billing-api", Since: noon.Add(-20 * day), Current: mine, Adopted: true}
	with := func(change func(*tenant.Known)) tenant.Known {
		k := known
		change(&k)
		return k
	}
	for name, test := range map[string]struct {
		known  tenant.Known
		client providers.Listed
		want   tenant.Difference
	}{
		"nothing":                             {known, listed(true, mine), ""},
		"a second one from before":            {known, listed(true, mine, secret("old", 100*day, 700*day)), ""},
		"a second one from before, in a slot": {known, listed(false, mine, credential.Secret{ID: "p", Slot: providers.SlotPrevious}), ""},
		"a second one from since":             {known, listed(true, mine, secret("new", 5*day, 700*day)), tenant.DriftAdded},
		"a second one that has expired":       {known, listed(true, mine, secret("new", 5*day, day)), ""},
		"a label of rotad":                    {known, listed(true, mine, labelled(secret("x", 5*day, 700*day), credential.Label("r", 2))), tenant.DriftOrphan},
		"it is gone":                          {known, listed(true, secret("old", 100*day, 700*day)), tenant.DriftRemoved},
		"it is gone, and had expired":         {with(func(k *tenant.Known) { k.Current = secret("mine", 100*day, 90*day) }), listed(true), ""},
		"it ends earlier":                     {known, listed(true, secret("mine", 10*day, 80*day)), tenant.DriftChanged},
		"a rotation is under way":             {with(func(k *tenant.Known) { k.Rotating = true }), listed(true), ""},
		"it was not adopted":                  {with(func(k *tenant.Known) { k.Adopted = false }), listed(true), ""},
		"vault was written by somebody":       {with(func(k *tenant.Known) { k.Hold = credential.HoldForeignWrite }), listed(true, mine), tenant.DriftVault},
		"it is held for another reason":       {with(func(k *tenant.Known) { k.Hold = credential.HoldByPerson }), listed(true, mine), ""},
	} {
		got := tenant.Compare(test.known, test.client, noon)
		switch {
		case test.want == "" && len(got) > 0, test.want != "" && (len(got) != 1 || got[0].Difference != test.want):
			t.Errorf("%s: %+v, want %q", name, got, test.want)
		case len(got) == 1 && (got[0].Client != "billing-api" || got[0].Command == "" || got[0].Detail == ""):
			t.Errorf("%s: it does not say what to do: %+v", name, got[0])
		}
	}
}
