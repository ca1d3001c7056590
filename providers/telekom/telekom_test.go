package telekom_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telekom"
)

// TestARotationFromBeginningToEnd follows both secrets and both deadlines through a graceful rotation.
func TestARotationFromBeginningToEnd(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	p := w.provider(t)
	before := inspect(t, p, target(7*day))
	old, ok := before.Current()
	if !ok || before.ClientID != "eni--hyperion--billing" || !before.Time.Equal(w.now()) || !old.Expires.Equal(w.now().Add(90*day)) {
		t.Fatalf("%+v", before)
	}
	w.advance(60 * day)
	issued := create(t, p, target(7*day))
	took := w.now().Sub(issued.Secret.Start)
	if took < 0 || took > 10*time.Second || !issued.OldDies.Equal(issued.Secret.Start.Add(7*day)) {
		t.Errorf("the new one began %v ago, the old one dies %v", took, issued.OldDies)
	}
	after := inspect(t, p, target(7*day))
	if len(after.Secrets) != 2 || after.Secrets[0] != issued.Secret || after.Secrets[1].ID != old.ID {
		t.Fatalf("listed %+v, issued %+v, old %+v", after.Secrets, issued.Secret, old)
	}
	if previous := after.Secrets[1]; previous.Slot != providers.SlotPrevious || !previous.Expires.Equal(issued.OldDies) {
		t.Errorf("previous %+v", previous)
	}
	expect(t, p, issued.Bundle, providers.Accepted)
	expect(t, p, bundle(firstSecret), providers.Accepted)
	w.advance(7 * day)
	expect(t, p, issued.Bundle, providers.Accepted)
	expect(t, p, bundle(firstSecret), providers.Refused)
	if _, canRevoke := providers.AsRevoker(p); canRevoke {
		t.Error("the platform has no way to end a replaced secret early")
	}
}

// TestACutoverIsAssumedUntilAPersonHasSpoken: a client is never cut over by surprise.
func TestACutoverIsAssumedUntilAPersonHasSpoken(t *testing.T) {
	for name, test := range map[string]struct {
		app      sandbox.RoverApp
		rotation string
		provider time.Duration // grace_period
		client   time.Duration // grace
		want     credential.Mode
		grace    time.Duration
		why      string
	}{
		"dates, and nobody has said how long": {want: credential.ModeHardCutover, why: "gracePeriod"},
		"dates and a client's grace":          {client: 3 * day, want: credential.ModeGraceWindow, grace: 3 * day, why: "keeps"},
		"dates and the provider's grace":      {provider: 5 * day, want: credential.ModeGraceWindow, grace: 5 * day, why: "keeps"},
		"the client's counts first":           {provider: 5 * day, client: day, want: credential.ModeGraceWindow, grace: day, why: "keeps"},
		"a grace without dates": {
			app: sandbox.RoverApp{Off: true}, client: 3 * day, want: credential.ModeHardCutover, why: "secret_rotation: on",
		},
		"an annotation has switched it off": {
			app: sandbox.RoverApp{OptOut: true}, client: 3 * day, want: credential.ModeHardCutover, why: "secret_rotation: on",
		},
		"no dates, and a person who knows better": {
			app: sandbox.RoverApp{Off: true}, rotation: "on", client: 3 * day, want: credential.ModeGraceWindow, grace: 3 * day, why: "keeps",
		},
		"a person who knows better, without a grace": {rotation: "on", want: credential.ModeHardCutover, why: "gracePeriod"},
		"dates, and a person who says off":           {rotation: "off", client: 3 * day, want: credential.ModeHardCutover, why: "is off"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, slow(), test.app)
			if test.rotation == "" {
				test.rotation = "auto"
			}
			p := w.open(t, &telekom.Settings{RoverTokenEnv: "T", SecretRotation: test.rotation, GracePeriod: test.provider}, nil)
			caps := inspect(t, p, target(test.client)).Caps
			if caps.Mode != test.want || caps.Grace != test.grace || !strings.Contains(caps.Reason, test.why) {
				t.Errorf("%+v", caps)
			}
		})
	}
}

// TestACutoverAgainstAllSignsIsToldAtOnce: the zone has lost the feature since the last look.
func TestACutoverAgainstAllSignsIsToldAtOnce(t *testing.T) {
	for name, change := range map[string]func(*sandbox.RoverApp){
		"the zone has lost the feature": func(a *sandbox.RoverApp) { a.Off = true },
		"the client opts out":           func(a *sandbox.RoverApp) { a.OptOut = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, slow(), sandbox.RoverApp{})
			p := w.provider(t)
			w.rover.Change("billing", change)
			issued := create(t, p, target(7*day))
			if issued.OldDies.IsZero() || issued.OldDies.After(w.now()) {
				t.Errorf("the old one dies %v, and it is dead", issued.OldDies)
			}
			expect(t, p, bundle(firstSecret), providers.Refused)
			seen := inspect(t, p, target(7*day))
			if seen.Caps.Mode != credential.ModeHardCutover || len(seen.Secrets) != 1 {
				t.Errorf("%+v", seen)
			}
		})
	}
}

func TestAnExpectedCutoverSaysNothingAboutTheOldOne(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{Off: true})
	p := w.provider(t)
	if issued := create(t, p, target(0)); !issued.OldDies.IsZero() || !issued.Secret.Expires.IsZero() {
		t.Errorf("%+v, the old one dies %v", issued.Secret, issued.OldDies)
	}
}

// TestNoRotationWhileAReplacedSecretCountsDown: the platform itself would not refuse it.
func TestNoRotationWhileAReplacedSecretCountsDown(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	p := w.provider(t)
	first := create(t, p, target(7*day))
	_, err := p.Create(t.Context(), target(7*day), providers.Request{})
	expectClass(t, err, providers.ClassConflict)
	expect(t, p, bundle(firstSecret), providers.Accepted)
	if n := w.rover.Made("billing"); n != 1 {
		t.Fatalf("%d made", n)
	}
	w.advance(first.OldDies.Sub(w.now()))
	create(t, p, target(7*day))
	expect(t, p, first.Bundle, providers.Accepted)
}

// TestARotationThatIsNotCompleteIsLeftOpen: nothing is concluded, nothing is sent again, and the value is read later.
func TestARotationThatIsNotCompleteIsLeftOpen(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	p := w.provider(t)
	w.rover.Stall("billing", true)
	issued, err := p.Create(t.Context(), target(7*day), providers.Request{})
	expectClass(t, err, providers.ClassIndeterminate)
	if len(issued.Bundle) > 0 || !strings.Contains(err.Error(), "complete, with the secret from before") {
		t.Errorf("%v", err)
	}
	asked := w.now()
	if got, recoverErr := recovered(t, p, target(7*day)); recoverErr != nil || !got.Bundle.Equal(bundle(firstSecret)) {
		t.Errorf("before it is carried out the old one is current (%v)", recoverErr)
	}
	w.rover.Stall("billing", false)
	w.advance(3 * time.Second)
	_, err = recovered(t, p, target(7*day))
	expectClass(t, err, providers.ClassBusy)
	_, err = p.Inspect(t.Context(), target(7*day))
	expectClass(t, err, providers.ClassBusy)
	_, err = p.Create(t.Context(), target(7*day), providers.Request{})
	expectClass(t, err, providers.ClassBusy)
	w.advance(3 * time.Second)
	got, err := recovered(t, p, target(7*day))
	if err != nil || got.Secret.Start.Before(asked) || got.OldDies.IsZero() || w.rover.Made("billing") != 1 {
		t.Errorf("%+v, %d made, error %v", got.Secret, w.rover.Made("billing"), err)
	}
	expect(t, p, got.Bundle, providers.Accepted)
}

// TestARotationThatIsUnderWayIsJoined: whoever asked for it, what consumers have counts down from then on.
func TestARotationThatIsUnderWayIsJoined(t *testing.T) {
	for name, patience := range map[string]time.Duration{"to its end": 3 * time.Second, "and outlasts the deadline": time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := slow()
			s.Lag, s.Converge = 0, patience
			w := newWorld(t, s, sandbox.RoverApp{})
			p := w.provider(t)
			// somebody else's rotation begins between this one's look and its wish
			w.faults.Rewrite(sandbox.When{Path: "/secret/status"}, func(body []byte) []byte {
				create := w.request(t, http.MethodPatch)
				if resp, err := http.DefaultClient.Do(create); err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusAccepted {
					t.Errorf("somebody else's rotation: %v", err)
				}
				return body
			})
			issued, err := p.Create(t.Context(), target(7*day), providers.Request{})
			if n := w.rover.Made("billing"); n != 1 {
				t.Errorf("%d made, want the one of somebody else", n)
			}
			if patience > time.Minute {
				expectClass(t, err, providers.ClassIndeterminate)
				if err != nil && !strings.Contains(err.Error(), "409") {
					t.Errorf("what is under way is not said: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			expect(t, p, issued.Bundle, providers.Accepted)
			expect(t, p, bundle(firstSecret), providers.Accepted)
		})
	}
}

// request is one of somebody else, with the team's token.
func (w *world) request(t *testing.T, method string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+sandbox.PathRover+"/rovers/eni--hyperion--billing/secret", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.rover.TeamToken())
	return r
}

func TestWhatErrorsLetOneConclude(t *testing.T) {
	wish, look := sandbox.When{Method: http.MethodPatch}, sandbox.When{Path: "/secret/status"}
	for name, test := range map[string]struct {
		fault func(*sandbox.Faults)
		class providers.Class
		made  int
		raw   bool
	}{
		"throttled":             {func(f *sandbox.Faults) { f.Status(wish, 429, time.Second) }, providers.ClassThrottled, 0, false},
		"not processed":         {func(f *sandbox.Faults) { f.Status(wish, 400, 0) }, providers.ClassBusy, 0, false},
		"look not processed":    {func(f *sandbox.Faults) { f.Status(look, 400, 0) }, providers.ClassBusy, 0, false},
		"no right":              {func(f *sandbox.Faults) { f.Status(wish, 403, 0) }, providers.ClassAuth, 0, false},
		"error after taking it": {func(f *sandbox.Faults) { f.StatusAfter(wish, 502) }, providers.ClassIndeterminate, 1, false},
		"no answer":             {func(f *sandbox.Faults) { f.DropReply(wish) }, providers.ClassIndeterminate, 1, false},
		"a broken answer":       {func(f *sandbox.Faults) { f.Truncate(wish) }, providers.ClassNotUnderstood, 1, true},
		"a web page":            {func(f *sandbox.Faults) { f.Malformed(wish, "<html>") }, providers.ClassNotUnderstood, 1, true},
		"an answer of nobody's": {func(f *sandbox.Faults) { f.Malformed(wish, `{}`) }, "", 1, false},
		"looks that fail meanwhile": {
			func(f *sandbox.Faults) { f.Status(sandbox.When{Path: "/secret/status", Skip: 1, Count: 5}, 503, 0) }, "", 1, false,
		},
		"looks that fail for good": {
			func(f *sandbox.Faults) { f.Status(sandbox.When{Path: "/secret/status", Skip: 1, Count: -1}, 503, 0) }, providers.ClassIndeterminate, 1, false,
		},
		"the first look fails": {func(f *sandbox.Faults) { f.Status(look, 503, 0) }, providers.ClassUnavailable, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, slow(), sandbox.RoverApp{})
			p := w.provider(t)
			test.fault(w.faults)
			issued, err := p.Create(t.Context(), target(7*day), providers.Request{})
			expectClass(t, err, test.class)
			if made := w.rover.Made("billing"); made != test.made || issued.Raw.Empty() == test.raw {
				t.Errorf("%d made, raw kept: %v", made, !issued.Raw.Empty())
			}
		})
	}
}

func TestAPlatformFromBeforeGracefulRotationIsRefused(t *testing.T) {
	s := slow()
	s.NoStatus = true
	w := newWorld(t, s, sandbox.RoverApp{})
	p := w.provider(t)
	_, err := p.Inspect(t.Context(), target(day))
	expectClass(t, err, providers.ClassUnsupported)
	_, err = p.Create(t.Context(), target(day), providers.Request{})
	expectClass(t, err, providers.ClassUnsupported)
	if n := w.rover.Made("billing"); n != 0 {
		t.Errorf("%d made: the old one would be dead, and the new one shown nowhere", n)
	}
}

func TestASecretThatMayNotBeSeenIsAMissingRight(t *testing.T) {
	s := slow()
	s.Hidden = true
	w := newWorld(t, s, sandbox.RoverApp{})
	_, err := w.provider(t).Inspect(t.Context(), target(day))
	expectClass(t, err, providers.ClassAuth)
	if err == nil || !strings.Contains(err.Error(), "tardis:team:all") {
		t.Errorf("what to do is not said: %v", err)
	}
}

func TestAStatedGraceThatIsTooShortNamesNoStartToCome(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	p := w.provider(t)
	if issued := create(t, p, target(day)); !issued.Secret.Start.IsZero() || !issued.OldDies.After(w.now().Add(6*day)) {
		t.Errorf("%+v, the old one dies %v", issued.Secret, issued.OldDies)
	}
}

func TestAnOwnValueAndAMissingNameAreRefused(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	p := w.provider(t)
	_, err := p.Create(t.Context(), target(day), providers.Request{Proposed: bundle("x")})
	expectClass(t, err, providers.ClassUnsupported)
	_, err = p.Create(t.Context(), providers.Target{}, providers.Request{})
	expectClass(t, err, providers.ClassRejected)
	_, err = p.Inspect(t.Context(), providers.Target{})
	expectClass(t, err, providers.ClassRejected)
	_, err = p.Verify(t.Context(), providers.Target{}, bundle("x"))
	expectClass(t, err, providers.ClassRejected)
	if w.rover.Made("billing") != 0 {
		t.Error("a refused create made a secret")
	}
}

func TestOnlineCheckTellsAWrongTeam(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	check := func() []providers.Finding {
		checker, ok := w.provider(t).(providers.Checker)
		if !ok {
			t.Fatal("no Checker")
		}
		return checker.Check(t.Context())
	}
	if found := check(); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	w.faults.Status(sandbox.When{Path: "/secret/status"}, 500, 0)
	if found := check(); len(found) != 1 || !found[0].Problem || !strings.Contains(found[0].Hint, "url") {
		t.Errorf("%+v", found)
	}
	w.team = "stale"
	if found := check(); len(found) != 1 || !found[0].Problem || !strings.Contains(found[0].Hint, "ROVER_TOKEN") {
		t.Errorf("%+v", found)
	}
}

func TestTimingHasDefaults(t *testing.T) {
	w := newWorld(t, slow(), sandbox.RoverApp{})
	timed, ok := providers.AsTimed(w.provider(t))
	if !ok || timed.Timing() != (providers.Timing{Deadline: time.Minute, Propagation: telekom.DefaultPropagation}) {
		t.Error("timing")
	}
}
