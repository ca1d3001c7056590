package main

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

func TestTheNextActionSaysWhatHappensAndWhen(t *testing.T) {
	due := monday().Add(66 * aDay)
	for name, test := range map[string]struct {
		change func(*credential.Record, *credential.Policy)
		action string
		at     time.Time
	}{
		"rotate by plan":  {func(*credential.Record, *credential.Policy) {}, "rotate", due},
		"rotate, overdue": {func(r *credential.Record, _ *credential.Policy) { r.Current.Expires = monday().Add(aDay) }, "rotate", monday()},
		"approve":         {func(_ *credential.Record, p *credential.Policy) { p.Start = credential.StartApprove }, "a person approves", due},
		"approved": {func(r *credential.Record, p *credential.Policy) {
			p.Start, r.Request.Approved = credential.StartApprove, true
		}, "rotate", due},
		"observe": {func(_ *credential.Record, p *credential.Policy) { p.Start = credential.StartObserve }, "expire", monday().Add(80 * aDay)},
		"observe, asked before": {func(r *credential.Record, p *credential.Policy) {
			p.Start, r.Request.Rotate = credential.StartObserve, true
		}, "expire", monday().Add(80 * aDay)},
		"observe what never expires": {func(r *credential.Record, p *credential.Policy) {
			p.Start, p.Lifetime, r.Current = credential.StartObserve, 0, credential.Secret{ID: "k", Never: true}
		}, "look", monday().Add(time.Hour)},
		"observe, nothing in Vault": {func(r *credential.Record, p *credential.Policy) {
			p.Start, r.Sight = credential.StartObserve, credential.SightEmpty
		}, "look", monday().Add(time.Hour)},
		"submit":           {func(r *credential.Record, _ *credential.Policy) { r.Caps.Mode = credential.ModeManual }, "a person submits", due},
		"first look":       {func(r *credential.Record, _ *credential.Policy) { r.Sight, r.Due = credential.SightNone, monday() }, "first look", monday()},
		"nothing in Vault": {func(r *credential.Record, _ *credential.Policy) { r.Sight = credential.SightEmpty }, "a person rotates", time.Time{}},
		"held": {func(r *credential.Record, _ *credential.Policy) {
			r.Hold = &credential.Hold{Code: credential.HoldMismatch, Deadline: due}
		}, "a person decides", due},
		"paging only": {func(r *credential.Record, _ *credential.Policy) {
			r.Hold = &credential.Hold{Code: credential.HoldAttempts, Paging: true}
			r.Rotation, r.Due = &credential.Rotation{Phase: credential.PhaseStaged}, due
		}, "verify", due},
		"overlap": {func(r *credential.Record, _ *credential.Policy) {
			r.Rotation = &credential.Rotation{Phase: credential.PhaseOverlap, RevokeAfter: due}
		}, "revoke", due},
		"overlap that ends outside its window": {func(r *credential.Record, _ *credential.Policy) {
			r.Rotation = &credential.Rotation{Phase: credential.PhaseOverlap, RevokeAfter: monday().Add(6*aDay - time.Hour)}
			r.Rotation.Policy.Window = credential.WindowSpec{Cron: "0 9 * * MON-THU", Duration: 2 * time.Hour, Timezone: "UTC"}
			r.Due = r.Rotation.RevokeAfter
		}, "revoke", monday().Add(7*aDay - 3*time.Hour)},
		"overlap that has ended, and is tried again later": {func(r *credential.Record, _ *credential.Policy) {
			r.Rotation, r.Due = &credential.Rotation{Phase: credential.PhaseOverlap, RevokeAfter: monday()}, due
		}, "revoke", due},
		"leaving": {func(r *credential.Record, _ *credential.Policy) { r.Leaving, r.Due = true, monday() }, "archive", monday()},
		"never": {func(r *credential.Record, p *credential.Policy) {
			r.Current = credential.Secret{ID: "k", Never: true}
			p.Lifetime = 0
		}, "look", monday().Add(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			rec, p := plannable(credential.ModeTwoSlot), planPolicy()
			test.change(&rec, &p)
			if o := look(rec, p, monday()); o.Next != test.action || !o.NextAt.Equal(test.at) {
				t.Errorf("got %q at %s, want %q at %s", o.Next, o.NextAt, test.action, test.at)
			}
		})
	}
}

func TestTheWaysOutAreThoseOfTheTableOfHolds(t *testing.T) {
	for _, rule := range credential.HoldRules() {
		rec := plannable(credential.ModeTwoSlot)
		rec.Hold = &credential.Hold{Code: rule.Code}
		got := waysOut(rec)
		want := len(rule.Choices(false))
		for _, more := range []bool{rule.Submit, rule.Remove()} {
			if more {
				want++
			}
		}
		if len(got) != want || rule.Submit != slices.Contains(got, "rotad submit billing") {
			t.Errorf("%s: got %q", rule.Code, got)
		}
	}
}

func TestAClientThatTheProviderDoesNotKnowIsTakenAwayWhereItStands(t *testing.T) {
	for name, test := range map[string]struct {
		source   string
		rotation *credential.Rotation
		want     []string
	}{
		"by a command":           {"add", nil, []string{"rotad resume billing --retry", "rotad remove billing"}},
		"by a file":              {"config.yaml:12", nil, []string{"rotad resume billing --retry", "delete it in config.yaml:12, then: systemctl reload rotad"}},
		"by a command, rotating": {"add", &credential.Rotation{}, []string{"rotad resume billing --retry", "rotad resume billing --abort", "rotad remove billing"}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := plannable(credential.ModeTwoSlot)
			rec.Client.Source, rec.Rotation, rec.Hold = test.source, test.rotation, &credential.Hold{Code: credential.HoldClientMissing}
			if got := waysOut(rec); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestARotationThatKeepsFailingNamesTheWayToAbortItThatIsOpen(t *testing.T) {
	const boot = "here/1"
	const abort = "rotad resume billing --abort"
	known := credential.Rotation{Phase: credential.PhaseIntent, Asked: boot, SinceBoot: boot}
	inFlight, sent := known, known
	inFlight.Asked = ""
	sent.Fence, sent.Asked = 3, ""
	staged := credential.Rotation{Phase: credential.PhaseStaged, New: credential.Secret{ID: "k2"}, Staged: 4}
	named := credential.Rotation{Phase: credential.PhaseOverlap, Promoted: 5, Old: credential.Secret{ID: "k1"}}
	unnamed := named
	unnamed.Old.ID = ""
	for name, test := range map[string]struct {
		mode     credential.Mode
		rotation credential.Rotation
		error    string
		boot     string
		want     []string
	}{
		"nothing was created":            {credential.ModeGraceWindow, known, "vault denies it", boot, []string{abort}},
		"nothing fails":                  {credential.ModeGraceWindow, known, "", boot, nil},
		"no daemon":                      {credential.ModeGraceWindow, known, "vault denies it", "", nil},
		"another process asked":          {credential.ModeGraceWindow, known, "vault denies it", "here/2", nil},
		"a create may be under way":      {credential.ModeTwoSlot, inFlight, "no answer", boot, nil},
		"a create may have replaced it":  {credential.ModeGraceWindow, sent, "no answer", boot, nil},
		"a create may have added one":    {credential.ModeTwoSlot, sent, "no answer", boot, []string{abort}},
		"beside, not published":          {credential.ModeTwoSlot, staged, "no answer", boot, []string{abort}},
		"in place of, not published":     {credential.ModeGraceWindow, staged, "no answer", boot, nil},
		"published":                      {credential.ModeTwoSlot, named, "no answer", boot, nil},
		"published, the old one unnamed": {credential.ModeTwoSlot, unnamed, "no answer", boot, []string{"rotad hold billing, then " + abort}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := plannable(test.mode)
			rec.Rotation, rec.Backoff.Error = &test.rotation, test.error
			rec.Rotation.Caps.Mode = test.mode
			if got := waysToAbort(rec, planPolicy(), admin.World{Now: monday(), Boot: test.boot}); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestStatusPutsTheMostUrgentFirst(t *testing.T) {
	soon := monday().Add(aDay)
	rows := []statusRow{
		{Client: "leaving", Leaving: true, Phase: credential.PhaseSteady, Expires: soon},
		{Client: "unknown", Phase: credential.PhaseSteady},
		{Client: "later", Phase: credential.PhaseSteady, Expires: soon.Add(aDay)},
		{Client: "soon", Phase: credential.PhaseSteady, Expires: soon},
		{Client: "rotating", Phase: credential.PhaseOverlap},
		{Client: "held", Hold: credential.HoldMismatch, Phase: credential.PhaseSteady},
		{Client: "held-until", Hold: credential.HoldSecretLost, Deadline: soon, Phase: credential.PhaseSteady},
	}
	slices.SortStableFunc(rows, moreUrgent)
	var got []string
	for _, r := range rows {
		got = append(got, r.Client)
	}
	if want := []string{"held-until", "held", "rotating", "soon", "later", "unknown", "leaving"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMomentsAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]time.Time{
		"3d":                        monday().Add(3 * aDay),
		"PT2H":                      monday().Add(2 * time.Hour),
		"2026-05-01":                time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
		"2026-05-01T15:00:00+02:00": time.Date(2026, 5, 1, 13, 0, 0, 0, time.UTC),
	} {
		if got, err := parseMoment(text, monday()); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "tomorrow", "2026-13-01", "-3d", "1y", "9999-12-31T23:59:59-23:59"} {
		if got, err := parseMoment(text, monday()); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

func TestTextsOfServersCannotMoveTheCursor(t *testing.T) {
	if got := clean("a\x1b[2J\r\nb\u202ec\x00 d\x9b"); got != "a[2J  bc d" {
		t.Errorf("got %q", got)
	}
}

func TestTheVaultCommandIsReadyForAShell(t *testing.T) {
	p := credential.VaultPath{Namespace: "team a", Mount: "kv", Path: "apps/o'brien"}
	if got, want := vaultCommand(p, 7), `vault kv get -namespace='team a' -mount=kv -version=7 'apps/o'\''brien'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
