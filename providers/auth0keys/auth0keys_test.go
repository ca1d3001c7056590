package auth0keys_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/auth0keys"
)

func generate(t *testing.T, p providers.Provider) credential.Bundle {
	t.Helper()
	g, ok := providers.AsGenerator(p)
	if !ok {
		t.Fatal("no Generator")
	}
	bundle, err := g.Generate(target("billing"))
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func expectClass(t *testing.T, err error, want providers.Class) {
	t.Helper()
	if got := providers.ClassOf(err); got != want {
		t.Errorf("class %q, want %q (%v)", got, want, err)
	}
}

func TestTwoKeysStandBesideEachOther(t *testing.T) {
	s, old := newTenant(t)
	p := s.open(t, ownSecret, nil)
	fresh, ends := generate(t, p), s.now().Add(24*time.Hour).Truncate(time.Second)
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{Proposed: fresh, Label: credential.LabelsOf("r") + "1", Expires: ends})
	if err != nil || issued.Secret.ID != fresh[credential.FieldKeyID].Reveal() || !issued.Secret.Expires.Equal(ends) || issued.Secret.Never {
		t.Fatalf("%+v, %v", issued.Secret, err)
	}
	for name, bundle := range map[string]credential.Bundle{"old": old, "new": fresh} {
		if got, err := p.Verify(t.Context(), target("billing"), bundle); got != providers.Accepted {
			t.Errorf("the %s key: %s, %v", name, got, err)
		}
	}
	_, err = p.Create(t.Context(), target("billing"), providers.Request{Proposed: generate(t, p), Label: credential.LabelsOf("r") + "2"})
	expectClass(t, err, providers.ClassQuota)
	revoker, _ := providers.AsRevoker(p)
	if err = revoker.Revoke(t.Context(), target("billing"), old[credential.FieldKeyID].Reveal()); err != nil || !slices.Equal(s.Keys("billing"), []string{credential.LabelsOf("r") + "1"}) {
		t.Errorf("%v, left are %v", err, s.Keys("billing"))
	}
	expectClass(t, revoker.Revoke(t.Context(), target("billing"), issued.Secret.ID), providers.ClassConflict) // the last one
	if got, _ := p.Verify(t.Context(), target("billing"), old); got != providers.Refused {
		t.Errorf("the deleted key: %s", got)
	}
}

// stopping is a transport that dies before requests of a method.
type stopping string

// RoundTrip implements http.RoundTripper.
func (s stopping) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == string(s) {
		return nil, io.ErrUnexpectedEOF
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Whoever died between the upload and the use goes on with the same key, and a key of rotad's that nobody uses makes room for another one. A
// person's key does not.
func TestAKeyThatWasOnlyUploaded(t *testing.T) {
	s, _ := newTenant(t)
	dying, p := s.open(t, ownSecret, stopping(http.MethodPatch)), s.open(t, ownSecret, nil)
	fresh := generate(t, p)
	if _, err := dying.Create(t.Context(), target("billing"), providers.Request{Proposed: fresh, Label: credential.LabelsOf("r") + "1"}); err == nil || s.Made("billing") != 0 {
		t.Fatalf("it was taken into use: %v", err)
	}
	if got, _ := p.Verify(t.Context(), target("billing"), fresh); got != providers.Refused {
		t.Errorf("a key that is not in use: %s", got)
	}
	if _, err := p.Create(t.Context(), target("billing"), providers.Request{Proposed: fresh, Label: credential.LabelsOf("r") + "1"}); err != nil || s.Made("billing") != 1 || len(s.Keys("billing")) != 2 {
		t.Fatalf("the same key again: %v, %v", err, s.Keys("billing"))
	}
	s, _ = newTenant(t)
	dying, p = s.open(t, ownSecret, stopping(http.MethodPatch)), s.open(t, ownSecret, nil)
	_, _ = dying.Create(t.Context(), target("billing"), providers.Request{Proposed: fresh, Label: credential.LabelsOf("r") + "1"})
	if _, err := p.Create(t.Context(), target("billing"), providers.Request{Proposed: generate(t, p), Label: credential.LabelsOf("q") + "1"}); err != nil || !slices.Equal(s.Keys("billing"), []string{"first", credential.LabelsOf("q") + "1"}) {
		t.Errorf("another key after it: %v, %v", err, s.Keys("billing"))
	}
	s, _ = newTenant(t)
	dying, p = s.open(t, ownSecret, stopping(http.MethodPatch)), s.open(t, ownSecret, nil)
	_, _ = dying.Create(t.Context(), target("billing"), providers.Request{Proposed: fresh, Label: "by hand"})
	_, err := p.Create(t.Context(), target("billing"), providers.Request{Proposed: generate(t, p), Label: credential.LabelsOf("q") + "1"})
	expectClass(t, err, providers.ClassQuota)
}

func TestWhatIsRefused(t *testing.T) {
	s, old := newTenant(t)
	for name, test := range map[string]struct {
		client, own string
		proposed    credential.Bundle
		want        providers.Class
	}{
		"an unknown application":       {client: "nobody", own: ownSecret, proposed: old, want: providers.ClassNotFound},
		"no application":               {own: ownSecret, proposed: old, want: providers.ClassNotFound},
		"an application with a secret": {client: "secretive", own: ownSecret, proposed: old, want: providers.ClassUnsupported},
		"a login that is refused":      {client: "billing", own: "stale", proposed: old, want: providers.ClassAuth},
		"a key that Auth0 is to make":  {client: "billing", own: ownSecret, want: providers.ClassUnsupported},
		"what is no key":               {client: "billing", own: ownSecret, proposed: credential.Bundle{"private_key": credential.NewSensitive("x")}, want: providers.ClassRejected},
	} {
		_, err := s.open(t, test.own, nil).Create(t.Context(), target(test.client), providers.Request{Proposed: test.proposed})
		if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
			t.Errorf("%s: %q, want %q (%v)", name, got, test.want, err)
		}
	}
	if s.Made("billing") != 0 {
		t.Error("one was taken into use all the same")
	}
	if _, err := auth0keys.Kind().Open(providers.Opening{Settings: 7}); err == nil {
		t.Error("settings of another kind are taken")
	}
}

func TestRights(t *testing.T) {
	for scope, want := range map[string]string{
		sandbox.Auth0KeyScopes: "", "read:clients read:client_credentials": "missing create:client_credentials|missing update:clients|missing delete:client_credentials|",
		sandbox.Auth0KeyScopes + " delete:users read:users": "wide delete:users, read:users|",
	} {
		s, _ := newTenant(t)
		s.Grant(scope)
		reader, ok := providers.AsRightsReader(s.open(t, ownSecret, nil))
		if !ok {
			t.Fatal("auth0-keys cannot read rights")
		}
		rights, err := reader.Rights(t.Context(), nil)
		got := ""
		for _, r := range rights {
			if r.Missing() {
				got += "missing " + r.Name + "|"
			} else if r.TooWide() {
				got += "wide " + r.Name + "|"
			}
		}
		if err != nil || got != want {
			t.Errorf("%s: %s, want %s (%v)", scope, got, want, err)
		}
	}
}

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// answered answers one sort of request itself and passes the others on.
type answered struct{ method, end, body string }

// RoundTrip implements http.RoundTripper.
func (a answered) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != a.method || !strings.HasSuffix(r.URL.Path, a.end) {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// What answers a look is a list of keys with names, or an error that proves nothing and repeats nothing.
func FuzzListed(f *testing.F) {
	for _, body := range []string{
		`[{"id":"cred_1","kid":"k1","credential_type":"public_key","created_at":"2026-03-01T12:00:00.000Z"}]`, `[{"id":"cred_1","credential_type":"cert_subject_dn"}]`,
		`[]`, `null`, `{}`, `[{}]`, `[{"id":"` + mark + `","credential_type":"public_key"}]`, `<html>` + mark, ``, `[{"id":"a","kid":"b","expires_at":"` + mark + `"}]`,
	} {
		f.Add(body)
	}
	s, _ := newTenant(f)
	f.Fuzz(func(t *testing.T, body string) {
		seen, err := s.open(t, ownSecret, answered{http.MethodGet, "/credentials", body}).Inspect(t.Context(), target("billing"))
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
			t.Errorf("%v", err)
		}
		var list []any
		if err == nil && json.Unmarshal([]byte(body), &list) != nil {
			t.Errorf("%q is taken for a list", body)
		}
		for _, one := range seen.Secrets {
			if one.ID == "" || one.Never != one.Expires.IsZero() {
				t.Errorf("%+v", one)
			}
		}
	})
}

// What says which keys are in use is read, or refused; nobody is told that an application uses none where it was not understood.
func FuzzInUse(f *testing.F) {
	for _, body := range []string{
		`{"client_id":"billing","client_authentication_methods":{"private_key_jwt":{"credentials":[{"id":"cred_1"}]}}}`, `{"client_id":"billing"}`, `{}`, `null`,
		`{"client_id":"` + mark + `"}`, `{"client_id":"billing","client_authentication_methods":{"private_key_jwt":"` + mark + `"}}`, ``, `[`,
	} {
		f.Add(body)
	}
	s, _ := newTenant(f)
	f.Fuzz(func(t *testing.T, body string) {
		_, err := s.open(t, ownSecret, answered{http.MethodGet, "/clients/billing", body}).Inspect(t.Context(), target("billing"))
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
			t.Errorf("%v", err)
		}
		if err == nil && !strings.Contains(body, "billing") {
			t.Errorf("%q is taken for the application", body)
		}
	})
}
