package odc_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/odc"
)

const rotatePath = "/api/v1/clients/billing/secrets/rotate"

func TestTimesAreReadInBothForms(t *testing.T) {
	want := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for written, at := range map[string]time.Time{
		`"2026-03-01T12:00:00Z"`: want, `"2026-03-01T13:00:00+01:00"`: want, `1772366400`: want, `1772366400000`: want,
		`"1772366400"`: want, `1772366400.5`: want.Add(500 * time.Millisecond),
		`null`: {}, `0`: {}, `-1`: {}, `""`: {}, `"tomorrow"`: {}, `"0001-01-01T00:00:00Z"`: {}, `"NaN"`: {}, `"Inf"`: {}, `1e300`: {}, `[]`: {}, `true`: {},
	} {
		for _, names := range [][2]string{{"valid_from", "expires_at"}, {"validFrom", "expiresAt"}} {
			body := `{"new_secret":"s","` + names[0] + `":` + written + `,"` + names[1] + `":` + written + `}`
			issued := create(t, openOn(t, answers{rotatePath: {http.StatusCreated, body}}, odc.Settings{API: "on"}))
			if s := issued.Secret; !s.Start.Equal(at) || !s.Expires.Equal(at) || s.Never {
				t.Errorf("%s: from %v to %v (never: %t), want %v", body, s.Start, s.Expires, s.Never, at)
			}
		}
	}
}

// mark is part of no message of ours: an error that holds it repeats what ODC said.
const mark = "Q0q0Q0q0"

// What answers a create that succeeded is a secret, or it is kept: a plaintext is never lost, and never repeated in an error.
func FuzzIssued(f *testing.F) {
	for _, body := range []string{
		`{"new_secret":"` + mark + `","valid_from":"2026-03-01T12:00:00Z","expires_at":1780142400}`, `{"newSecret":"` + mark + `"}`,
		`{"new_secret":["` + mark + `"]}`, `{"new_secret":"` + mark, `{"new_secret":""}`, `{"new_secret":"` + mark + `","error":"` + mark + `"}`,
		`{"new_secret":"` + mark + `"} {}`, `<html>` + mark, `"` + mark + `"`, `[]`, `null`, ``, `{"new_secret":"x","expires_at":1e400}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := openOn(t, answers{rotatePath: {http.StatusOK, body}}, odc.Settings{API: "on", OverlapHours: 24})
		issued, err := p.Create(t.Context(), target("billing"), providers.Request{})
		switch class := providers.ClassOf(err); {
		case err == nil && issued.Bundle.Secret().Empty():
			t.Error("a success without a secret")
		case err != nil && class != providers.ClassNotUnderstood:
			t.Errorf("class %s", class)
		case err != nil && issued.Raw.Reveal() != body:
			t.Error("the reply is lost")
		}
		decoder, ok := p.(providers.Decoder)
		if !ok {
			t.Fatal("a stored reply cannot be read again")
		}
		again, failed := decoder.Decode(target("billing"), credential.NewSensitive(body))
		if err == nil && (failed != nil || !again.Bundle.Equal(issued.Bundle)) {
			t.Errorf("the stored reply is read as something else: %v", failed)
		}
		for _, s := range []credential.Secret{issued.Secret, again.Secret} {
			if !s.Expires.IsZero() && (s.Expires.Year() < 1970 || s.Expires.Year() > 9999) {
				t.Errorf("expires %v", s.Expires)
			}
		}
		for _, err := range []error{err, failed} {
			if err != nil && strings.Contains(err.Error(), mark) {
				t.Errorf("the error repeats the reply: %v", err)
			}
		}
	})
}

// What discovery answers leads to a token endpoint by https, or to no answer about the secret.
func FuzzDiscovery(f *testing.F) {
	for _, body := range []string{
		`{"issuer":"https://odc.example.com","token_endpoint":"https://odc.example.com/token"}`, `{"token_endpoint":"http://` + mark + `/"}`,
		`{"token_endpoint":"https://` + mark + `.example.com:99999999/"}`, `{"token_endpoint":"https://[fe80::1%25eth0]/token?x=1"}`,
		`{"token_endpoint":"//` + mark + `"}`, `{"token_endpoint":"https://a b/"}`, `<html>` + mark, `{"error":"` + mark + `"}`, ``,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := openOn(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Scheme != "https" {
				t.Errorf("a secret is sent to %s", r.URL)
			}
			if r.Method == http.MethodPost {
				return answers{r.URL.Path: {http.StatusUnauthorized, `{"error":"invalid_client"}`}}.RoundTrip(r)
			}
			return answers{sandbox.PathODCDiscovery: {http.StatusOK, body}}.RoundTrip(r)
		}), odc.Settings{})
		got, err := p.Verify(t.Context(), target("billing"), bundle("billing", "s"))
		if got == providers.Accepted || (err != nil) != (got == providers.Unknown) || err != nil && strings.Contains(err.Error(), mark) {
			t.Errorf("%s, error %v", got, err)
		}
	})
}

// Whatever stands in Allow, it is a yes only where POST is one of its words.
func FuzzAllow(f *testing.F) {
	for _, seed := range []string{"POST", "OPTIONS, POST", "post", "GET,POSTS", " POST ,", "", "\"POST\"", "POST;q=1"} {
		f.Add(seed, 200)
		f.Add(seed, 403)
	}
	f.Fuzz(func(t *testing.T, allow string, status int) {
		if status < 200 || status > 599 {
			return
		}
		p := openOn(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodOptions {
				t.Errorf("a look sends %s", r.Method)
			}
			resp, err := answers{rotatePath: {status, ""}}.RoundTrip(r)
			resp.Header.Set("Allow", allow)
			return resp, err
		}), odc.Settings{API: "auto"})
		words := strings.Split(allow, ",")
		yes := status/100 == 2 && slices.ContainsFunc(words, func(word string) bool { return strings.TrimSpace(word) == "POST" })
		if got := inspect(t, p).Mode != credential.ModeManual; got != yes {
			t.Errorf("%d with Allow %q: %t", status, allow, got)
		}
	})
}
