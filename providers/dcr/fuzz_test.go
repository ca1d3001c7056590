package dcr_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// hostile answers one method with one body, and the rest as the server does.
type hostile struct {
	next   http.Handler
	method string
	body   string
}

func (h hostile) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Method == h.method && strings.HasPrefix(r.URL.Path, sandbox.PathRegister) {
		_, _ = io.WriteString(w, h.body)
		w.Header()["Content-Type"] = nil
		return w.Result(), nil
	}
	r.RemoteAddr = "192.0.2.1:1"
	h.next.ServeHTTP(w, r)
	return w.Result(), nil
}

func bodies() []string {
	return []string{
		`{"client_id":"billing","client_secret":"` + mark + `","client_secret_expires_at":0,"registration_access_token":"` + mark + `t"}`,
		`{"client_id":"billing","registration_access_token":"` + mark + `"}`, `{"client_id":"other","client_secret":"` + mark + `"}`,
		`{"client_secret":["` + mark + `"]}`, `{"client_id":1}`, `{"client_id":"billing","registration_client_uri":"http://` + mark + `/%zz"}`,
		`{"client_id":"billing","client_secret":"` + mark, `<html>` + mark, ``, `null`, `[]`, `{"client_secret":"` + mark + `","error":"` + mark + `"}`,
		`{"client_id":"billing","client_secret":"s","client_secret_expires_at":1e999}`, `{"client_id":"billing","client_secret":"` + mark + `"} x`,
	}
}

// What answers an update is a secret with a key, or says that nothing was rotated, or is kept: it is never lost.
func FuzzUpdated(f *testing.F) {
	for _, body := range bodies() {
		f.Add(body)
	}
	v := newServer(f, sandbox.RegistrarSettings{Rotates: true})
	f.Fuzz(func(t *testing.T, body string) {
		p := v.open(t, hostile{v.Handler(), http.MethodPut, body})
		issued, err := p.Create(t.Context(), v.target(), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil || class == providers.ClassUnsupported:
			if issued.Bundle.Secret().Empty() || issued.Bundle[credential.FieldRegistrationToken].Empty() || issued.Secret.ID == "" {
				t.Error("an answer without secret, key or id")
			}
			if kept := issued.Bundle.Secret().Equal(v.vault.Secret()); kept != (err != nil) {
				t.Errorf("the secret is the old one: %t, and the error is %v", kept, err)
			}
		case class != providers.ClassNotUnderstood:
			t.Errorf("the class is %q", class)
		case issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		}
		decoder, _ := providers.AsDecoder(p)
		again, failed := decoder.Decode(v.target(), credential.NewSensitive(body))
		if failed == nil && err == nil && !again.Bundle.Equal(issued.Bundle) {
			t.Error("the stored reply is read as another bundle")
		}
		for _, err := range []error{err, failed} {
			if err != nil && strings.Contains(err.Error(), mark) {
				t.Errorf("the error repeats the reply: %v", err)
			}
		}
	})
}

// What shows a registration is read, or refused, and what is read back is what was listed.
func FuzzRegistrations(f *testing.F) {
	for _, body := range bodies() {
		f.Add(body)
	}
	v := newServer(f, sandbox.RegistrarSettings{Rotates: true})
	f.Fuzz(func(t *testing.T, body string) {
		p := v.open(t, hostile{v.Handler(), http.MethodGet, body})
		seen, err := p.Inspect(t.Context(), v.target())
		if err == nil && (len(seen.Secrets) > 1 || seen.ClientID != "billing" || seen.Caps.Mode != credential.ModeHardCutover) {
			t.Errorf("%+v", seen)
		}
		back, failed := recoverer(t, p).Recover(t.Context(), v.target())
		switch {
		case failed != nil:
		case back.Bundle.Secret().Empty() || back.Bundle[credential.FieldRegistrationToken].Empty():
			t.Error("an empty value was read back")
		case err != nil || len(seen.Secrets) != 1 || seen.Secrets[0].ID != back.Secret.ID:
			t.Errorf("listed as %+v (%v), read back as %s", seen.Secrets, err, back.Secret.ID)
		}
		for _, err := range []error{err, failed} {
			if err != nil && strings.Contains(err.Error(), mark) {
				t.Errorf("the error repeats the answer: %v", err)
			}
		}
	})
}
