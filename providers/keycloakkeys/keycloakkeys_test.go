package keycloakkeys_test

import (
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/keycloakkeys"
)

func expectClass(t *testing.T, err error, want providers.Class) {
	t.Helper()
	if got := providers.ClassOf(err); got != want {
		t.Errorf("class %q, want %q (%v)", got, want, err)
	}
}

// A rotation changes the set of a client and nothing else, and both keys log in until the old one is taken out.
func TestTwoKeysStandBesideEachOther(t *testing.T) {
	r, old := newRealm(t, "ES256")
	p := r.open(t, ownSecret, "ES256", nil)
	fresh, _ := pair(t, "ES256")
	before := map[string]any{}
	for _, member := range []string{"name", "secret", "redirectUris", "nodeReRegistrationTimeout", "enabled", "clientAuthenticatorType"} {
		before[member] = r.Shown("billing", member)
	}
	issued, err := p.Create(t.Context(), target("billing"), providers.Request{Proposed: fresh, Label: credential.LabelsOf("r") + "1"})
	if err != nil || issued.Secret.ID != fresh[credential.FieldKeyID].Reveal() || issued.Secret.Start.IsZero() {
		t.Fatalf("%+v, %v", issued.Secret, err)
	}
	for name, bundle := range map[string]credential.Bundle{"old": old, "new": fresh} {
		if got, err := p.Verify(t.Context(), target("billing"), bundle); got != providers.Accepted {
			t.Errorf("the %s key: %s, %v", name, got, err)
		}
	}
	revoker, _ := providers.AsRevoker(p)
	if err = revoker.Revoke(t.Context(), target("billing"), old[credential.FieldKeyID].Reveal()); err != nil {
		t.Fatal(err)
	}
	if got, _ := p.Verify(t.Context(), target("billing"), old); got != providers.Refused {
		t.Errorf("the key that was taken out: %s", got)
	}
	expectClass(t, revoker.Revoke(t.Context(), target("billing"), issued.Secret.ID), providers.ClassConflict) // the last one
	for member, value := range before {
		if got := r.Shown("billing", member); !reflect.DeepEqual(got, value) {
			t.Errorf("%s was %v, and is %v", member, value, got)
		}
	}
	if attributes, _ := r.Shown("billing", "attributes").(map[string]any); attributes["note"] != "kept" {
		t.Errorf("another attribute is lost: %v", attributes)
	}
}

func TestWhatIsRefused(t *testing.T) {
	r, old := newRealm(t, "ES256")
	for name, test := range map[string]struct {
		client, own string
		proposed    credential.Bundle
		want        providers.Class
	}{
		"an unknown client":               {"nobody", ownSecret, old, providers.ClassNotFound},
		"no client":                       {"", ownSecret, old, providers.ClassNotFound},
		"a client with a secret":          {"secretive", ownSecret, old, providers.ClassUnsupported},
		"a client whose keys are fetched": {"fetched", ownSecret, old, providers.ClassUnsupported},
		"a set with a key without a name": {"strange", ownSecret, old, providers.ClassUnsupported},
		"a login that is refused":         {"billing", "stale", old, providers.ClassAuth},
		"a key that Keycloak is to make":  {"billing", ownSecret, nil, providers.ClassUnsupported},
		"what is no key":                  {"billing", ownSecret, credential.Bundle{"private_key": credential.NewSensitive("x")}, providers.ClassRejected},
	} {
		_, err := r.open(t, test.own, "ES256", nil).Create(t.Context(), target(test.client), providers.Request{Proposed: test.proposed})
		if got := providers.ClassOf(err); got != test.want || !providers.Definite(err) {
			t.Errorf("%s: %q, want %q (%v)", name, got, test.want, err)
		}
	}
	if r.Made("billing")+r.Made("strange") != 0 {
		t.Error("one was added all the same")
	}
	if _, err := keycloakkeys.Kind().Open(providers.Opening{Settings: 7}); err == nil {
		t.Error("settings of another kind are taken")
	}
}

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// answered answers looks itself and passes the others on.
type answered string

// RoundTrip implements http.RoundTripper.
func (a answered) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(a))), Request: r,
	}, nil
}

// What answers a look is a client with a set whose keys all have names, or an error that proves nothing and repeats nothing.
func FuzzShown(f *testing.F) {
	for _, body := range []string{
		`[{"id":"u","clientId":"billing","clientAuthenticatorType":"client-jwt","attributes":{"use.jwks.string":"true","jwks.string":"{\"keys\":[{\"kid\":\"a\"}]}"}}]`,
		`[{"id":"u","clientId":"billing","clientAuthenticatorType":"client-jwt","attributes":{"jwks.string":"` + mark + `"}}]`, `[]`, `null`, `{}`, `[null]`,
		`[{"clientId":"billing","clientAuthenticatorType":"client-jwt","secret":"` + mark + `"}]`, `[{"clientId":"billing","id":"` + mark + `"}]`, `<html>` + mark, ``,
	} {
		f.Add(body)
	}
	r, _ := newRealm(f, "EdDSA")
	f.Fuzz(func(t *testing.T, body string) {
		seen, err := r.open(t, ownSecret, "EdDSA", answered(body)).Inspect(t.Context(), target("billing"))
		if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
			t.Errorf("%v", err)
		}
		ids := map[string]bool{}
		for _, one := range seen.Secrets {
			if one.ID == "" || ids[one.ID] {
				t.Errorf("%+v", seen.Secrets)
			}
			ids[one.ID] = true
		}
	})
}
