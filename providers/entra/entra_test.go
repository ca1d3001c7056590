package entra_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
)

func TestARotationFromBeginningToEnd(t *testing.T) {
	w := newWorld(t, sandbox.Graph{Propagation: 10 * time.Second})
	before, err := w.p.Inspect(t.Context(), app())
	if err != nil || len(before.Secrets) != 1 || before.ClientID != "app" || !before.Time.Equal(w.now()) {
		t.Fatalf("%+v, error %v", before, err)
	}
	old := before.Secrets[0]
	w.advance(time.Hour)
	expires := w.now().Add(30 * 24 * time.Hour)
	issued, err := w.p.Create(t.Context(), app(), providers.Request{Label: "rotad-1", Expires: expires})
	if err != nil {
		t.Fatal(err)
	}
	s := issued.Secret
	if s.Label != "rotad-1" || !s.Expires.Equal(expires) || !s.Start.Equal(w.now()) || s.ID == old.ID || s.Hint == "" {
		t.Errorf("secret %+v", s)
	}
	expect := func(b credential.Bundle, want providers.Answer) {
		t.Helper()
		if got, err := w.p.Verify(t.Context(), app(), b); got != want || err != nil {
			t.Errorf("%s, want %s (error %v)", got, want, err)
		}
	}
	expect(issued.Bundle, providers.Refused) // replicas lag behind
	w.advance(10 * time.Second)
	expect(issued.Bundle, providers.Accepted)
	expect(bundle("app", firstSecret), providers.Accepted)
	after, err := w.p.Inspect(t.Context(), app())
	if err != nil || len(after.Secrets) != 2 {
		t.Fatalf("%+v, error %v", after, err)
	}
	if listed, ok := after.Find(issued.Secret.ID); !ok || listed != issued.Secret {
		t.Errorf("listed %+v, issued %+v", listed, issued.Secret)
	}
	for range 2 { // a password that is gone already is success
		if err := w.revoker(t).Revoke(t.Context(), app(), old.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(10 * time.Second)
	expect(bundle("app", firstSecret), providers.Refused)
	expect(issued.Bundle, providers.Accepted)
}

func TestCapabilities(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	for client, slots := range map[string]int{"app": 0, "personal": 2} {
		seen, err := w.p.Inspect(t.Context(), providers.Target{Ref: credential.Ref{"app_id": client}})
		if err != nil {
			t.Fatal(err)
		}
		c := seen.Caps
		if c.Mode != credential.ModeTwoSlot || !c.Labels || !c.SetsExpiry || c.Readable || c.SlotRevoke || c.Slots != slots {
			t.Errorf("%s: %+v", client, c)
		}
	}
}

func TestAnApplicationIsFoundByEitherID(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	target := providers.Target{Ref: credential.Ref{"object_id": "obj"}}
	issued, err := w.p.Create(t.Context(), target, providers.Request{})
	if err != nil || issued.Bundle[credential.FieldClientID].Reveal() != "app" {
		t.Fatalf("error %v", err)
	}
	for name, ref := range map[string]credential.Ref{
		"none": {}, "both": {"app_id": "app", "object_id": "obj"}, "quoted": {"app_id": "a') or ('"},
		"path": {"object_id": "../x"},
	} {
		_, err := w.p.Inspect(t.Context(), providers.Target{Ref: ref})
		if providers.ClassOf(err) != providers.ClassRejected {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatErrorsOfGraphLetOneConclude(t *testing.T) {
	create := sandbox.When{Method: http.MethodPost, Path: "/addPassword"}
	conflict := sandbox.GraphError(sandbox.CodeConcurrency, "Please wait.", "id", time.Unix(0, 0))
	policy := sandbox.GraphError("CredentialTypeNotAllowedAsPerAppPolicy", "Not allowed.", "id", time.Unix(0, 0))
	for name, test := range map[string]struct {
		fault func(*sandbox.Faults)
		class providers.Class
		after time.Duration
		made  int
		raw   bool
	}{
		"concurrent changes": {
			func(f *sandbox.Faults) { f.Reply(create, 409, conflict) }, providers.ClassBusy, 5 * time.Second, 0, false,
		},
		"throttled": {
			func(f *sandbox.Faults) { f.Status(create, 429, 17*time.Second) },
			providers.ClassThrottled, 17 * time.Second, 0, false,
		},
		"forbidden by a policy": {
			func(f *sandbox.Faults) { f.Reply(create, 400, policy) }, providers.ClassUnsupported, 0, 0, false,
		},
		"no right": {
			func(f *sandbox.Faults) { f.Status(create, 403, 0) }, providers.ClassAuth, 0, 0, false,
		},
		"unavailable": {
			func(f *sandbox.Faults) { f.Status(create, 503, 0) }, providers.ClassIndeterminate, 0, 0, false,
		},
		"no answer": {
			func(f *sandbox.Faults) { f.DropReply(create) }, providers.ClassIndeterminate, 0, 1, false,
		},
		"no answer, nothing done": {
			func(f *sandbox.Faults) { f.Reset(create) }, providers.ClassIndeterminate, 0, 0, false,
		},
		"a broken answer": {
			func(f *sandbox.Faults) { f.Truncate(create) }, providers.ClassNotUnderstood, 0, 1, true,
		},
		"a web page": {
			func(f *sandbox.Faults) { f.Malformed(create, "<html>") }, providers.ClassNotUnderstood, 0, 1, true,
		},
		"an answer without the secret": {
			func(f *sandbox.Faults) { f.Malformed(create, `{"keyId":"k"}`) }, providers.ClassNotUnderstood, 0, 1, true,
		},
		"an answer without an id": {
			func(f *sandbox.Faults) { f.Malformed(create, `{"secretText":"s"}`) }, providers.ClassNotUnderstood, 0, 1, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Graph{})
			test.fault(w.faults)
			issued, err := w.p.Create(t.Context(), app(), providers.Request{Label: "l"})
			expectClass(t, err, test.class)
			if providers.RetryAfter(err) != test.after {
				t.Errorf("after %v, want %v", providers.RetryAfter(err), test.after)
			}
			if made := len(w.idp.Secrets("app")) - 1; made != test.made || issued.Raw.Empty() == test.raw {
				t.Errorf("%d made, raw kept: %v", made, !issued.Raw.Empty())
			}
		})
	}
}

func TestAFullApplicationIsAQuota(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	target := providers.Target{Ref: credential.Ref{"app_id": "personal"}}
	for range 2 {
		if _, err := w.p.Create(t.Context(), target, providers.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.p.Create(t.Context(), target, providers.Request{})
	expectClass(t, err, providers.ClassQuota)
	if !strings.Contains(err.Error(), "TooManyAppPasswords") || strings.Contains(err.Error(), "maximum") {
		t.Errorf("error %v", err)
	}
}

func TestAnUnknownApplicationIsNotFound(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	target := providers.Target{Ref: credential.Ref{"app_id": "none"}}
	_, err := w.p.Inspect(t.Context(), target)
	expectClass(t, err, providers.ClassNotFound)
	_, err = w.p.Create(t.Context(), target, providers.Request{})
	expectClass(t, err, providers.ClassNotFound)
	expectClass(t, w.revoker(t).Revoke(t.Context(), target, "k"), providers.ClassNotFound)
	answer, err := w.p.Verify(t.Context(), target, bundle("none", "x"))
	if answer != providers.Unknown || !strings.Contains(err.Error(), "AADSTS700016") {
		t.Errorf("%s, error %v", answer, err)
	}
	expectClass(t, err, providers.ClassNotFound)
}

func TestARefusedRemovalOfAListedPasswordIsAnError(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	w.faults.Status(sandbox.When{Path: "/removePassword"}, 400, 0)
	id := w.idp.Secrets("app")[0].ID
	expectClass(t, w.revoker(t).Revoke(t.Context(), app(), id), providers.ClassRejected)
	if len(w.idp.Secrets("app")) != 1 {
		t.Error("it is gone")
	}
}

func TestVerifyConcludesFromTheNumbersOnly(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	token := sandbox.When{Path: "/oauth2/v2.0/token"}
	reply := func(status int, code, description string) func(*sandbox.Faults) {
		return func(f *sandbox.Faults) {
			f.Reply(token, status, map[string]string{"error": code, "error_description": description})
		}
	}
	for name, test := range map[string]struct {
		fault  func(*sandbox.Faults)
		secret string
		want   providers.Answer
	}{
		"the right secret":               {nil, firstSecret, providers.Accepted},
		"a wrong secret":                 {nil, "wrong", providers.Refused},
		"an expired secret":              {reply(401, "invalid_client", "AADSTS7000222: expired"), "s", providers.Refused},
		"a client without a secret":      {reply(401, "invalid_client", "AADSTS7000218: missing"), "s", providers.Unknown},
		"a scope that is not valid":      {reply(400, "invalid_scope", "AADSTS70011: scope"), "s", providers.Unknown},
		"an application that is unknown": {reply(400, "unauthorized_client", "AADSTS700016: none"), "s", providers.Unknown},
		"no number":                      {reply(401, "invalid_client", "no"), "s", providers.Unknown},
		"a wrong secret in mid-sentence": {reply(400, "invalid_grant", "see AADSTS7000215: x"), "s", providers.Unknown},
		"throttled":                      {func(f *sandbox.Faults) { f.Status(token, 429, time.Second) }, "s", providers.Unknown},
		"no connection":                  {func(f *sandbox.Faults) { f.Reset(token) }, "s", providers.Unknown},
		"a web page":                     {func(f *sandbox.Faults) { f.Malformed(token, "<html>") }, firstSecret, providers.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			w.faults.Clear()
			if test.fault != nil {
				test.fault(w.faults)
			}
			got, err := w.p.Verify(t.Context(), app(), bundle("app", test.secret))
			if got != test.want || (err != nil) != (test.want == providers.Unknown) {
				t.Errorf("%s, want %s (error %v)", got, test.want, err)
			}
			if providers.ClassOf(err) == providers.ClassAuth {
				t.Errorf("blames rotad's own account: %v", err)
			}
		})
	}
}

func TestRotadsOwnSecretIsReadAfresh(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	w.setSecret("stale")
	_, err := w.p.Inspect(t.Context(), app())
	expectClass(t, err, providers.ClassAuth)
	checker, ok := w.p.(providers.Checker)
	if !ok {
		t.Fatal("no Checker")
	}
	if findings := checker.Check(t.Context()); len(findings) != 1 || !findings[0].Problem {
		t.Errorf("findings %+v", findings)
	}
	w.setSecret("own")
	if _, err := w.p.Inspect(t.Context(), app()); err != nil {
		t.Error(err)
	}
	if findings := checker.Check(t.Context()); len(findings) != 0 {
		t.Errorf("findings %+v", findings)
	}
	w.advance(time.Hour) // the access token has expired at the server
	if _, err := w.p.Create(t.Context(), app(), providers.Request{}); err != nil {
		t.Error(err)
	}
}

func TestAListThatCannotBeReadIsNoList(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	get := sandbox.When{Method: http.MethodGet, Path: sandbox.PathGraph}
	for _, body := range []string{
		"", "<html>", "[]", "{}", `{"appId":"a","passwordCredentials":[{}]}`, `{"appId":"a","passwordCredentials":"x"}`,
		`{"appId":"a","passwordCredentials":[{"keyId":"k","startDateTime":"soon"}]}`, `{"error":{"code":"x"}}`,
	} {
		w.faults.Malformed(get, body)
		_, err := w.p.Inspect(t.Context(), app())
		if providers.ClassOf(err) != providers.ClassUnavailable || strings.Contains(err.Error(), "soon") {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for name, settings := range map[string]any{
		"no settings": nil, "settings of another kind": "x", "nothing set": &entra.Settings{},
		"no address": &entra.Settings{TenantID: "t", ClientID: "c", GraphURL: "graph"},
		"no scheme":  &entra.Settings{TenantID: "t", ClientID: "c", LoginURL: "://"},
	} {
		if _, err := entra.Kind().Open(providers.Opening{Name: "corp", Settings: settings}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	problems := 0
	count := func(string, string, string) { problems++ }
	(&entra.Settings{VerifyScope: "api://x"}).Validate(count)
	if problems != 1 {
		t.Errorf("%d problems, want 1", problems)
	}
	if (&entra.Settings{}).Validate(count); problems != 1 {
		t.Errorf("settings without a mistake have %d", problems-1)
	}
}

func TestTimingHasDefaults(t *testing.T) {
	w := newWorld(t, sandbox.Graph{})
	timed, ok := w.p.(providers.Timed)
	if !ok || timed.Timing() != (providers.Timing{Deadline: 2 * time.Second, Propagation: 2 * time.Minute}) {
		t.Errorf("timing %+v", timed.Timing())
	}
}
