package rotation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// paced is an environment with the steps of waves, and a wave.
func paced(now time.Time, w credential.Wave) rotation.Env {
	e := env(now, policy())
	e.Pace = credential.Pace{Steps: []credential.WaveStep{{Clients: 1}, {Percent: 10}}, Least: 10}
	e.Tally.Wave = w
	return e
}

func strokesOf(d rotation.Decision) []credential.StrokeKind {
	var kinds []credential.StrokeKind
	for _, s := range d.Strokes {
		kinds = append(kinds, s.Kind)
	}
	return kinds
}

// in makes a client part of the wave w.
func in(rec credential.Record, state credential.WaveState) credential.Record {
	rec.Wave = credential.Membership{Provider: "idp", Wave: "w", State: state}
	return rec
}

func stopped() credential.Wave {
	return credential.Wave{
		ID: "w", Waiting: 90, Confirmed: 9, Failed: 1,
		Failure: &credential.WaveFailure{At: noon().Add(-time.Hour), Client: "ledger", Code: "rejected", Detail: "HTTP 400"},
	}
}

// TestADueRotationWaitsForItsTurn has what a client that is due does, by the wave of its provider.
func TestADueRotationWaitsForItsTurn(t *testing.T) {
	due, mine := steady(10*day), in(steady(10*day), credential.WaveWaiting)
	requested := mine
	requested.Request = credential.Request{Rotate: true, Actor: "alice"}
	held := mine
	held.Hold = &credential.Hold{Code: credential.HoldByPerson}
	for name, test := range map[string]struct {
		rec     credential.Record
		wave    credential.Wave
		effect  rotation.Effect
		strokes []credential.StrokeKind
	}{
		"alone, it begins":                          {due, credential.Wave{}, rotation.EffectPrepare, []credential.StrokeKind{credential.StrokeJoined, credential.StrokeBegun}},
		"beside one under way, it joins and waits":  {due, credential.Wave{ID: "w", UnderWay: 1}, rotation.EffectNone, []credential.StrokeKind{credential.StrokeJoined}},
		"still waiting, it changes nothing":         {mine, credential.Wave{ID: "w", Waiting: 3, UnderWay: 1}, rotation.EffectNone, nil},
		"its turn has come":                         {mine, credential.Wave{ID: "w", Waiting: 3, Confirmed: 1}, rotation.EffectPrepare, []credential.StrokeKind{credential.StrokeBegun}},
		"it has begun, and asks again":              {in(due, credential.WaveUnderWay), credential.Wave{ID: "w", Waiting: 3, UnderWay: 1}, rotation.EffectPrepare, nil},
		"of a wave that is over, it begins another": {mine, credential.Wave{ID: "x", Confirmed: 3}, rotation.EffectPrepare, []credential.StrokeKind{credential.StrokeLeft, credential.StrokeJoined, credential.StrokeBegun}},
		"the wave stands still: people are told":    {mine, stopped(), rotation.EffectNone, []credential.StrokeKind{credential.StrokeTold}},
		"a person wants it now":                     {requested, stopped(), rotation.EffectPrepare, []credential.StrokeKind{credential.StrokeLeft}},
		"a person stops it":                         {held, credential.Wave{ID: "w", Waiting: 3}, rotation.EffectNone, []credential.StrokeKind{credential.StrokeLeft}},
		"it is no longer due":                       {in(steady(40*day), credential.WaveWaiting), credential.Wave{ID: "w", Waiting: 3}, rotation.EffectNone, []credential.StrokeKind{credential.StrokeLeft}},
	} {
		t.Run(name, func(t *testing.T) {
			d := rotation.Plan(test.rec, paced(noon(), test.wave))
			if d.Effect != test.effect || !slices.Equal(strokesOf(d), test.strokes) {
				t.Errorf("effect %q, strokes %v; want %q, %v (%s)", d.Effect, strokesOf(d), test.effect, test.strokes, d.Reason)
			}
			if d.Effect == rotation.EffectNone && !d.Record.Due.After(noon()) {
				t.Errorf("it is due at once, at %s", d.Record.Due)
			}
		})
	}
}

// TestAWaveThatStandsStillIsToldOnce: whoever waits first tells, and no second one does.
func TestAWaveThatStandsStillIsToldOnce(t *testing.T) {
	words := func(w credential.Wave) []credential.Notice {
		d := rotation.Plan(in(steady(10*day), credential.WaveWaiting), paced(noon(), w))
		return slices.DeleteFunc(d.Notices, func(n credential.Notice) bool { return n.Kind != credential.NoticeStopped })
	}
	if first := words(stopped()); len(first) != 1 || !first[0].Admins || first[0].Client != "ledger" || first[0].Facts.Provider != "idp" {
		t.Fatalf("told %+v", first)
	}
	told := stopped()
	told.Told = true
	if again := words(told); len(again) != 0 {
		t.Errorf("told again: %+v", again)
	}
}

// TestWhatIsUrgentDoesNotWait: a secret that would lose its overlap begins before its turn, one such at a time, and says so.
func TestWhatIsUrgentDoesNotWait(t *testing.T) {
	urgent := in(steady(2*day), credential.WaveWaiting) // the overlap is three days
	d := rotation.Plan(urgent, paced(noon(), stopped()))
	if d.Effect != rotation.EffectPrepare || !slices.Equal(strokesOf(d), []credential.StrokeKind{credential.StrokeUrgent}) || d.Record.Wave.State != credential.WaveUrgent {
		t.Fatalf("effect %q, strokes %v", d.Effect, strokesOf(d))
	}
	if !slices.Contains(kindsOf(d), credential.NoticeStopped) || len(d.Audit) == 0 {
		t.Errorf("nobody is told: %v, %v", kindsOf(d), d.Audit)
	}
	for name, change := range map[string]func(*credential.Wave){
		"another urgent one is under way": func(w *credential.Wave) { w.UnderWay, w.Urgent = 1, 1 },
		"the last one has just failed":    func(w *credential.Wave) { w.Failure.At = noon().Add(-time.Minute) },
	} {
		w := stopped()
		change(&w)
		if d := rotation.Plan(urgent, paced(noon(), w)); d.Effect != rotation.EffectNone {
			t.Errorf("%s: effect %q", name, d.Effect)
		}
	}
}

// TestWhatAWaveMakesOfAnOutcome is the definition of confirmed and failed.
func TestWhatAWaveMakesOfAnOutcome(t *testing.T) {
	begun := in(steady(10*day), credential.WaveUnderWay)
	rotating := func(p credential.Phase) credential.Record {
		rec := begun
		rec.Rotation = &credential.Rotation{
			ID: "r", Attempt: 1, Phase: p, Client: rec.Client, Policy: policy(), Caps: rec.Caps, Old: rec.Current, OldVersion: 3, Fence: 2, Since: noon(),
			New: credential.Secret{ID: "new"}, Staged: 2,
		}
		return rec
	}
	cutover := rotating(credential.PhaseVerified)
	cutover.Rotation.Cutover = true
	failure := func(c providers.Class) rotation.Outcome {
		return rotation.Outcome{Result: rotation.NotDone, Failure: rotation.Failure{Class: c, Text: "no"}}
	}
	refused := rotating(credential.PhaseStaged)
	refused.Rotation.Since = noon().Add(-day)
	for name, test := range map[string]struct {
		rec     credential.Record
		effect  rotation.Effect
		outcome rotation.Outcome
		want    []credential.StrokeKind
	}{
		"published":                           {rotating(credential.PhaseVerified), rotation.EffectPromote, rotation.Outcome{Result: rotation.Done, Version: 4, At: noon()}, []credential.StrokeKind{credential.StrokeConfirmed}},
		"a cutover is not proved by that":     {cutover, rotation.EffectPromote, rotation.Outcome{Result: rotation.Done, Version: 4, At: noon()}, nil},
		"verified proves nothing yet":         {rotating(credential.PhaseStaged), rotation.EffectVerify, rotation.Outcome{Result: rotation.Done, Answer: providers.Accepted}, nil},
		"no right":                            {rotating(credential.PhaseIntent), rotation.EffectCreate, failure(providers.ClassAuth), []credential.StrokeKind{credential.StrokeFailed}},
		"rejected":                            {rotating(credential.PhaseIntent), rotation.EffectCreate, failure(providers.ClassRejected), []credential.StrokeKind{credential.StrokeFailed}},
		"no free slot":                        {rotating(credential.PhaseIntent), rotation.EffectCreate, failure(providers.ClassQuota), []credential.StrokeKind{credential.StrokeFailed}},
		"throttled":                           {rotating(credential.PhaseIntent), rotation.EffectCreate, failure(providers.ClassThrottled), nil},
		"away":                                {rotating(credential.PhaseIntent), rotation.EffectCreate, failure(providers.ClassUnavailable), nil},
		"busy":                                {rotating(credential.PhaseIntent), rotation.EffectCreate, failure(providers.ClassBusy), nil},
		"an outcome that is not known":        {rotating(credential.PhaseIntent), rotation.EffectCreate, rotation.Outcome{Result: rotation.Unknown, Fence: 3}, nil},
		"not accepted until its deadline":     {refused, rotation.EffectVerify, rotation.Outcome{Result: rotation.Done, Answer: providers.Refused}, []credential.StrokeKind{credential.StrokeFailed}},
		"not accepted yet":                    {rotating(credential.PhaseStaged), rotation.EffectVerify, rotation.Outcome{Result: rotation.Done, Answer: providers.Refused}, nil},
		"a look before the intent is in vain": {begun, rotation.EffectPrepare, failure(providers.ClassUnavailable), nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := rotation.Apply(test.rec, test.effect, test.outcome, paced(noon(), credential.Wave{ID: "w", UnderWay: 1, Waiting: 20}))
			if !slices.Equal(strokesOf(d), test.want) {
				t.Errorf("strokes %v, want %v", strokesOf(d), test.want)
			}
			if ended := d.Record.Wave == (credential.Membership{}); ended != (test.want != nil) {
				t.Errorf("its part in the wave is %+v", d.Record.Wave)
			}
		})
	}
}

// TestARefusalBeforeTheIntentIsAFailure, unless it is the one that the client had before: then it makes room.
func TestARefusalBeforeTheIntentIsAFailure(t *testing.T) {
	rec := in(steady(10*day), credential.WaveUnderWay)
	l := look(rec)
	l.Snapshot.Caps.Disabled = true
	outcome := rotation.Outcome{Result: rotation.Done, Look: l}
	e := paced(noon(), credential.Wave{ID: "w", UnderWay: 1, Waiting: 20})
	if d := rotation.Apply(rec, rotation.EffectPrepare, outcome, e); !slices.Equal(strokesOf(d), []credential.StrokeKind{credential.StrokeFailed}) {
		t.Errorf("strokes %v", strokesOf(d))
	}
	rec.Hold = &credential.Hold{Code: credential.HoldCannotVerify, Retry: true}
	if d := rotation.Apply(rec, rotation.EffectPrepare, outcome, e); !slices.Equal(strokesOf(d), []credential.StrokeKind{credential.StrokeLeft}) {
		t.Errorf("a hold that was there before: strokes %v", strokesOf(d))
	}
}

// TestAClientWhoseSettingsAllowNoRotationMakesRoom: that is its own matter, and stops nobody else.
func TestAClientWhoseSettingsAllowNoRotationMakesRoom(t *testing.T) {
	rec := in(steady(10*day), credential.WaveUnderWay)
	l := look(rec)
	l.Snapshot.Caps.Mode, rec.Client.AllowCut = credential.ModeHardCutover, false
	d := rotation.Apply(rec, rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: l}, paced(noon(), credential.Wave{ID: "w", UnderWay: 1, Waiting: 20}))
	if h := d.Record.Hold; h == nil || h.Code != credential.HoldCutover || !slices.Equal(strokesOf(d), []credential.StrokeKind{credential.StrokeLeft}) {
		t.Errorf("hold %+v, strokes %v", h, strokesOf(d))
	}
}

// TestTheDaysCreatesAreCounted: the quota is asked before anything is touched, and the create counts with the intent.
func TestTheDaysCreatesAreCounted(t *testing.T) {
	quota := func(used int) rotation.Env {
		e := env(noon(), policy())
		e.Pace.Quota, e.Tally = 5, credential.Tally{Day: noon().Truncate(day), Creates: used}
		return e
	}
	requested := steady(10 * day)
	requested.Request = credential.Request{Rotate: true, Actor: "alice"}
	for name, test := range map[string]struct {
		rec  credential.Record
		used int
		want rotation.Effect
	}{
		"some are left":             {steady(10 * day), 4, rotation.EffectPrepare},
		"none are":                  {steady(10 * day), 5, rotation.EffectNone},
		"a person wants it":         {requested, 5, rotation.EffectPrepare},
		"it would lose its overlap": {steady(2 * day), 5, rotation.EffectPrepare},
	} {
		t.Run(name, func(t *testing.T) {
			d := rotation.Plan(test.rec, quota(test.used))
			if d.Effect != test.want {
				t.Fatalf("effect %q, want %q", d.Effect, test.want)
			}
			if tomorrow := noon().Truncate(day).Add(day); test.want == rotation.EffectNone && d.Reason != "quota" {
				t.Errorf("it waits for %s until %s, want the quota of %s", d.Reason, d.Record.Due, tomorrow)
			}
		})
	}
	begun := rotation.Apply(steady(10*day), rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: look(steady(10 * day))}, quota(4))
	if len(begun.Strokes) != 1 || begun.Strokes[0].Kind != credential.StrokeCreated || begun.Strokes[0].Limit != 5 {
		t.Errorf("strokes %+v", begun.Strokes)
	}
	late := rotation.Apply(steady(10*day), rotation.EffectPrepare, rotation.Outcome{Result: rotation.Done, Look: look(steady(10 * day))}, quota(5))
	if late.Record.Rotation != nil || len(late.Strokes) != 0 {
		t.Errorf("another one was faster, and it begins: %+v", late.Strokes)
	}
}

// TestWhatCanWaitForAProvider: nothing waits while a created secret may be unpublished, or somebody has one who must not.
func TestWhatCanWaitForAProvider(t *testing.T) {
	rotating := func(p credential.Phase, fence int, cause credential.CauseKind) credential.Record {
		rec := steady(10 * day)
		rec.Rotation = &credential.Rotation{ID: "r", Phase: p, Fence: fence, Cause: credential.Cause{Kind: cause}}
		return rec
	}
	for name, test := range map[string]struct {
		rec    credential.Record
		effect rotation.Effect
		want   bool
	}{
		"a look":                              {steady(10 * day), rotation.EffectLook, true},
		"what comes before an intent":         {steady(10 * day), rotation.EffectPrepare, true},
		"a create that was not sent":          {rotating(credential.PhaseIntent, 0, credential.CauseScheduled), rotation.EffectCreate, true},
		"a create that may have been":         {rotating(credential.PhaseIntent, 3, credential.CauseScheduled), rotation.EffectCreate, false},
		"settling":                            {rotating(credential.PhaseIntent, 3, credential.CauseScheduled), rotation.EffectSettle, false},
		"verifying a new one":                 {rotating(credential.PhaseStaged, 3, credential.CauseScheduled), rotation.EffectVerify, false},
		"undoing":                             {rotating(credential.PhaseCompensating, 3, credential.CauseScheduled), rotation.EffectCompensate, false},
		"proving a cutover":                   {rotating(credential.PhaseOverlap, 3, credential.CauseScheduled), rotation.EffectProve, false},
		"the gate":                            {rotating(credential.PhaseOverlap, 3, credential.CauseScheduled), rotation.EffectGate, true},
		"a revoke":                            {rotating(credential.PhaseRevoking, 3, credential.CauseScheduled), rotation.EffectRevoke, true},
		"the revoke of a compromised one":     {rotating(credential.PhaseRevoking, 3, credential.CauseCompromised), rotation.EffectRevoke, false},
		"publishing, which is asked of Vault": {rotating(credential.PhaseVerified, 3, credential.CauseScheduled), rotation.EffectPromote, false},
	} {
		if got := rotation.CanWait(test.rec, test.effect); got != test.want {
			t.Errorf("%s: can wait %t, want %t", name, got, test.want)
		}
	}
}
