package keycloak_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

// covered is a realm with a policy, one client in it, and the provider.
func covered(t *testing.T, s sandbox.KeycloakSettings) (*realm, providers.Provider) {
	t.Helper()
	r := newRealm(t, s)
	if err := r.Register(sandbox.KeycloakClient{ClientID: "billing", Secret: firstSecret}); err != nil {
		t.Fatal(err)
	}
	return r, r.open(t, nil)
}

func inspect(t *testing.T, p providers.Provider) providers.Snapshot {
	t.Helper()
	s, err := p.Inspect(t.Context(), target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t *testing.T, p providers.Provider) providers.Issued {
	t.Helper()
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{Label: "l"})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func recoverer(t *testing.T, p providers.Provider) providers.Recoverer {
	t.Helper()
	r, ok := providers.AsRecoverer(p)
	if !ok {
		t.Fatal("no Recoverer")
	}
	return r
}

func revoke(t *testing.T, p providers.Provider, id string) error {
	t.Helper()
	r, ok := providers.AsRevoker(p)
	if !ok {
		t.Fatal("no Revoker")
	}
	return r.Revoke(t.Context(), target("billing"), id)
}

// The life of a secret under a policy: its id stays the same in both slots although every date about it changes.
func TestGraceWindow(t *testing.T) {
	r, p := covered(t, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{Expiration: 90 * time.Hour, Rotated: 10 * time.Hour}})
	before := inspect(t, p)
	first := before.Secrets[0]
	if before.Caps.Mode != credential.ModeGraceWindow || before.Caps.Grace != 10*time.Hour || !before.Caps.SlotRevoke {
		t.Fatalf("%+v", before.Caps)
	}
	if !first.Start.IsZero() || !first.Expires.IsZero() || first.Never {
		t.Errorf("a client older than the policy has no dates: %+v", first)
	}
	r.advance(time.Hour)
	issued := create(t, p)
	born := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
	if !issued.Secret.Start.Equal(born) || !issued.Secret.Expires.Equal(born.Add(90*time.Hour)) || !issued.OldDies.Equal(born.Add(10*time.Hour)) {
		t.Errorf("%+v, the old one dies %v", issued.Secret, issued.OldDies)
	}
	after := inspect(t, p)
	old, ok := after.Find(first.ID)
	if !ok || old.Slot != providers.SlotPrevious || !old.Expires.Equal(issued.OldDies) || len(after.Secrets) != 2 {
		t.Errorf("the old secret is not found by its id: %+v", after.Secrets)
	}
	if current, ok := after.Current(); !ok || current.ID != issued.Secret.ID {
		t.Errorf("current: %+v", current)
	}
	r.advance(11 * time.Hour) // listed for ever, and dead
	if old, ok = inspect(t, p).Find(first.ID); !ok || !old.Gone(born.Add(11*time.Hour), time.Minute) {
		t.Errorf("the expired one: %+v, %t", old, ok)
	}
	if r.Accepts("billing", credential.NewSensitive(firstSecret)) {
		t.Error("the stand-in still accepts it")
	}
}

// Under a second create within the overlap the first secret dies. The slot then holds another one, and a revoke of the
// first must not touch it.
func TestRevokeLeavesTheSlotOfAnotherSecretAlone(t *testing.T) {
	r, p := covered(t, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{}})
	first := inspect(t, p).Secrets[0].ID
	second := create(t, p)
	third := create(t, p)
	if err := revoke(t, p, first); err != nil {
		t.Errorf("a secret that is gone: %v", err)
	}
	for name, b := range map[string]credential.Bundle{"second": second.Bundle, "third": third.Bundle} {
		if !r.Accepts("billing", b.Secret()) {
			t.Errorf("the %s secret was touched", name)
		}
	}
	if err := revoke(t, p, third.Secret.ID); providers.ClassOf(err) != providers.ClassConflict {
		t.Errorf("revoking the current one: %v", err)
	}
	if err := revoke(t, p, second.Secret.ID); err != nil || r.Accepts("billing", second.Bundle.Secret()) {
		t.Errorf("revoking the previous one: %v", err)
	}
	if err := revoke(t, p, ""); err != nil || !r.Accepts("billing", third.Bundle.Secret()) {
		t.Errorf("no id: %v", err)
	}
}

// A value set by hand moves no date. Its id shows it nevertheless.
func TestChangeByHandIsSeen(t *testing.T) {
	r, p := covered(t, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{}})
	create(t, p)
	before := inspect(t, p).Secrets[0]
	if err := r.SetSecret("billing", "by hand"); err != nil {
		t.Fatal(err)
	}
	after := inspect(t, p).Secrets[0]
	if after.ID == before.ID || !after.Start.Equal(before.Start) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	got, err := recoverer(t, p).Recover(t.Context(), target("billing"))
	if err != nil || got.Bundle.Secret().Reveal() != "by hand" || got.Secret.ID != after.ID {
		t.Errorf("%+v, %v", got.Secret, err)
	}
}

// Another administrator replaces the secret right after us. The value that we got is the old one already: it keeps its
// id, and gets none of the other one's dates.
func TestReadBackOfAnotherSecretIsNotTaken(t *testing.T) {
	r, plain := covered(t, sandbox.KeycloakSettings{Policy: &sandbox.KeycloakPolicy{}})
	p := r.open(t, afterwards{func(req *http.Request) {
		if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/client-secret") {
			create(t, plain)
		}
	}})
	issued := create(t, p)
	if !issued.Secret.Start.IsZero() || !issued.Secret.Expires.IsZero() || !issued.OldDies.IsZero() {
		t.Errorf("%+v, %v", issued.Secret, issued.OldDies)
	}
	if listed, ok := inspect(t, p).Find(issued.Secret.ID); !ok || listed.Slot != providers.SlotPrevious {
		t.Errorf("%+v, %t", listed, ok)
	}
}

// afterwards is a transport that does something after each request.
type afterwards struct{ do func(*http.Request) }

// RoundTrip implements http.RoundTripper.
func (a afterwards) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	a.do(r)
	return resp, err
}

func TestHardCutover(t *testing.T) {
	r, p := covered(t, sandbox.KeycloakSettings{})
	s := inspect(t, p)
	if s.Caps.Mode != credential.ModeHardCutover || s.Caps.SlotRevoke || s.Caps.Grace != 0 || !s.Caps.Readable || !s.Secrets[0].Never {
		t.Errorf("%+v %+v", s.Caps, s.Secrets)
	}
	issued := create(t, p)
	if !issued.OldDies.Equal(issued.Secret.Start) || issued.OldDies.IsZero() {
		t.Errorf("the old one died when the new one was born: %+v, %v", issued.Secret, issued.OldDies)
	}
	if r.Accepts("billing", credential.NewSensitive(firstSecret)) {
		t.Error("the old one lives")
	}
}

// Without the right to read policies, only a client that already carries an expiry counts as covered.
func TestModeWithoutTheRightToReadPolicies(t *testing.T) {
	r, p := covered(t, sandbox.KeycloakSettings{NoViewRealm: true, Policy: &sandbox.KeycloakPolicy{Rotated: 7 * time.Hour}})
	mine := target("billing")
	mine.Grace = 3 * time.Hour
	look := func() credential.Capabilities {
		t.Helper()
		s, err := p.Inspect(t.Context(), mine)
		if err != nil || !strings.Contains(s.Caps.Reason, "view-realm") {
			t.Fatalf("%v, %q", err, s.Caps.Reason)
		}
		return s.Caps
	}
	if caps := look(); caps.Mode != credential.ModeHardCutover || caps.Grace != 0 {
		t.Errorf("a client without dates: %+v", caps)
	}
	issued := create(t, p)
	if caps := look(); caps.Mode != credential.ModeGraceWindow || caps.Grace != 7*time.Hour {
		t.Errorf("a client with a replaced secret: %+v", caps)
	}
	if err := revoke(t, p, inspect(t, p).Secrets[1].ID); err != nil {
		t.Fatal(err)
	}
	if caps := look(); caps.Mode != credential.ModeGraceWindow || caps.Grace != 3*time.Hour {
		t.Errorf("a client without one; the grace that a person states counts: %+v", caps)
	}
	if !r.Accepts("billing", issued.Bundle.Secret()) {
		t.Error("the current secret was touched")
	}
}

// Keycloak itself answers such creates with 200.
func TestClientsThatCannotBeRotated(t *testing.T) {
	r := newRealm(t, sandbox.KeycloakSettings{})
	for _, c := range []sandbox.KeycloakClient{
		{ClientID: "public", Public: true},
		{ClientID: "bearer", BearerOnly: true},
		{ClientID: "jwt", Authenticator: "client-jwt"},
		{ClientID: "off", Disabled: true},
	} {
		if err := r.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	p := r.open(t, nil)
	for _, id := range []string{"public", "bearer", "jwt"} {
		_, inspected := p.Inspect(t.Context(), target(id))
		_, created := p.Create(t.Context(), target(id), providers.Request{})
		_, recovered := recoverer(t, p).Recover(t.Context(), target(id))
		for _, err := range []error{inspected, created, recovered} {
			if providers.ClassOf(err) != providers.ClassUnsupported {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	s, err := p.Inspect(t.Context(), target("off"))
	if err != nil || !s.Caps.Disabled {
		t.Errorf("a disabled client: %+v, %v", s.Caps, err)
	}
	if _, err := p.Create(t.Context(), target("off"), providers.Request{}); providers.ClassOf(err) != providers.ClassRejected {
		t.Errorf("a disabled client: %v", err)
	}
	for _, id := range []string{"public", "bearer", "jwt", "off"} {
		if r.Replaced(id) != 0 {
			t.Errorf("%s was rotated", id)
		}
	}
	if _, err := p.Create(t.Context(), target("off"), providers.Request{Proposed: bundle("off", "x")}); providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("a proposed value: %v", err)
	}
}

func TestSecretThatIsAlsoAMACKey(t *testing.T) {
	r := newRealm(t, sandbox.KeycloakSettings{})
	for want, c := range map[bool]sandbox.KeycloakClient{
		true:  {ClientID: "mac", Attributes: map[string]string{"id.token.signed.response.alg": "HS256"}},
		false: {ClientID: "rsa", Attributes: map[string]string{"id.token.signed.response.alg": "RS256"}},
	} {
		if err := r.Register(c); err != nil {
			t.Fatal(err)
		}
		s, err := r.open(t, nil).Inspect(t.Context(), target(c.ClientID))
		if err != nil || s.Caps.HMAC != want {
			t.Errorf("%s: HMAC is %t, %v", c.ClientID, s.Caps.HMAC, err)
		}
	}
}

// A client that may use no grant at all: the code grant proves its secret, and client_credentials proves it by the
// description only.
func TestVerifyOfAClientWithoutAServiceAccount(t *testing.T) {
	_, p := covered(t, sandbox.KeycloakSettings{})
	for _, method := range []credential.VerifyMethod{
		credential.VerifyAuto, credential.VerifyAuthCode, credential.VerifyClientCredentials, credential.VerifyIntrospection,
	} {
		for secret, want := range map[string]providers.Answer{firstSecret: providers.Accepted, "wrong": providers.Refused} {
			mine := target("billing")
			mine.Verify.Method = method
			if got, err := p.Verify(t.Context(), mine, bundle("billing", secret)); got != want {
				t.Errorf("%s: %s (%v), want %s", method, got, err, want)
			}
		}
	}
	if got, err := p.Verify(t.Context(), target("nobody"), bundle("nobody", "x")); got != providers.Refused {
		t.Errorf("an unknown client: %s, %v", got, err)
	}
}
