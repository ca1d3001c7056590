package entra_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
)

// tokenAnswer is a transport that answers every login with one status and one body.
type tokenAnswer struct {
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (a tokenAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// A secret is refuted by Entra's own number for it, and by nothing else. Whatever a server repeats of it, no error does.
func FuzzTokenAnswers(f *testing.F) {
	f.Add(200, `{"access_token":"t","expires_in":60}`)
	f.Add(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. zxcanarysecret"}`)
	f.Add(401, `{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}`)
	f.Add(400, `{"error":"unauthorized_client","error_description":"AADSTS700016: Application not found. zxcanarysecret"}`)
	f.Add(400, `{"error":"invalid_scope","error_description":"zxcanarysecret AADSTS7000215: x"}`)
	f.Add(401, `{"error":"invalid_client","error_description":"AADSTS99999999999999999999: zxcanarysecret"}`)
	f.Add(440, `{"error":"zxcanarysecret"}`)
	f.Add(503, `<html>zxcanarysecret`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 999 {
			return
		}
		p, err := entra.Kind().Open(providers.Opening{
			Name: "corp", Settings: &entra.Settings{TenantID: "t", ClientID: "c"}, Transport: tokenAnswer{status, body},
			Secret: func(string) (string, error) { return "own", nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := p.Verify(t.Context(), app(), bundle("app", "zxcanarysecret"))
		if (err == nil) != (answer != providers.Unknown) {
			t.Errorf("%s with error %v", answer, err)
		}
		plain := !strings.Contains(body, `\`)
		if answer == providers.Refused && plain && !strings.Contains(body, "AADSTS70002") {
			t.Errorf("%d %q refutes the secret", status, body)
		}
		if answer == providers.Accepted && (status != http.StatusOK || plain && !strings.Contains(strings.ToLower(body), "access_token")) {
			t.Errorf("%d %q proves the secret", status, body)
		}
		if err != nil && (strings.Contains(err.Error(), "zxcanarysecret") || providers.ClassOf(err) == providers.ClassAuth) {
			t.Errorf("the error is %v", err)
		}
	})
}
