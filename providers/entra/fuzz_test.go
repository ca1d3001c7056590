package entra_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/entra"
)

// oneAnswer is a transport that grants every login and answers everything else with one body.
type oneAnswer struct{ body string }

func (o oneAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	body := o.body
	if strings.HasSuffix(r.URL.Path, "/token") {
		body = `{"access_token":"t","expires_in":60}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func FuzzAnswersOfGraph(f *testing.F) {
	for _, seed := range []string{
		`{"keyId":"k","secretText":"canary","endDateTime":"2026-01-01T00:00:00Z"}`,
		`{"keyId":"k","secretText":"canary","startDateTime":"2025-01-01T00:00:00+02:00","hint":"can","displayName":null}`,
		`{"id":"o","appId":"app","signInAudience":"AzureADMyOrg","passwordCredentials":[{"keyId":"k","secretText":null}]}`,
		`{"error":{"code":"canary","message":"canary"}}`, `{"secretText":"canary"}`, `<html>canary`, `[]`, `null`, ``,
		`{"keyId":1,"secretText":"canary"}`, `{"keyId":"k","secretText":"canary"`, `{"KEYID":"k","SECRETTEXT":"canary"} x`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p, err := entra.Kind().Open(providers.Opening{
			Name: "corp", Settings: &entra.Settings{TenantID: "t", ClientID: "c"}, Transport: oneAnswer{body},
			Secret: func(string) (string, error) { return "own", nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		issued, err := p.Create(t.Context(), app(), providers.Request{})
		switch {
		case err == nil && (issued.Bundle.Secret().Empty() || issued.Secret.ID == ""):
			t.Error("a success without secret or id")
		case err != nil && providers.ClassOf(err) != providers.ClassNotUnderstood:
			t.Errorf("the class is %q", providers.ClassOf(err))
		case err != nil && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		}
		seen, inspectErr := p.Inspect(t.Context(), app())
		for _, s := range seen.Secrets {
			if s.ID == "" {
				t.Error("a secret without an id")
			}
		}
		for _, err := range []error{err, inspectErr} {
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats the body: %v", err)
			}
		}
	})
}
