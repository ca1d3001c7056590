package gcpserviceaccount_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/gcpserviceaccount"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// answers is Google with one answer for everything but the login.
type answers struct {
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := a.status, a.body
	if r.URL.Path == sandbox.PathGoogleToken {
		status, body = http.StatusOK, `{"access_token":"t","expires_in":3600}`
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// What answers a create that succeeded is a key, or it is kept: a plaintext is never lost, and never repeated in an error.
func FuzzCreated(f *testing.F) {
	w := newProject(f, sandbox.GoogleSettings{})
	data := base64.StdEncoding.EncodeToString([]byte(w.first[gcpserviceaccount.FieldCredentials].Reveal()))
	for _, body := range []string{
		`{"name":"projects/p/serviceAccounts/a/keys/` + w.first.Names() + `","privateKeyData":"` + data + `","validAfterTime":"2026-03-01T12:00:00Z","validBeforeTime":"9999-12-31T23:59:59Z"}`,
		`{"name":"projects/p/serviceAccounts/a/keys/another","privateKeyData":"` + data + `"}`, `{"name":"` + mark + `","privateKeyData":"` + mark + `"}`,
		`{"privateKeyData":"` + mark, `{"name":["` + mark + `"]}`, `<html>` + mark, ``, `null`, `{"error":{"status":"` + mark + `"}}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := w.open(t, w.own, answers{http.StatusOK, body})
		issued, err := p.Create(t.Context(), w.target("billing"), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil && (issued.Secret.ID == "" || issued.Bundle.Names() != issued.Secret.ID || issued.Bundle[gcpserviceaccount.FieldCredentials].Empty()):
			t.Error("a success without a key")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
		d, ok := providers.AsDecoder(p)
		if !ok {
			t.Fatal("a stored reply cannot be read again")
		}
		again, failed := d.Decode(w.target("billing"), credential.NewSensitive(body))
		if failed == nil && err == nil && !again.Bundle.Equal(issued.Bundle) {
			t.Error("the stored reply is read as another key")
		}
		if failed != nil && strings.Contains(failed.Error(), mark) {
			t.Errorf("the error repeats the reply: %v", failed)
		}
	})
}

// What answers a look, a walk or a question about rights is a list, or an error that proves nothing and repeats nothing.
func FuzzListed(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"keys":[{"name":"projects/p/serviceAccounts/a/keys/k1","validAfterTime":"2026-03-01T12:00:00Z"}]}`, `{"keys":[{}]}`, `{"keys":null,"a":1}`,
		`{"accounts":[{"email":"a@b"}],"nextPageToken":"` + mark + `"}`, `{"accounts":[{}]}`, `{"keys":[{"name":"a","validAfterTime":"` + mark + `"}]}`,
		`{"error":{"code":403,"status":"PERMISSION_DENIED","message":"` + mark + `","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}`,
		`{"error":{"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"86401s"},{"@type":1},7]}}`, `<html>` + mark, ``, `null`,
	} {
		f.Add(body, 200)
		f.Add(body, 403)
		f.Add(body, 429)
	}
	w := newProject(f, sandbox.GoogleSettings{})
	f.Fuzz(func(t *testing.T, body string, status int) {
		if status < 200 || status > 599 {
			return
		}
		p := w.open(t, w.own, answers{status, body})
		seen, err := p.Inspect(t.Context(), w.target("billing"))
		for _, s := range seen.Secrets {
			if s.ID == "" {
				t.Errorf("a key without an id: %+v", seen)
			}
		}
		lister, _ := providers.AsLister(p)
		page, failed := lister.List(t.Context(), "")
		for _, c := range page.Clients {
			if c.Ref["service_account"] == "" {
				t.Errorf("an account without a name: %+v", c)
			}
		}
		reader, _ := providers.AsRightsReader(p)
		_, unread := reader.Rights(t.Context(), []providers.Target{w.target("billing")})
		for _, err := range []error{err, failed, unread} {
			if err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)) {
				t.Errorf("%v", err)
			}
		}
	})
}
