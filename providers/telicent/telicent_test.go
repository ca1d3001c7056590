package telicent_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/telicent"
)

// TestARotationFromBeginningToEnd plays it in both ways to write the answers. The second one does not show when the
// previous secret began, so that one has no id there, and only the server's timer ends it.
func TestARotationFromBeginningToEnd(t *testing.T) {
	for name, flat := range map[string]bool{"nested": false, "flat": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Telicent{Flat: flat, Grace: 3 * day}, telicent.Settings{})
			before := w.inspect(t, "billing")
			old, ok := before.Current()
			if !ok || before.ClientID != "billing" || !before.Time.Equal(w.now()) || !old.Start.Equal(w.now()) {
				t.Fatalf("%+v", before)
			}
			w.advance(100 * day)
			issued := w.create(t, "billing")
			if !issued.OldDies.Equal(w.now().Add(3 * day)) {
				t.Errorf("the old one dies %v", issued.OldDies)
			}
			after := w.inspect(t, "billing")
			current, _ := after.Current()
			if current != issued.Secret || current.ID == old.ID || after.Caps.Grace != 3*day {
				t.Errorf("listed %+v, issued %+v, grace %v", current, issued.Secret, after.Caps.Grace)
			}
			previous := after.Secrets[1]
			if previous.Slot != providers.SlotPrevious || (previous.ID == old.ID) == flat {
				t.Errorf("previous %+v, old %+v", previous, old)
			}
			w.expect(t, issued.Bundle, providers.Accepted)
			w.expect(t, bundle("billing", firstSecret), providers.Accepted)
			w.advance(3 * day)
			w.expect(t, bundle("billing", firstSecret), providers.Refused)
			w.expect(t, issued.Bundle, providers.Accepted)
			if n := len(w.inspect(t, "billing").Secrets); n != 1 {
				t.Errorf("%d listed", n)
			}
			if err := w.revoke(t, old.ID); err != nil {
				t.Errorf("revoking one that is gone: %v", err)
			}
		})
	}
}

func TestTheFirstSecretIsIssued(t *testing.T) {
	for name, flat := range map[string]bool{"nested": false, "flat": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Telicent{Flat: flat}, telicent.Settings{})
			if seen := w.inspect(t, "new"); len(seen.Secrets) != 0 || seen.Caps.StartReadable {
				t.Fatalf("%+v", seen)
			}
			issued, err := w.p.Create(t.Context(), providers.Target{
				Ref: credential.Ref{"client_id": "new"}, Grace: day,
			}, providers.Request{})
			if err != nil || !issued.OldDies.IsZero() || issued.Secret.ID == "" {
				t.Errorf("%+v, error %v", issued, err)
			}
			if want := w.now().Add(365 * day); !issued.Secret.Expires.Equal(want) {
				t.Errorf("expires %v, want %v", issued.Secret.Expires, want)
			}
			w.expect(t, issued.Bundle, providers.Accepted)
		})
	}
}

func TestRevokeEndsTheSlotOnlyWhileItHoldsTheSecret(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	first, _ := w.inspect(t, "billing").Current()
	w.advance(time.Hour)
	second := w.create(t, "billing")
	if err := w.revoke(t, first.ID); err != nil {
		t.Fatal(err)
	}
	w.expect(t, bundle("billing", firstSecret), providers.Refused)
	w.expect(t, second.Bundle, providers.Accepted)
	w.advance(time.Hour)
	third := w.create(t, "billing")
	expectClass(t, w.revoke(t, first.ID), providers.ClassConflict) // the slot holds the second one now
	w.expect(t, second.Bundle, providers.Accepted)
	expectClass(t, w.revoke(t, third.Secret.ID), providers.ClassConflict) // the current one is never ended
	w.expect(t, third.Bundle, providers.Accepted)
}

func TestRevokeLeavesAPreviousSecretThatHasNoNameToItsTimer(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{Flat: true}, telicent.Settings{})
	first, _ := w.inspect(t, "billing").Current()
	w.advance(time.Hour)
	w.create(t, "billing")
	expectClass(t, w.revoke(t, first.ID), providers.ClassUnsupported)
	w.expect(t, bundle("billing", firstSecret), providers.Accepted)
}

func TestRevokeOfASlotThatEmptiesMeanwhileIsSuccess(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	first, _ := w.inspect(t, "billing").Current()
	w.advance(time.Hour)
	w.create(t, "billing")
	w.faults.Status(sandbox.When{Method: http.MethodDelete}, 404, 0)
	if err := w.revoke(t, first.ID); err != nil {
		t.Error(err)
	}
	w.faults.Status(sandbox.When{Method: http.MethodDelete}, 500, 0)
	expectClass(t, w.revoke(t, first.ID), providers.ClassIndeterminate)
}

func TestCapabilities(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{RequiredBefore: 100 * day}, telicent.Settings{})
	stated := target("billing")
	stated.Grace = 5 * day
	caps := func() credential.Capabilities {
		t.Helper()
		seen, err := w.p.Inspect(t.Context(), stated)
		if err != nil {
			t.Fatal(err)
		}
		return seen.Caps
	}
	c := caps()
	want := credential.Capabilities{
		Mode: credential.ModeGraceWindow, Reason: c.Reason, StartReadable: true, SlotRevoke: true, Slots: 2, Grace: 5 * day,
	}
	if c != want || c.Reason == "" {
		t.Errorf("%+v, want %+v", c, want)
	}
	if c := w.inspect(t, "billing").Caps; c.Grace != 0 {
		t.Errorf("a grace of %v that nobody stated", c.Grace)
	}
	w.advance(265 * day)
	if c := caps(); !c.Required.Equal(w.now()) {
		t.Errorf("required %v, want %v", c.Required, w.now())
	}
	w.create(t, "billing")
	if c := caps(); c.Grace != 7*day || !c.Required.IsZero() {
		t.Errorf("the server's own grace must win: %+v", c)
	}
}

func TestAStatedGraceTellsWhenTheOldOneDies(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	w.faults.Rewrite(sandbox.When{Path: "/rotate"}, without("previousExpiresAt"))
	stated := target("billing")
	stated.Grace = 2 * day
	issued, err := w.p.Create(t.Context(), stated, providers.Request{})
	if err != nil || !issued.OldDies.Equal(w.now().Add(2*day)) {
		t.Errorf("dies %v, error %v", issued.OldDies, err)
	}
}

func TestAReplyWithoutAStartIsNamedByTheStatus(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	w.advance(time.Hour)
	w.faults.Rewrite(sandbox.When{Path: "/rotate"}, without("createdAt"))
	issued := w.create(t, "billing")
	if current, _ := w.inspect(t, "billing").Current(); issued.Secret != current || current.ID == "" {
		t.Errorf("issued %+v, listed %+v", issued.Secret, current)
	}
	w.advance(time.Hour)
	w.faults.Rewrite(sandbox.When{Path: "/rotate"}, without("createdAt"))
	w.faults.Status(sandbox.When{Method: http.MethodGet, Skip: 1}, 500, 0)
	if issued := w.create(t, "billing"); issued.Bundle.Secret().Empty() || issued.Secret.ID != "" {
		t.Errorf("the secret must be handed on even without a name: %+v", issued.Secret)
	}
}

func TestWhatErrorsLetOneConclude(t *testing.T) {
	rotate := sandbox.When{Method: http.MethodPost, Path: "/rotate"}
	for name, test := range map[string]struct {
		fault func(*sandbox.Faults)
		class providers.Class
		made  int
		raw   bool
	}{
		"throttled": {
			func(f *sandbox.Faults) { f.Status(rotate, 429, time.Second) }, providers.ClassThrottled, 0, false,
		},
		"busy": {
			func(f *sandbox.Faults) { f.Status(rotate, 423, 0) }, providers.ClassBusy, 0, false,
		},
		"conflict": {
			func(f *sandbox.Faults) { f.Status(rotate, 409, 0) }, providers.ClassConflict, 0, false,
		},
		"no right": {
			func(f *sandbox.Faults) { f.Status(rotate, 403, 0) }, providers.ClassAuth, 0, false,
		},
		"error after doing": {
			func(f *sandbox.Faults) { f.StatusAfter(rotate, 500) }, providers.ClassIndeterminate, 1, false,
		},
		"no answer": {
			func(f *sandbox.Faults) { f.DropReply(rotate) }, providers.ClassIndeterminate, 1, false,
		},
		"too late an answer": {
			func(f *sandbox.Faults) { f.DelayReply(rotate, time.Minute) }, providers.ClassIndeterminate, 1, false,
		},
		"a broken answer": {
			func(f *sandbox.Faults) { f.Truncate(rotate) }, providers.ClassNotUnderstood, 1, true,
		},
		"a web page": {
			func(f *sandbox.Faults) { f.Malformed(rotate, "<html>") }, providers.ClassNotUnderstood, 1, true,
		},
		"another field": {
			func(f *sandbox.Faults) { f.Malformed(rotate, `{"pass":"x"}`) }, providers.ClassNotUnderstood, 1, true,
		},
		"status unavailable": {
			func(f *sandbox.Faults) { f.Status(sandbox.When{Method: http.MethodGet}, 503, 0) }, providers.ClassUnavailable, 0, false,
		},
		"status is a webpage": {
			func(f *sandbox.Faults) { f.Malformed(sandbox.When{Method: http.MethodGet}, "<p>") }, providers.ClassUnavailable, 0, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
			test.fault(w.faults)
			issued, err := w.p.Create(t.Context(), target("billing"), providers.Request{})
			expectClass(t, err, test.class)
			if made := len(w.idp.Secrets("billing")) - 1; made != test.made || issued.Raw.Empty() == test.raw {
				t.Errorf("%d made, raw kept: %v", made, !issued.Raw.Empty())
			}
		})
	}
}

func TestAStoredReplyIsDecodedWithCorrectedPaths(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	w.faults.Malformed(sandbox.When{Path: "/rotate"},
		`{"credential":{"plain":"s3cret","born":1772368200000},"previousExpiresAt":"2026-03-08T12:30:00"}`)
	issued, err := w.p.Create(t.Context(), target("billing"), providers.Request{})
	expectClass(t, err, providers.ClassNotUnderstood)
	corrected := newWorld(t, sandbox.Telicent{}, telicent.Settings{
		SecretPath: "credential.plain", CreatedPath: "credential.born",
	})
	for p, want := range map[providers.Provider]providers.Class{w.p: providers.ClassNotUnderstood, corrected.p: ""} {
		decoder, ok := p.(providers.Decoder)
		if !ok {
			t.Fatal("no Decoder")
		}
		again, err := decoder.Decode(target("billing"), issued.Raw)
		expectClass(t, err, want)
		if want != "" {
			continue
		}
		born := time.UnixMilli(1772368200000).UTC()
		if !again.Bundle.Equal(bundle("billing", "s3cret")) || !again.Secret.Start.Equal(born) || again.OldDies.Day() != 8 {
			t.Errorf("%+v", again.Secret)
		}
	}
}

func TestAClientThatIsUnknown(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	_, err := w.p.Inspect(t.Context(), target("none"))
	expectClass(t, err, providers.ClassNotFound)
	_, err = w.p.Create(t.Context(), target("none"), providers.Request{})
	expectClass(t, err, providers.ClassNotFound)
	_, err = w.p.Inspect(t.Context(), providers.Target{})
	expectClass(t, err, providers.ClassRejected)
}

func TestAnOwnValueIsUnsupported(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	_, err := w.p.Create(t.Context(), target("billing"), providers.Request{Proposed: bundle("billing", "x")})
	expectClass(t, err, providers.ClassUnsupported)
	if n := len(w.idp.Secrets("billing")); n != 1 {
		t.Errorf("%d secrets", n)
	}
}

func TestVerifyByEveryMethod(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	for _, method := range []credential.VerifyMethod{
		"", credential.VerifyAuto, credential.VerifyClientCredentials, credential.VerifyAuthCode, credential.VerifyIntrospection,
	} {
		for _, auth := range []string{"", "basic", "post"} {
			for secret, want := range map[string]providers.Answer{firstSecret: providers.Accepted, "wrong": providers.Refused} {
				t.Run(string(method)+" "+auth+" "+want.String(), func(t *testing.T) {
					to := target("billing")
					to.Verify = credential.VerifySettings{Method: method, Auth: auth}
					if got, err := w.p.Verify(t.Context(), to, bundle("billing", secret)); got != want || err != nil {
						t.Errorf("%s, error %v", got, err)
					}
				})
			}
		}
	}
}

func TestRotadLogsInWithATokenOrAsAClient(t *testing.T) {
	for name, settings := range map[string]telicent.Settings{
		"token": {}, "client": {ClientID: "rotad", ClientSecretEnv: "SECRET"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Telicent{}, settings)
			checker, ok := w.p.(providers.Checker)
			if !ok {
				t.Fatal("no Checker")
			}
			if findings := checker.Check(t.Context()); len(findings) != 0 {
				t.Errorf("findings %+v", findings)
			}
		})
	}
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	w.setToken("stale")
	_, err := w.p.Inspect(t.Context(), target("billing"))
	expectClass(t, err, providers.ClassAuth)
	checker, _ := w.p.(providers.Checker)
	if findings := checker.Check(t.Context()); len(findings) != 1 || !findings[0].Problem {
		t.Errorf("findings %+v", findings)
	}
	w.setToken("bearer\n")
	w.inspect(t, "billing")
}

func TestSettingsNeedExactlyOneLogin(t *testing.T) {
	for name, test := range map[string]struct {
		settings telicent.Settings
		paths    []string
	}{
		"none":                    {telicent.Settings{}, []string{"token_file"}},
		"both":                    {telicent.Settings{TokenEnv: "T", ClientID: "c", ClientSecretEnv: "S"}, []string{"client_id"}},
		"a client without secret": {telicent.Settings{ClientID: "c"}, []string{"client_secret_file"}},
		"a token":                 {telicent.Settings{TokenFile: "/t"}, nil},
		"a client":                {telicent.Settings{ClientID: "c", ClientSecretFile: "/s"}, nil},
	} {
		var paths []string
		test.settings.Validate(func(path, _, _ string) { paths = append(paths, path) })
		if !slices.Equal(paths, test.paths) {
			t.Errorf("%s: %v, want %v", name, paths, test.paths)
		}
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for name, settings := range map[string]any{
		"no settings": nil, "no address": &telicent.Settings{TokenEnv: "T"},
		"no scheme":              &telicent.Settings{URL: "auth:8080"},
		"a broken token address": &telicent.Settings{URL: "http://auth", TokenURL: "://"},
	} {
		if _, err := telicent.Kind().Open(providers.Opening{Name: "auth", Settings: settings}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTimingHasDefaults(t *testing.T) {
	w := newWorld(t, sandbox.Telicent{}, telicent.Settings{})
	timed, ok := w.p.(providers.Timed)
	if !ok || timed.Timing() != (providers.Timing{Deadline: 2 * time.Second, Propagation: 10 * time.Second}) {
		t.Error("timing")
	}
}
