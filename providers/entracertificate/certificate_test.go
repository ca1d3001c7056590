package entracertificate_test

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entracertificate"
)

func TestWhatRotadMakes(t *testing.T) {
	w := newTenant(t, sandbox.Graph{})
	der, err := entracertificate.PairOf(w.first)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil || c.Subject.CommonName != "app" || c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil {
		t.Fatalf("%v, %v", c.Subject, err)
	}
	if good := c.NotAfter.Sub(c.NotBefore); good < 365*24*time.Hour || !c.NotBefore.Before(w.now()) {
		t.Errorf("it is good for %v from %v", good, c.NotBefore)
	}
	if w.first.Names() == "" || w.first[credential.FieldClientID].Reveal() != "app" {
		t.Error("the bundle does not say whose it is, and which certificate")
	}
}

// What others have put into the list is there after a certificate was added and another one was removed, as it was.
func TestTheListOfOthersIsLeftAlone(t *testing.T) {
	w := newTenant(t, sandbox.Graph{})
	p := w.open(t, nil)
	before, err := p.Inspect(t.Context(), target("app"))
	if err != nil || len(before.Secrets) != 2 {
		t.Fatalf("%+v, %v", before.Secrets, err)
	}
	fresh := w.pair(t)
	ends := w.now().Add(30 * 24 * time.Hour).UTC().Truncate(time.Second)
	issued, err := p.Create(t.Context(), target("app"), providers.Request{Label: "rotad/r/1", Proposed: fresh, Expires: ends})
	if err != nil || issued.Secret.ID != fresh.Names() || !issued.Secret.Expires.Equal(ends) || issued.Secret.Label != "rotad/r/1" {
		t.Fatalf("%+v, %v", issued.Secret, err)
	}
	revoker, _ := providers.AsRevoker(p)
	if err := revoker.Revoke(t.Context(), target("app"), w.first.Names()); err != nil {
		t.Fatal(err)
	}
	after, err := p.Inspect(t.Context(), target("app"))
	if err != nil || len(after.Secrets) != 2 {
		t.Fatalf("%+v, %v", after.Secrets, err)
	}
	for _, want := range []credential.Secret{before.Secrets[1], issued.Secret} {
		if got, ok := after.Find(want.ID); !ok || got != want {
			t.Errorf("%+v is now %+v", want, got)
		}
	}
	if answer, err := p.Verify(t.Context(), target("app"), w.first); answer != providers.Refused {
		t.Errorf("the removed one: %s, %v", answer, err)
	}
}

// A new certificate is not known everywhere at once: until then it is refused, and then it is not.
func TestACertificateTakesItsTime(t *testing.T) {
	w := newTenant(t, sandbox.Graph{Propagation: time.Hour})
	p := w.open(t, nil)
	fresh := w.pair(t)
	if _, err := p.Create(t.Context(), target("app"), providers.Request{Proposed: fresh}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []providers.Answer{providers.Refused, providers.Accepted} {
		if answer, err := p.Verify(t.Context(), target("app"), fresh); answer != want {
			t.Errorf("%s, want %s (%v)", answer, want, err)
		}
		w.advance(time.Hour)
	}
}

func TestWhatIsRefused(t *testing.T) {
	w := newTenant(t, sandbox.Graph{})
	p := w.open(t, nil)
	mixed := w.pair(t)
	mixed[credential.FieldPrivateKey] = w.first[credential.FieldPrivateKey]
	for name, test := range map[string]struct {
		ref      credential.Ref
		proposed credential.Bundle
		want     providers.Class
	}{
		"an unknown application":       {ref: credential.Ref{"app_id": "none"}, proposed: w.pair(t), want: providers.ClassNotFound},
		"no application":               {ref: credential.Ref{}, proposed: w.pair(t), want: providers.ClassRejected},
		"a name that needs quoting":    {ref: credential.Ref{"app_id": "a'b"}, proposed: w.pair(t), want: providers.ClassRejected},
		"no pair":                      {ref: credential.Ref{"app_id": "app"}, want: providers.ClassUnsupported},
		"a key of another certificate": {ref: credential.Ref{"app_id": "app"}, proposed: mixed, want: providers.ClassRejected},
		"a password":                   {ref: credential.Ref{"app_id": "app"}, proposed: credential.Bundle{credential.FieldClientSecret: credential.NewSensitive("x")}, want: providers.ClassRejected},
	} {
		_, err := p.Create(t.Context(), providers.Target{Ref: test.ref}, providers.Request{Proposed: test.proposed})
		if got := providers.ClassOf(err); got != test.want {
			t.Errorf("%s: class %q, want %q (%v)", name, got, test.want, err)
		}
	}
	if w.Certified("app") != 2 {
		t.Error("one of them was added all the same")
	}
}

// Who is asked while another change is under way asks again later, and nothing was done.
func TestAnotherChangeIsUnderWay(t *testing.T) {
	w := newTenant(t, sandbox.Graph{})
	p := w.open(t, nil)
	w.faults.Reply(sandbox.When{Method: http.MethodPatch}, http.StatusConflict, sandbox.GraphError(sandbox.CodeConcurrency, "wait", "r", w.now()))
	_, err := p.Create(t.Context(), target("app"), providers.Request{Proposed: w.pair(t)})
	if providers.ClassOf(err) != providers.ClassBusy || providers.RetryAfter(err) == 0 {
		t.Error(err)
	}
}

func TestWhatProvesNothing(t *testing.T) {
	w := newTenant(t, sandbox.Graph{})
	p := w.open(t, nil)
	stranger := w.pair(t)
	stranger[credential.FieldClientID] = credential.NewSensitive("none")
	answer, err := p.Verify(t.Context(), target("app"), stranger)
	if answer != providers.Unknown || providers.ClassOf(err) != providers.ClassNotFound || !strings.Contains(err.Error(), "AADSTS700016") {
		t.Errorf("an application that is not there: %s, %v", answer, err)
	}
	late, err := entracertificate.Kind().Open(providers.Opening{
		Name: "corp", Now: func() time.Time { return w.now().Add(-time.Hour) },
		Settings: &entracertificate.Settings{TenantID: "tenant", ClientID: "rotad", GraphURL: w.url + sandbox.PathGraph, LoginURL: w.url + sandbox.PathLogin},
		Secret:   func(string) (string, error) { return "rotads-own", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := late.Verify(t.Context(), target("app"), w.first); answer != providers.Unknown || !strings.Contains(err.Error(), "AADSTS700024") {
		t.Errorf("a clock that is an hour late: %s, %v", answer, err)
	}
}

func TestTheFirstCertificateOfAnApplication(t *testing.T) {
	w := newTenant(t, sandbox.Graph{})
	p := w.open(t, nil)
	generator, _ := providers.AsGenerator(p)
	first, err := generator.Generate(target("bare"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Create(t.Context(), target("bare"), providers.Request{Proposed: first}); err != nil {
		t.Fatal(err)
	}
	if answer, err := p.Verify(t.Context(), target("bare"), first); answer != providers.Accepted {
		t.Error(answer, err)
	}
}

// Who owns an application may change its certificates, and nobody else's.
func TestRightsAreThoseOfItsOwners(t *testing.T) {
	w := newTenant(t, sandbox.Graph{})
	for _, r := range []sandbox.Registration{
		{ClientID: "checker", Secret: "rotads-own", Admin: true, Roles: []string{"Application.ReadWrite.OwnedBy", "Mail.Send"}},
		{ClientID: "owned", OwnedBy: []string{sandbox.Principal("checker")}},
	} {
		if err := w.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	reader, _ := providers.AsRightsReader(w.openAs(t, "checker", nil))
	rights, err := reader.Rights(t.Context(), []providers.Target{target("owned"), target("app")})
	if err != nil {
		t.Fatal(err)
	}
	var missing, wide []string
	for _, r := range rights {
		if r.Missing() {
			missing = append(missing, r.Client)
		}
		if r.TooWide() {
			wide = append(wide, r.Name)
		}
	}
	if strings.Join(missing, " ") != "id-of-app" || strings.Join(wide, " ") != "Mail.Send" || !strings.Contains(rights[0].Why, "certificates") {
		t.Errorf("missing at %q, too wide %q: %+v", missing, wide, rights)
	}
}

func TestCheck(t *testing.T) {
	w := newTenant(t, sandbox.Graph{})
	checker, _ := providers.AsChecker(w.open(t, nil))
	if got := checker.Check(t.Context()); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	w.Unregister("rotad")
	checker, _ = providers.AsChecker(w.open(t, nil))
	if got := checker.Check(t.Context()); len(got) != 1 || !got[0].Problem || got[0].Hint == "" {
		t.Errorf("%+v", got)
	}
}
