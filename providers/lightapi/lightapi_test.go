package lightapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/lightapi"
)

func TestWhatTheCommandSays(t *testing.T) {
	acting := target("billing")
	acting.Ref["owner_position_id"] = "deputy"
	for name, test := range map[string]struct {
		target providers.Target
		reason string
		want   string
	}{
		"the position of the client":      {target("billing"), "leaked", "head-of-billing"},
		"the position that the ref names": {acting, "", "deputy"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPortal(t, sandbox.LightAPISettings{}, lightapi.Settings{})
			issued, err := w.p.Create(t.Context(), test.target, providers.Request{Label: "l", Reason: test.reason})
			if err != nil {
				t.Fatal(err)
			}
			events := w.Events("billing")
			if last := events[len(events)-1]; last.Reason != test.reason || last.Position != test.want || last.Version != 2 {
				t.Errorf("%+v", last)
			}
			if s := issued.Secret; s.Slot != providers.SlotCurrent || !s.Start.Equal(w.now()) || !s.Never || s.ID != "" {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestTheVersionIsAskedForRightBefore(t *testing.T) {
	w := newPortal(t, sandbox.LightAPISettings{Lag: time.Hour}, lightapi.Settings{})
	for range 3 {
		if err := w.Update("billing"); err != nil { // the projection does not know of it yet
			t.Fatal(err)
		}
		if _, err := w.create(providers.Request{Label: "l"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Regenerated("billing"); n != 3 {
		t.Errorf("%d regenerated", n)
	}
}

// TestAStaleVersionIsRefused changes the client between the look and the command, in every way in which the portal may
// or may not show what was changed.
func TestAStaleVersionIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		portal  sandbox.LightAPISettings
		secret  bool // it is the secret that somebody changes
		created bool
	}{
		"something else was changed, and that is shown":               {sandbox.LightAPISettings{Shown: true}, false, true},
		"the same with errors in a success":                           {sandbox.LightAPISettings{Shown: true, Inside: true, Text: true}, false, true},
		"something else was changed, and the projection is behind":    {sandbox.LightAPISettings{Shown: true, Lag: time.Hour}, false, false},
		"something else was changed, and nothing is shown":            {sandbox.LightAPISettings{}, false, false},
		"somebody else has regenerated":                               {sandbox.LightAPISettings{Shown: true}, true, false},
		"somebody else has regenerated, and the projection is behind": {sandbox.LightAPISettings{Shown: true, Lag: time.Hour}, true, false},
		"somebody else has regenerated, and nothing is shown":         {sandbox.LightAPISettings{}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPortal(t, test.portal, lightapi.Settings{})
			w.after("getFreshClient", func() error {
				if test.secret {
					_, err := w.Regenerate("billing")
					return err
				}
				return w.Update("billing")
			})
			made := map[bool]int{true: 1}[test.secret]
			issued, err := w.create(providers.Request{Label: "l"})
			if test.created {
				made++
				if err != nil || w.answer(issued.Bundle.Secret().Reveal()) != providers.Accepted {
					t.Errorf("error %v", err)
				}
			} else {
				expectClass(t, err, providers.ClassConflict)
				_, err = w.create(providers.Request{Label: "m"}) // as the daemon does after a pause
				expectClass(t, err, providers.ClassConflict)
			}
			if n := w.Regenerated("billing"); n != made {
				t.Errorf("regenerated %d times, want %d", n, made)
			}
		})
	}
}

func TestASecondStaleVersionIsNotTriedAgain(t *testing.T) {
	w := newPortal(t, sandbox.LightAPISettings{Shown: true}, lightapi.Settings{})
	w.after("getFreshClient", func() error {
		w.after("getClient", func() error { return w.Update("billing") })
		return w.Update("billing")
	})
	for range 2 { // the second time nobody is there, and the doubt stays
		_, err := w.create(providers.Request{Label: "l"})
		expectClass(t, err, providers.ClassConflict)
	}
	if n := w.Regenerated("billing"); n != 0 {
		t.Errorf("regenerated %d times", n)
	}
}

// TestARefusalWithoutAChangeIsNotTriedAgain: the portal calls the version stale that it goes on showing.
func TestARefusalWithoutAChangeIsNotTriedAgain(t *testing.T) {
	w := newPortal(t, sandbox.LightAPISettings{Shown: true}, lightapi.Settings{})
	w.faults.Status(sandbox.When{Path: "/portal/command"}, http.StatusConflict, 0)
	_, err := w.create(providers.Request{Label: "l"})
	expectClass(t, err, providers.ClassConflict)
	if n := w.Regenerated("billing"); n != 0 {
		t.Errorf("regenerated %d times", n)
	}
}

// TestADoubtEndsWhenTheValueIsAcceptedLateEnough: within the bound an answer may come from a cache.
func TestADoubtEndsWhenTheValueIsAcceptedLateEnough(t *testing.T) {
	w := newPortal(t, sandbox.LightAPISettings{}, lightapi.Settings{})
	w.after("getFreshClient", func() error { return w.Update("billing") })
	_, err := w.create(providers.Request{Label: "l"})
	expectClass(t, err, providers.ClassConflict)
	for _, step := range []struct {
		value string
		wait  time.Duration
		class providers.Class
	}{
		{firstSecret, propagation, providers.ClassConflict},
		{"another value", time.Second, providers.ClassConflict},
		{firstSecret, time.Second, ""},
	} {
		w.advance(step.wait)
		w.answer(step.value)
		_, err = w.create(providers.Request{Label: "m"})
		expectClass(t, err, step.class)
	}
}

// TestALostReplyIsNeverRepeated: what comes after it is the daemon's decision, and a version that the lost one has
// raised is no reason to doubt.
func TestALostReplyIsNeverRepeated(t *testing.T) {
	for name, spoil := range map[string]func(*sandbox.Faults, sandbox.When){
		"the reply is dropped":  func(f *sandbox.Faults, when sandbox.When) { f.DropReply(when) },
		"500 after it was done": func(f *sandbox.Faults, when sandbox.When) { f.StatusAfter(when, http.StatusInternalServerError) },
		"500 inside of a success": func(f *sandbox.Faults, when sandbox.When) {
			f.Malformed(when, `{"error":{"statusCode":500,"code":"ERR10017"}}`)
		},
		"a reply that cannot be read": func(f *sandbox.Faults, when sandbox.When) { f.Malformed(when, `{"result":{"clientId":"billing"}}`) },
		"an error beside the plaintext": func(f *sandbox.Faults, when sandbox.When) {
			f.Malformed(when, `{"error":{"statusCode":409},"result":{"clientSecret":"kept"}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPortal(t, sandbox.LightAPISettings{}, lightapi.Settings{})
			spoil(w.faults, sandbox.When{Path: "/portal/command"})
			issued, err := w.create(providers.Request{Label: "l"})
			if providers.Definite(err) || err == nil {
				t.Fatalf("error %v", err)
			}
			if kept := !issued.Raw.Empty(); kept != (providers.ClassOf(err) == providers.ClassNotUnderstood) {
				t.Errorf("the reply is kept: %t, error %v", kept, err)
			}
			if n := w.Regenerated("billing"); n != 1 {
				t.Errorf("regenerated %d times", n)
			}
			w.after("getFreshClient", func() error { return w.Update("billing") })
			_, err = w.create(providers.Request{Label: "m"})
			expectClass(t, err, providers.ClassConflict)
			_, err = w.create(providers.Request{Label: "n"})
			expectClass(t, err, "")
			w.after("getFreshClient", func() error { return w.Update("billing") })
			for range 2 { // what was lost has been replaced: it explains nothing any more
				_, err = w.create(providers.Request{Label: "o"})
				expectClass(t, err, providers.ClassConflict)
			}
		})
	}
}

func TestVerifiersInACache(t *testing.T) {
	w := newPortal(t, sandbox.LightAPISettings{Cache: 30 * time.Second}, lightapi.Settings{})
	if got := w.answer(firstSecret); got != providers.Accepted { // and the server keeps it
		t.Fatal(got)
	}
	issued, err := w.create(providers.Request{Label: "l"})
	if err != nil {
		t.Fatal(err)
	}
	fresh := issued.Bundle.Secret().Reveal()
	if old, now := w.answer(firstSecret), w.answer(fresh); old != providers.Accepted || now != providers.Refused {
		t.Errorf("while it is cached: old %s, new %s", old, now)
	}
	w.advance(30 * time.Second)
	if old, now := w.answer(firstSecret), w.answer(fresh); old != providers.Refused || now != providers.Accepted {
		t.Errorf("afterwards: old %s, new %s", old, now)
	}
}

func TestClientsThatAreNotRegenerated(t *testing.T) {
	w := newPortal(t, sandbox.LightAPISettings{}, lightapi.Settings{})
	seen, err := w.p.Inspect(t.Context(), target("retired"))
	if err != nil || !seen.Caps.Disabled {
		t.Errorf("disabled %t, error %v", seen.Caps.Disabled, err)
	}
	_, err = w.p.Create(t.Context(), target("retired"), providers.Request{})
	expectClass(t, err, providers.ClassRejected)
	if err == nil || !strings.Contains(err.Error(), "the client is not active") {
		t.Errorf("the command was sent for an inactive client: %v", err)
	}
	_, err = w.p.Inspect(t.Context(), target("browser"))
	expectClass(t, err, providers.ClassUnsupported)
	_, err = w.p.Create(t.Context(), target("browser"), providers.Request{})
	expectClass(t, err, providers.ClassUnsupported)
	_, err = w.p.Create(t.Context(), providers.Target{}, providers.Request{})
	expectClass(t, err, providers.ClassRejected)
	_, err = w.create(providers.Request{Proposed: bundle("billing", "own")})
	expectClass(t, err, providers.ClassUnsupported)
	elsewhere := target("billing")
	elsewhere.Ref["host_id"] = "another"
	_, err = w.p.Inspect(t.Context(), elsewhere)
	expectClass(t, err, providers.ClassNotFound)
	for _, id := range []string{"billing", "browser", "retired"} {
		if n := w.Regenerated(id); n != 0 {
			t.Errorf("%s was regenerated", id)
		}
	}
}

func TestTheClientAsItIsSeen(t *testing.T) {
	w := newPortal(t, sandbox.LightAPISettings{}, lightapi.Settings{})
	seen, err := w.p.Inspect(t.Context(), target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	if c := seen.Caps; c.Mode != credential.ModeHardCutover || c.Readable || c.StartReadable || c.Disabled || c.Slots != 1 {
		t.Errorf("%+v", c)
	}
	if len(seen.Secrets) != 1 || seen.Secrets[0] != (credential.Secret{Slot: providers.SlotCurrent, Never: true}) || !seen.Time.Equal(w.now()) {
		t.Errorf("%+v", seen)
	}
}

// TestATokenThatASuccessRefusesIsReadAgain: such a portal never answers with 401, so nothing else would.
func TestATokenThatASuccessRefusesIsReadAgain(t *testing.T) {
	reads := 0
	looks := 0
	p, err := lightapi.Kind().Open(providers.Opening{
		Name: "portal", Settings: &lightapi.Settings{URL: "https://portal", HostID: "host", TokenURL: "https://oauth/token", TokenEnv: "T"},
		Secret: func(string) (string, error) {
			reads++
			return "bearer", nil
		},
		Transport: answering(func(*http.Request) reply {
			if looks++; looks == 2 {
				return reply{http.StatusOK, `{"error":{"statusCode":401,"code":"ERR10001"}}`}
			}
			return reply{http.StatusOK, someClient}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []providers.Class{"", providers.ClassAuth, "", ""} {
		_, err := p.Inspect(t.Context(), target("billing"))
		expectClass(t, err, want)
	}
	if reads != 2 {
		t.Errorf("the token was read %d times, want twice", reads)
	}
}

func TestCheckAsksForNobody(t *testing.T) {
	for name, test := range map[string]struct {
		reply reply
		want  string // in the only finding; empty = there is none
	}{
		"the client is not found":         {reply{404, `{"statusCode":404,"code":"ERR11637"}`}, ""},
		"the client is not found, inside": {reply{200, `{"error":{"statusCode":404,"code":"ERR11637"}}`}, ""},
		"the client is found":             {reply{200, `{"aggregateVersion":1}`}, ""},
		"the token is refused":            {reply{401, `{"code":"ERR10001"}`}, "oauth-client-admin"},
		"the token is of the wrong sort":  {reply{400, `{"code":"ERR11601"}`}, "issued to a person"},
		"a right is missing, inside":      {reply{200, `{"error":{"statusCode":403,"code":"ERR10007"}}`}, "ERR10007"},
		"something else answers":          {reply{200, `<html>`}, "is the url that of the portal"},
		"the portal is away for a while":  {reply{503, ``}, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			p := openWith(t, func(*http.Request) reply { return test.reply })
			checker, ok := p.(providers.Checker)
			if !ok {
				t.Fatal("there is no check")
			}
			found := checker.Check(t.Context())
			if test.want == "" && len(found) == 0 {
				return
			}
			if len(found) != 1 || !found[0].Problem || !strings.Contains(found[0].What+found[0].Hint, test.want) || test.want == "" {
				t.Errorf("%+v, want %q", found, test.want)
			}
		})
	}
}

func TestValidateWantsOneWayToLogIn(t *testing.T) {
	for name, test := range map[string]struct {
		settings lightapi.Settings
		want     string
	}{
		"a token":                   {lightapi.Settings{TokenFile: "f"}, ""},
		"a client":                  {lightapi.Settings{ClientID: "c", ClientSecretEnv: "S"}, ""},
		"both":                      {lightapi.Settings{TokenEnv: "T", ClientID: "c"}, "client_id"},
		"none":                      {lightapi.Settings{}, "token_file"},
		"a client without secret":   {lightapi.Settings{ClientID: "c"}, "client_secret_file"},
		"a token beside a secret":   {lightapi.Settings{TokenFile: "f", ClientSecretFile: "s"}, "client_id"},
		"a secret without a client": {lightapi.Settings{ClientSecretFile: "s"}, "token_file"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			test.settings.Validate(func(path, _, _ string) { got += path })
			if got != test.want {
				t.Errorf("reported %q, want %q", got, test.want)
			}
		})
	}
}
