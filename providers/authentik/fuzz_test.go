package authentik_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// replies answers every look and every update with a text.
type replies struct{ look, update string }

func (r replies) RoundTrip(req *http.Request) (*http.Response, error) {
	body := r.look
	if req.Method == http.MethodPatch {
		body = r.update
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: req,
	}, nil
}

// What answers an update that succeeded is a secret, or it is kept: a plaintext is never lost, and never repeated in an error.
func FuzzUpdated(f *testing.F) {
	for _, body := range []string{
		`{"pk":2,"client_id":"billing","client_type":"confidential","client_secret":"` + mark + `"}`, `{"client_id":"other","client_secret":"` + mark + `"}`,
		`{"client_secret":["` + mark + `"]}`, `{"client_id":"billing","client_secret":"` + mark, `{"client_id":"billing"}`, `<html>` + mark, ``, `null`, `[]`,
	} {
		f.Add(body)
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := s.open(t, apiToken, replies{`{"results":[{"pk":2,"client_id":"billing","client_secret":"old"}]}`, body})
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil && issued.Bundle.Secret().Empty():
			t.Error("a success without a secret")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
		d, ok := p.(providers.Decoder)
		if !ok {
			t.Fatal("a stored reply cannot be read again")
		}
		again, failed := d.Decode(target("billing"), credential.NewSensitive(body))
		if failed == nil && err == nil && !again.Bundle.Equal(issued.Bundle) {
			t.Error("the stored reply is read as another secret")
		}
		if failed != nil && strings.Contains(failed.Error(), mark) {
			t.Errorf("the error repeats the reply: %v", failed)
		}
	})
}

// What answers a look is this client, or an error that proves nothing and repeats nothing.
func FuzzListed(f *testing.F) {
	for _, body := range []string{
		`{"results":[{"pk":2,"client_id":"billing","client_type":"confidential","client_secret":"` + mark + `"}]}`, `{"results":[{"pk":"2"}]}`,
		`{"results":[{"pk":2,"client_id":"billing","client_type":"public"}]}`, `{"results":[{"pk":-1,"client_id":"billing","client_secret":"` + mark + `"}]}`,
		`{"results":null}`, `[]`, `{"detail":"` + mark + `"}`, ``, `<html>` + mark,
	} {
		f.Add(body)
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, body string) {
		seen, err := s.open(t, apiToken, replies{look: body}).Inspect(t.Context(), target("billing"))
		switch {
		case err == nil && (seen.ClientID != "billing" || len(seen.Secrets) != 1 || seen.Secrets[0].ID == ""):
			t.Errorf("%+v", seen)
		case err != nil && !providers.Definite(err):
			t.Errorf("a look may have changed something: %v", err)
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the answer: %v", err)
		}
	})
}
