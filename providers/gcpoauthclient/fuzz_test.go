package gcpoauthclient_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/gcpoauthclient"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// answers is Google with one answer for looks and one for creates; the login succeeds.
type answers struct {
	status       int
	look, create string
}

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := a.status, a.look
	switch {
	case r.URL.Path == sandbox.PathGoogleToken:
		status, body = http.StatusOK, `{"access_token":"t","expires_in":3600}`
	case r.Method == http.MethodPost:
		body = a.create
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// What answers a create that succeeded is a secret, or it is kept: a plaintext is never lost, and never repeated in an error.
func FuzzCreated(f *testing.F) {
	label := credential.Label(rotation, 1)
	for _, body := range []string{
		`{"name":"projects/p/locations/global/oauthClients/c/credentials/` + gcpoauthclient.NameOf(label) + `","clientSecret":"` + mark + `"}`,
		`{"name":"projects/p/locations/global/oauthClients/c/credentials/another","clientSecret":"` + mark + `"}`, `{"clientSecret":["` + mark + `"]}`,
		`{"clientSecret":"` + mark, `<html>` + mark, ``, `null`, `{"error":{"status":"` + mark + `"}}`,
	} {
		f.Add(body)
	}
	p := newProject(f, sandbox.GoogleSettings{})
	f.Fuzz(func(t *testing.T, body string) {
		opened := p.open(t, p.own, answers{http.StatusOK, `{"name":"a","clientId":"c"}`, body})
		issued, err := opened.Create(t.Context(), target("portal"), providers.Request{Label: label})
		switch class := providers.ClassOf(err); {
		case err == nil && (issued.Secret.Label != label || issued.Bundle.Secret().Empty()):
			t.Error("a success without a secret")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
	})
}

// What answers a look or a walk is a list, or an error that proves nothing and repeats nothing.
func FuzzListed(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"clientId":"c","oauthClientCredentials":[{"name":"a/b","clientSecret":"` + mark + `"}]}`, `{"clientId":"c","oauthClientCredentials":[{}]}`,
		`{"oauthClients":[{"name":"a/b","clientId":"c"}],"nextPageToken":"` + mark + `"}`, `{"oauthClients":[{"name":""}]}`, `{"error":{"message":"` + mark + `"}}`, `<html>` + mark, ``, `null`,
	} {
		f.Add(body, 200)
		f.Add(body, 403)
	}
	p := newProject(f, sandbox.GoogleSettings{})
	f.Fuzz(func(t *testing.T, body string, status int) {
		if status < 200 || status > 599 {
			return
		}
		opened := p.open(t, p.own, answers{status, body, body})
		seen, err := opened.Inspect(t.Context(), target("portal"))
		for _, s := range seen.Secrets {
			if s.ID == "" {
				t.Errorf("a credential without an id: %+v", seen)
			}
		}
		lister, _ := providers.AsLister(opened)
		page, failed := lister.List(t.Context(), "")
		for _, c := range page.Clients {
			if c.Ref["oauth_client"] == "" {
				t.Errorf("a client without a name: %+v", c)
			}
		}
		for _, err := range []error{err, failed} {
			if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
				t.Errorf("%v", err)
			}
		}
	})
}

var idForm = regexp.MustCompile(`^[a-z0-9-]{4,32}$`)

// An id that Google takes is made of every label, and an id is read back as the one label that it is made of, or as none.
func FuzzNames(f *testing.F) {
	for _, text := range []string{
		credential.Label(rotation, 1), credential.Label(rotation, 999), credential.Label(rotation, 1000), "rotad-conformance", "", "r-aaaaaaaaaaaaaaaaaaaaaaaaab-1", "r-agl7tmtmlz5edhjphmoflkqoca-2",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id := gcpoauthclient.NameOf(text)
		if !idForm.MatchString(id) || strings.HasPrefix(id, "gcp-") {
			t.Errorf("%q: Google takes no id %q", text, id)
		}
		if back := gcpoauthclient.LabelOf(id); back != "" && back != text {
			t.Errorf("%q is read back as %q", text, back)
		}
		if label := gcpoauthclient.LabelOf(text); label != "" && gcpoauthclient.NameOf(label) != text {
			t.Errorf("the id %q is read as %q, which has another id", text, label)
		}
	})
}
