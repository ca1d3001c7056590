package snowflake_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/providers"
)

// mark is part of no message of ours: an error that holds it repeats what the server said.
const mark = "Q0q0Q0q0"

// answered is a transport that answers the statements with these words itself and passes the others on.
type answered struct {
	words  string
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (a answered) RoundTrip(r *http.Request) (*http.Response, error) {
	if !says(r, a.words) {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// What answers a refresh is a success with a value, or a reply that is kept where it cannot be told what it means.
func FuzzRefreshed(f *testing.F) {
	for _, body := range []string{
		`{"data":[["{\"slot\":2,\"secrets\":{\"OAUTH_CLIENT_ID\":\"i\",\"OAUTH_CLIENT_SECRET\":\"` + mark + `\",\"OAUTH_CLIENT_SECRET_2\":\"t\"}}"]]}`,
		`{"data":[["{\"slot\":0,\"secrets\":{\"OAUTH_CLIENT_ID\":\"i\",\"OAUTH_CLIENT_SECRET\":\"` + mark + `\",\"OAUTH_CLIENT_SECRET_2\":\"t\"}}"]]}`,
		`{"data":[["{\"slot\":\"` + mark + `\"}"]]}`, `{"data":[["` + mark + `"]]}`, `{"data":[["1"],["2"]]}`, `{"data":[[]]}`, `{"data":{}}`, `<html>` + mark, ``,
	} {
		f.Add(body)
	}
	a := newAccount(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := open(t, byToken(a.url), ownToken, answered{"REFRESH", http.StatusOK, body})
		issued, err := p.Create(t.Context(), target("BILLING", bundle(clientID, firstSecret)), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil && (issued.Bundle.Secret().Empty() || issued.Secret.ID == ""):
			t.Error("a success without a secret")
		case class == providers.ClassNotUnderstood && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		case err != nil && strings.Contains(err.Error(), mark):
			t.Errorf("the error repeats the reply: %v", err)
		}
	})
}

// What answers a look shows two secrets, or is an error that proves nothing and repeats nothing.
func FuzzShown(f *testing.F) {
	for _, body := range []string{
		`{"data":[["{\"OAUTH_CLIENT_ID\":\"i\",\"OAUTH_CLIENT_SECRET\":\"` + mark + `\",\"OAUTH_CLIENT_SECRET_2\":\"t\"}"]]}`,
		`{"data":[["{\"oauth_client_id\":\"i\",\"oauth_client_secret\":\"` + mark + `\"}"]]}`,
		`{"data":[["{\"OAUTH_CLIENT_ID\":1}"]]}`, `{"data":[["` + mark + `"]]}`, `{"data":[[null]]}`, `{"error":"` + mark + `"}`, ``, `<html>` + mark,
	} {
		f.Add(body)
	}
	a := newAccount(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := open(t, byToken(a.url), ownToken, answered{"SELECT SYSTEM", http.StatusOK, body})
		seen, err := p.Inspect(t.Context(), target("BILLING", nil))
		switch {
		case err == nil && (seen.ClientID == "" || len(seen.Secrets) != 2 || seen.Secrets[0].ID == seen.Secrets[1].ID):
			t.Errorf("%+v", seen)
		case err != nil && (!providers.Definite(err) || strings.Contains(err.Error(), mark)):
			t.Errorf("%v", err)
		}
	})
}

// Whatever an integration is called, a statement is sent with a plain name in it, or none is sent.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"billing", "BILLING_2", "_x", "a'b", `a"b`, "$$", "a$b", "a\nb", "ä", "a;b"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		r := &statements{}
		p := open(t, byToken("https://account.invalid"), ownToken, r)
		_, err := p.Inspect(t.Context(), target(name, nil))
		if err == nil {
			t.Fatal("nobody answered, and there is no error")
		}
		for _, body := range r.bodies {
			if strings.Count(body, "'") != 2 || strings.ContainsAny(body, ";\\\n") || !strings.Contains(body, "('"+strings.ToUpper(name)+"')") {
				t.Errorf("%q became %s", name, body)
			}
		}
	})
}

// statements keeps what is sent.
type statements struct{ bodies []string }

// RoundTrip implements http.RoundTripper.
func (s *statements) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.bodies = append(s.bodies, string(body))
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}
