package httpapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// mark is part of no message of ours: what holds it has come from the server.
const mark = "Q0q0Q0q0"

// Whatever headers a server sends, a wait is bounded and nothing of them reaches an error but what looks like an id, a
// scheme or a host.
func FuzzHeaders(f *testing.F) {
	for _, seed := range []struct {
		status                             int
		after, date, reset, location, kind string
	}{
		{429, "120", "", "", "", "application/json"},
		{503, "Sun, 01 Mar 2026 12:02:00 GMT", "Sun, 01 Mar 2026 12:00:00 GMT", "", "", ""},
		{429, "", "Sunday, 01-Mar-26 12:00:00 GMT", "1772366400", "", "text/html; charset=\"x"},
		{302, "", "Mon Jan  2 15:04:05 2006", "", "https://" + mark + ".example.com/" + mark + "?x=" + mark, ""},
		{307, "9223372036854775808", "", "-1", "//user:" + mark + "@host", "a/b;c"},
		{500, "1e9", "Thu, 32 Jan 0000 25:61:61 GMT", "9223372036854775807", "%zz", "application/x+json;q=\xff"},
	} {
		f.Add(seed.status, seed.after, seed.date, seed.reset, seed.location, seed.kind)
	}
	harmless := regexp.MustCompile(`^[ -~]*$`)
	f.Fuzz(func(t *testing.T, status int, after, date, reset, location, kind string) {
		if status < 200 || status > 999 {
			return
		}
		client := inProcess(t, func(*http.Request) (*http.Response, error) {
			r := reply(status, kind, after, "{}")
			r.Header["Date"], r.Header["X-Ratelimit-Reset"] = []string{date}, []string{reset}
			r.Header["Location"], r.Header["X-Request-Id"] = []string{location}, []string{location}
			return r, nil
		})
		resp, err := client.Do(t.Context(), change)
		if resp == nil { // a redirect to what is no URL counts as no reply, which never proves that nothing was done
			if status/100 != 3 || providers.ClassOf(err) != providers.ClassIndeterminate {
				t.Errorf("%d: the reply is lost: %v", status, err)
			}
			return
		}
		if wait := providers.RetryAfter(err); wait < 0 || wait > time.Hour {
			t.Errorf("wait %v", wait)
		}
		if len(resp.RequestID) > 80 || !harmless.MatchString(resp.RequestID) {
			t.Errorf("the id of the request is %q", resp.RequestID)
		}
		if err != nil && !harmless.MatchString(err.Error()) {
			t.Errorf("the error is %q", err)
		}
	})
}

// A secret is proved or refuted only by what a server says about it, and an answer is never repeated in an error.
func FuzzVerify(f *testing.F) {
	for _, seed := range []struct {
		method uint8
		status int
		body   string
	}{
		{0, 200, `{"access_token":"t"}`},
		{1, 400, `{"error":"invalid_grant"}`},
		{2, 200, `{"active":false}`},
		{1, 401, `{"error":"invalid_client","error_description":"` + mark + `"}`},
		{0, 400, `{"error":"invalid_scope"}`},
		{0, 200, `{"access_token":"t","error":"invalid_client"}`},
		{1, 200, `{"access_token":"` + mark + `"`},
		{2, 200, `{"active":null}`},
		{0, 403, `{"error":"unauthorized_client"}{}`},
		{1, 503, `<html>` + mark},
	} {
		f.Add(seed.method, seed.status, seed.body)
	}
	methods := []credential.VerifyMethod{
		credential.VerifyClientCredentials, credential.VerifyAuthCode, credential.VerifyIntrospection, credential.VerifyAuto, "other",
	}
	f.Fuzz(func(t *testing.T, method uint8, status int, body string) {
		if status < 200 || status > 999 {
			return
		}
		v := httpapi.Verifier{Token: "/token", Introspect: "/introspect", Client: inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(status, "application/json", "", body), nil
		})}
		settings := credential.VerifySettings{Method: methods[int(method)%len(methods)]}
		answer, err := v.Verify(t.Context(), settings, billing())
		if (err == nil) != (answer != providers.Unknown) {
			t.Errorf("%s with error %v", answer, err)
		}
		if err != nil && (strings.Contains(err.Error(), mark) || providers.ClassOf(err) == providers.ClassAuth) {
			t.Errorf("the error is %v", err)
		}
		proves := status == 200 || status == 400 || status == 401 || status == 403
		if answer != providers.Unknown && !proves {
			t.Errorf("%d %q is taken for an answer: %s", status, body, answer)
		}
		if plain := !strings.Contains(body, `\`); answer == providers.Refused && plain && !strings.Contains(body, "invalid_client") {
			t.Errorf("%d %q refutes the secret", status, body)
		}
	})
}
