package odc_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/odc"
)

func TestTheRawSecretIsProvedAtTheDiscoveredEndpoint(t *testing.T) {
	w := newWorld(t, sandbox.ODCSettings{})
	p := w.open(t, odc.Settings{}, nil)
	value, expires, err := w.odc.Portal().NewSecret("billing")
	if err != nil || expires.Sub(w.now()) != 90*24*time.Hour {
		t.Fatalf("expires %v, error %v", expires, err)
	}
	for secret, want := range map[string]providers.Answer{value: providers.Accepted, firstSecret: providers.Accepted, "wrong": providers.Refused} {
		for _, auth := range []string{"", "post", "basic"} {
			to := target("billing")
			to.Verify.Auth = auth
			if got, err := p.Verify(t.Context(), to, bundle("billing", secret)); got != want || err != nil {
				t.Errorf("auth %q: %s, want %s (error %v)", auth, got, want, err)
			}
		}
	}
}

// The secret goes into the form where nobody says otherwise: there no server can decode it once too often or too seldom.
func TestTheSecretGoesIntoTheForm(t *testing.T) {
	for _, auth := range []string{"basic", "post"} {
		w := newWorld(t, sandbox.ODCSettings{})
		if err := w.odc.Register(sandbox.Registration{ClientID: "picky", Secret: firstSecret, Auth: auth}); err != nil {
			t.Fatal(err)
		}
		want := map[string]providers.Answer{"post": providers.Accepted, "basic": providers.Refused}[auth]
		if got, err := w.open(t, odc.Settings{}, nil).Verify(t.Context(), target("picky"), bundle("picky", firstSecret)); got != want || err != nil {
			t.Errorf("a client that logs in by %s: %s, want %s (error %v)", auth, got, want, err)
		}
	}
}

// endpointAt answers discovery with an address, and the two token endpoints with a yes and a no.
func endpointAt(address *string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		found, err := json.Marshal(map[string]string{"token_endpoint": *address})
		if err != nil {
			return nil, err
		}
		return answers{
			sandbox.PathODCDiscovery: {http.StatusOK, string(found)},
			"/realms/new/token":      {http.StatusOK, `{"access_token":"t"}`},
			"/realms/old/token":      {http.StatusUnauthorized, `{"error":"invalid_client"}`},
		}.RoundTrip(r)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A realm that the organisation has left refuses every secret. That must not be taken for a wrong secret.
func TestARefusalByAFormerEndpointDoesNotCount(t *testing.T) {
	address := "https://auth.example.com/realms/old/token"
	p := openOn(t, endpointAt(&address), odc.Settings{})
	verify := func(want providers.Answer) {
		t.Helper()
		if got, err := p.Verify(t.Context(), target("billing"), bundle("billing", "s")); got != want || (err != nil) != (got == providers.Unknown) {
			t.Errorf("%s, want %s (error %v)", got, want, err)
		}
	}
	verify(providers.Refused)
	address = "https://auth.example.com/realms/new/token"
	verify(providers.Accepted)
	address = "" // discovery is broken
	verify(providers.Accepted)
	address = "https://auth.example.com/realms/old/token"
	p = openOn(t, endpointAt(&address), odc.Settings{})
	verify(providers.Refused)
	address = ""
	verify(providers.Unknown)
}

func TestASecretIsSentOnlyToWhatDiscoveryNamesSafely(t *testing.T) {
	for document, class := range map[string]providers.Class{
		`{"token_endpoint":"http://odc.example.com/token"}`:      providers.ClassRejected,
		`{"token_endpoint":"ftp://odc.example.com/token"}`:       providers.ClassRejected,
		`{"token_endpoint":"https://u:p@odc.example.com/token"}`: providers.ClassRejected,
		`{"token_endpoint":"/token"}`:                            providers.ClassRejected,
		`{"token_endpoint":""}`:                                  providers.ClassRejected,
		`{}`:                                                     providers.ClassRejected,
		`{"token_endpoint":7}`:                                   providers.ClassUnavailable,
		`<html>`:                                                 providers.ClassUnavailable,
	} {
		p := openOn(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != sandbox.PathODCDiscovery {
				t.Errorf("%s: a secret went to %s", document, r.URL.Host)
			}
			return answers{sandbox.PathODCDiscovery: {http.StatusOK, document}}.RoundTrip(r)
		}), odc.Settings{})
		got, err := p.Verify(t.Context(), target("billing"), bundle("billing", "s"))
		if got != providers.Unknown || providers.ClassOf(err) != class {
			t.Errorf("%s: %s, error %v", document, got, err)
		}
	}
}

func TestWhatDiscoverySaysIsNotAboutTheSecret(t *testing.T) {
	for status, class := range map[int]providers.Class{
		404: providers.ClassRejected, 401: providers.ClassUnavailable, 403: providers.ClassUnavailable, 500: providers.ClassUnavailable, 429: providers.ClassThrottled,
	} {
		p := openOn(t, answers{sandbox.PathODCDiscovery: {status, `{"error":"invalid_client"}`}}, odc.Settings{})
		got, err := p.Verify(t.Context(), target("billing"), bundle("billing", "s"))
		if got != providers.Unknown || providers.ClassOf(err) != class {
			t.Errorf("HTTP %d: %s, error %v", status, got, err)
		}
	}
}

func TestUnauthorizedClientHasTwoMeanings(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   providers.Answer
	}{
		{401, `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`, providers.Refused},
		{401, `{"error":"unauthorized_client","error_description":"Client not enabled to retrieve service account"}`, providers.Accepted},
		{400, `{"error":"unauthorized_client"}`, providers.Unknown},
		{401, `{"error":"invalid_client"}`, providers.Refused},
		{400, `{"error":"invalid_scope"}`, providers.Accepted},
	} {
		p := openOn(t, answers{"/token": {test.status, test.body}}, odc.Settings{})
		got, err := p.Verify(t.Context(), target("billing"), bundle("billing", "s"))
		if got != test.want || (err != nil) != (got == providers.Unknown) {
			t.Errorf("HTTP %d %s: %s, want %s (error %v)", test.status, test.body, got, test.want, err)
		}
	}
}

// Without the server's own time nobody knows how long a later start is away, and the refusal stands as it is.
func TestALaterStartCountsByTheServersClock(t *testing.T) {
	p := openOn(t, answers{
		"/api/v1/clients/billing/secrets/rotate": {http.StatusOK, `{"new_secret":"s","valid_from":"2999-01-01T00:00:00Z"}`},
		"/token":                                 {http.StatusUnauthorized, `{"error":"invalid_client"}`},
	}, odc.Settings{API: "on"})
	issued := create(t, p)
	if issued.Secret.Start.Year() != 2999 {
		t.Fatalf("%+v", issued.Secret)
	}
	if got, err := p.Verify(t.Context(), target("billing"), issued.Bundle); got != providers.Refused || err != nil {
		t.Errorf("%s, error %v", got, err)
	}
}
