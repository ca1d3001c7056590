package casdoor_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// answered is a transport that answers one path with a text and passes the others on.
type answered struct{ path, body string }

// RoundTrip implements http.RoundTripper.
func (a answered) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != a.path {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// What answers an update is a success, or a reply that is kept where it cannot be told what it means.
func FuzzUpdated(f *testing.F) {
	for _, body := range []string{
		`{"status":"ok","data":"Affected"}`, `{"status":"error","msg":"` + mark + `"}`, `{"status":"ok","data":{"` + mark + `":1}}`,
		`<html>` + mark, ``, `null`, `[]`, `{"status":["` + mark + `"]}`,
	} {
		f.Add(body)
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := s.open(t, ownSecret, answered{sandbox.PathCasdoorUpdate, body})
		issued, err := p.Create(t.Context(), target("admin/billing"), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil && issued.Bundle.Secret().Empty():
			t.Error("a success without a secret")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
	})
}

// What answers a look is this application, or an error that proves nothing and repeats nothing. Only what was shown whole is sent back.
func FuzzShown(f *testing.F) {
	for _, body := range []string{
		`{"status":"ok","data":{"owner":"admin","name":"billing","organization":"o","clientId":"id-of-billing","clientSecret":"` + mark + `"}}`,
		`{"status":"ok","data":{"owner":"admin","name":"billing","organization":"o","clientId":"id-of-billing","clientSecret":"***"}}`,
		`{"status":"ok","data":{"owner":"admin","name":"billing","clientId":1,"clientSecret":"` + mark + `"}}`,
		`{"status":"error","msg":"` + mark + `"}`, `{"status":"ok","data":null}`, `{"status":"ok","data":"` + mark + `"}`, ``, `<html>` + mark,
	} {
		f.Add(body)
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := s.open(t, ownSecret, answered{sandbox.PathCasdoorGet, body})
		seen, err := p.Inspect(t.Context(), target("admin/billing"))
		switch {
		case err == nil && (seen.ClientID == "" || len(seen.Secrets) != 1 || seen.Secrets[0].ID == ""):
			t.Errorf("%+v", seen)
		case err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)):
			t.Errorf("%v", err)
		}
		if _, failed := p.Create(t.Context(), target("admin/billing"), providers.Request{}); (failed == nil) != (err == nil) {
			t.Errorf("a look says %v, a create %v", err, failed)
		}
	})
}
