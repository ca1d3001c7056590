package odc_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/odc"
)

// The whole life of the setting auto: a person makes the secrets until the endpoint is there, nothing is posted to find
// out, and a missing endpoint is asked for once a day.
func TestAutoRotatesAsSoonAsTheEndpointIsThere(t *testing.T) {
	w := newWorld(t, sandbox.ODCSettings{})
	p := w.open(t, odc.Settings{API: "auto", OverlapHours: 24}, nil)
	for range 3 {
		if caps := inspect(t, p); caps.Mode != credential.ModeManual || caps.Instructions == "" {
			t.Fatalf("%+v", caps)
		}
		_, err := p.Create(t.Context(), target("billing"), providers.Request{})
		expectClass(t, err, providers.ClassUnsupported)
	}
	w.odc.Appear()
	w.advance(24*time.Hour - time.Second)
	if caps := inspect(t, p); caps.Mode != credential.ModeManual || w.count(http.MethodOptions) != 1 {
		t.Errorf("within a day: mode %s, asked %d times", caps.Mode, w.count(http.MethodOptions))
	}
	w.advance(time.Second)
	caps := inspect(t, p)
	if caps.Mode != credential.ModeGraceWindow || caps.Grace != 24*time.Hour || caps.Instructions != "" {
		t.Errorf("after a day: %+v", caps)
	}
	if w.count(http.MethodPost) != 0 || w.odc.Made("billing") != 1 {
		t.Errorf("%d posts were sent to find out", w.count(http.MethodPost))
	}
	issued := create(t, p)
	if got, err := p.Verify(t.Context(), target("billing"), issued.Bundle); got != providers.Accepted || err != nil {
		t.Errorf("%s, error %v", got, err)
	}
	if inspect(t, p); w.count(http.MethodOptions) != 2 {
		t.Errorf("the endpoint was asked for %d times, want 2", w.count(http.MethodOptions))
	}
}

func TestOneCallRotatesAndTellsStartAndExpiry(t *testing.T) {
	for _, epoch := range []bool{false, true} {
		w := newWorld(t, sandbox.ODCSettings{API: true, Epoch: epoch})
		p := w.open(t, odc.Settings{API: "on", OverlapHours: 24, ClientID: "rotad"}, nil)
		issued := create(t, p)
		if s := issued.Secret; !s.Start.Equal(w.now()) || !s.Expires.Equal(w.now().Add(90*24*time.Hour)) || s.Never {
			t.Errorf("from %v to %v", s.Start, s.Expires)
		}
		if n := w.count(http.MethodPost); n != 1 || w.count(http.MethodOptions) != 0 || w.odc.Made("billing") != 2 {
			t.Errorf("%d calls made %d secrets, want one", n, w.odc.Made("billing")-1)
		}
		for _, b := range []credential.Bundle{issued.Bundle, bundle("billing", firstSecret)} {
			if got, err := p.Verify(t.Context(), target("billing"), b); got != providers.Accepted || err != nil {
				t.Errorf("%s, error %v", got, err)
			}
		}
	}
}

func TestOnlyAPlainYesCounts(t *testing.T) {
	look := sandbox.When{Method: http.MethodOptions}
	for name, test := range map[string]struct {
		cloud sandbox.ODCSettings
		fault func(*sandbox.Faults)
		again bool // it is asked again with the next look
	}{
		"a success that allows nothing": {sandbox.ODCSettings{API: true, Mute: true}, nil, false},
		"what allows something else":    {sandbox.ODCSettings{API: true, Allowed: "GET, POSTS"}, nil, false},
		"a web page":                    {sandbox.ODCSettings{}, func(f *sandbox.Faults) { f.Reply(look, 200, "<html>") }, false},
		"no right":                      {sandbox.ODCSettings{API: true}, func(f *sandbox.Faults) { f.Status(look, 403, 0) }, true},
		"no login":                      {sandbox.ODCSettings{API: true}, func(f *sandbox.Faults) { f.Status(sandbox.When{Method: http.MethodOptions, Count: 2}, 401, 0) }, true},
		"too many requests":             {sandbox.ODCSettings{API: true}, func(f *sandbox.Faults) { f.Status(look, 429, time.Hour) }, true},
		"a server that is ill":          {sandbox.ODCSettings{API: true}, func(f *sandbox.Faults) { f.Status(look, 503, 0) }, true},
		"a redirect":                    {sandbox.ODCSettings{API: true}, func(f *sandbox.Faults) { f.Status(look, 302, 0) }, true},
		"no answer":                     {sandbox.ODCSettings{API: true}, func(f *sandbox.Faults) { f.Reset(look) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.cloud)
			p := w.open(t, odc.Settings{API: "auto"}, nil)
			if test.fault != nil {
				test.fault(w.faults)
			}
			if caps := inspect(t, p); caps.Mode != credential.ModeManual {
				t.Errorf("mode %s", caps.Mode)
			}
			asked := w.count(http.MethodOptions)
			caps := inspect(t, p)
			if again := w.count(http.MethodOptions) > asked; again != test.again || again != (caps.Mode != credential.ModeManual) {
				t.Errorf("asked again: %t, want %t; then mode %s", again, test.again, caps.Mode)
			}
			if w.count(http.MethodPost) > 0 {
				t.Error("a post was sent to find out")
			}
		})
	}
}

// In doubt nothing is posted: the rotation waits.
func TestInDoubtNothingIsPosted(t *testing.T) {
	w := newWorld(t, sandbox.ODCSettings{API: true})
	p := w.open(t, odc.Settings{API: "auto"}, nil)
	w.faults.Status(sandbox.When{Method: http.MethodOptions}, 503, 0)
	_, err := p.Create(t.Context(), target("billing"), providers.Request{})
	expectClass(t, err, providers.ClassUnavailable)
	if w.count(http.MethodPost) != 0 {
		t.Error("a post was sent")
	}
	create(t, p)
}

func TestAnEndpointThatIsNotThereLeavesItToAPersonForADay(t *testing.T) {
	for _, status := range []int{404, 405, 501} {
		w := newWorld(t, sandbox.ODCSettings{Absent: status})
		p := w.open(t, odc.Settings{API: "on", OverlapHours: 72}, nil)
		if caps := inspect(t, p); caps.Mode != credential.ModeGraceWindow {
			t.Fatalf("%+v", caps)
		}
		for range 2 {
			issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
			expectClass(t, err, providers.ClassUnsupported)
			if !issued.Raw.Empty() || !strings.Contains(err.Error(), "rotad resume ID --abort") {
				t.Errorf("the error does not say what to do: %v", err)
			}
			if caps := inspect(t, p); caps.Mode != credential.ModeManual || caps.Instructions == "" {
				t.Errorf("after %d: %+v", status, caps)
			}
		}
		if n := w.count(http.MethodPost); n != 1 || w.odc.Made("billing") != 1 {
			t.Errorf("after %d: %d posts within a day, want 1", status, n)
		}
		w.odc.Appear()
		w.advance(24 * time.Hour)
		if caps := inspect(t, p); caps.Mode != credential.ModeGraceWindow {
			t.Errorf("a day later: %+v", caps)
		}
		create(t, p)
	}
}

// 404 may be about the client as well. Where the endpoint is there, it is.
func TestAMissingClientIsNoMissingEndpoint(t *testing.T) {
	w := newWorld(t, sandbox.ODCSettings{API: true})
	p := w.open(t, odc.Settings{API: "on"}, nil)
	_, err := p.Create(t.Context(), target("nobody"), providers.Request{})
	expectClass(t, err, providers.ClassNotFound)
	seen, err := p.Inspect(t.Context(), target("nobody"))
	if err != nil || seen.Caps.Mode != credential.ModeHardCutover {
		t.Errorf("%+v, error %v", seen.Caps, err)
	}
}

// recorder keeps the bodies of creates.
type recorder struct{ bodies []string }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/secrets/rotate") && req.Method == http.MethodPost {
		body := ""
		if req.Body != nil && req.Body != http.NoBody {
			raw, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			body = string(raw)
			req.Body = io.NopCloser(strings.NewReader(body))
		}
		r.bodies = append(r.bodies, body)
	}
	return http.DefaultTransport.RoundTrip(req)
}

func TestAnOverlapIsAskedForOnlyWhereItIsConfigured(t *testing.T) {
	for hours, want := range map[int]string{0: "", 24: `{"overlap_hours":24}`, 72: `{"overlap_hours":72}`} {
		w, seen := newWorld(t, sandbox.ODCSettings{API: true}), &recorder{}
		p := w.open(t, odc.Settings{API: "on", OverlapHours: hours}, seen)
		issued := create(t, p)
		if !slices.Equal(seen.bodies, []string{want}) {
			t.Errorf("%d hours: sent %q, want %q", hours, seen.bodies, want)
		}
		old := map[bool]providers.Answer{true: providers.Accepted, false: providers.Refused}[hours > 0]
		if got, _ := p.Verify(t.Context(), target("billing"), bundle("billing", firstSecret)); got != old {
			t.Errorf("%d hours: the old secret is %s, want %s", hours, got, old)
		}
		if !issued.OldDies.IsZero() {
			t.Errorf("the reply says nothing of the old secret, and it is told to die at %v", issued.OldDies)
		}
	}
	w := newWorld(t, sandbox.ODCSettings{API: true, Fixed: true})
	_, err := w.open(t, odc.Settings{API: "on", OverlapHours: 24}, nil).Create(t.Context(), target("billing"), providers.Request{})
	expectClass(t, err, providers.ClassRejected)
	if err == nil || !strings.Contains(err.Error(), "overlap_hours") {
		t.Errorf("the error does not name the setting: %v", err)
	}
}

// A secret that is valid only later is refused until then, which is told as what it is, and is not asked for meanwhile.
func TestASecretThatIsValidOnlyLaterIsNotAcceptedBefore(t *testing.T) {
	w := newWorld(t, sandbox.ODCSettings{API: true, Ahead: 2 * time.Hour})
	settings := odc.Settings{API: "on", OverlapHours: 24}
	p := w.open(t, settings, nil)
	issued := create(t, p)
	if !issued.Secret.Start.Equal(w.now().Add(2*time.Hour)) || !issued.Secret.Expires.Equal(issued.Secret.Start.Add(90*24*time.Hour)) {
		t.Errorf("%+v", issued.Secret)
	}
	w.advance(time.Hour)
	got, err := p.Verify(t.Context(), target("billing"), issued.Bundle)
	if got != providers.Unknown || providers.ClassOf(err) != providers.ClassBusy || providers.RetryAfter(err) != time.Hour {
		t.Errorf("%s, error %v, wait %v", got, err, providers.RetryAfter(err))
	}
	if err == nil || !strings.Contains(err.Error(), "2026-03-01T14:00:00Z") || strings.Contains(err.Error(), issued.Bundle.Secret().Reveal()) {
		t.Errorf("the error does not say from when on: %v", err)
	}
	if got, err := p.Verify(t.Context(), target("billing"), bundle("billing", "wrong")); got != providers.Refused || err != nil {
		t.Errorf("a wrong secret meanwhile: %s, error %v", got, err)
	}
	if got, _ := w.open(t, settings, nil).Verify(t.Context(), target("billing"), issued.Bundle); got != providers.Refused {
		t.Errorf("after a restart: %s, want what the server says", got)
	}
	w.advance(time.Hour)
	if got, err := p.Verify(t.Context(), target("billing"), issued.Bundle); got != providers.Accepted || err != nil {
		t.Errorf("from then on: %s, error %v", got, err)
	}
}

func TestThePersonIsLedThroughThePortal(t *testing.T) {
	w := newWorld(t, sandbox.ODCSettings{})
	steps := inspect(t, w.open(t, odc.Settings{}, nil)).Instructions
	for _, word := range []string{w.url + ")", "Manage", "API clients", "billing", "expires", "once", "--expires YYYY-MM-DD"} {
		if !strings.Contains(steps, word) {
			t.Errorf("the steps do not say %q:\n%s", word, steps)
		}
	}
	if got := inspect(t, w.open(t, odc.Settings{Instructions: "Ask Joe."}, nil)).Instructions; got != "Ask Joe." {
		t.Errorf("%q", got)
	}
	if w.count(http.MethodOptions)+w.count(http.MethodPost) > 0 {
		t.Error("with api: off the endpoint was asked")
	}
}

func TestARefWithoutAClientIsRejected(t *testing.T) {
	p := newWorld(t, sandbox.ODCSettings{API: true}).open(t, odc.Settings{API: "on"}, nil)
	_, err := p.Inspect(t.Context(), providers.Target{})
	expectClass(t, err, providers.ClassRejected)
	_, err = p.Create(t.Context(), providers.Target{}, providers.Request{})
	expectClass(t, err, providers.ClassRejected)
	_, err = p.Create(t.Context(), target("billing"), providers.Request{Proposed: bundle("billing", "x")})
	expectClass(t, err, providers.ClassUnsupported)
	decoder, ok := p.(providers.Decoder)
	if !ok {
		t.Fatal("no Decoder")
	}
	_, err = decoder.Decode(providers.Target{}, credential.NewSensitive(`{"new_secret":"x"}`))
	expectClass(t, err, providers.ClassRejected)
}

func TestCheckSaysWhatIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		cloud    sandbox.ODCSettings
		settings odc.Settings
		fault    func(*sandbox.Faults)
		findings int
		problem  bool
	}{
		"by hand":                     {findings: 0},
		"another address":             {settings: odc.Settings{URL: "/elsewhere"}, findings: 1, problem: true},
		"automatic, and all is there": {cloud: sandbox.ODCSettings{API: true}, settings: odc.Settings{API: "on", ClientID: "rotad"}},
		"auto, not there yet":         {settings: odc.Settings{API: "auto"}, findings: 1},
		"on, not there":               {settings: odc.Settings{API: "on"}, findings: 1, problem: true},
		"no login": {
			cloud: sandbox.ODCSettings{API: true}, settings: odc.Settings{API: "on", ClientID: "nobody"}, findings: 1, problem: true,
		},
		"in doubt": {
			cloud: sandbox.ODCSettings{API: true}, settings: odc.Settings{API: "auto"}, findings: 1,
			fault: func(f *sandbox.Faults) { f.Status(sandbox.When{Method: http.MethodOptions}, 403, 0) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.cloud)
			if test.fault != nil {
				test.fault(w.faults)
			}
			if test.settings.URL != "" {
				test.settings.URL = w.url + test.settings.URL
			}
			checker, ok := w.open(t, test.settings, nil).(providers.Checker)
			if !ok {
				t.Fatal("no Checker")
			}
			findings := checker.Check(t.Context())
			if len(findings) != test.findings || len(findings) > 0 && findings[0].Problem != test.problem {
				t.Errorf("%+v", findings)
			}
			if w.count(http.MethodPost) > 0 {
				t.Error("a check posts")
			}
		})
	}
}

// Nothing tells what rotad's account may do, and nothing is guessed.
func TestRightsThatNobodyTells(t *testing.T) {
	w := newWorld(t, sandbox.ODCSettings{})
	for use, why := range map[string]string{"off": "a person makes the secrets", "auto": "documents no right", "on": "documents no right"} {
		reader, ok := providers.AsRightsReader(w.open(t, odc.Settings{API: use}, nil))
		if !ok {
			t.Fatal("odc cannot read rights")
		}
		rights, err := reader.Rights(t.Context(), nil)
		if len(rights) > 0 || providers.ClassOf(err) != providers.ClassUnsupported || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %+v, %v", use, rights, err)
		}
	}
}
