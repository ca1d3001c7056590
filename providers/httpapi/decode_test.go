package httpapi_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// directly is a transport without a proxy and without kept connections.
func directly() http.RoundTripper { return &http.Transport{DisableKeepAlives: true} }

type shape struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

func TestReplyMustBeWhatWasAskedFor(t *testing.T) {
	for _, test := range []struct {
		name, contentType, body, words string
	}{
		{"a web page", "text/html", "<html>CANARY", "web page"},
		{"a web page that claims to be JSON", "application/json", "\n <html>CANARY", "web page"},
		{"plain text", "text/plain", `{"value":"CANARY"}`, "not JSON"},
		{"empty", "application/json", " \n", "empty"},
		{"broken", "application/json", `{"value":"CANARY`, "not JSON"},
		{"a stray character", "application/json", `{"value":CANARY}`, "malformed at byte"},
		{"the wrong type", "application/json", `{"count":"CANARY"}`, "count is not a int"},
		{"a number that is a secret", "application/json", `{"value":4711471147114711}`, "value is not a string"},
		{"a list", "application/json", `["CANARY"]`, "not a struct"},
		{"two documents", "application/json", `{"value":"a"}{"value":"CANARY"}`, "something follows"},
		{"an error inside", "application/json", `{"value":"a","error":"CANARY"}`, "reports an error"},
		{"errors inside", "application/json", `{"errors":["CANARY"]}`, "reports an error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := inProcess(t, func(*http.Request) (*http.Response, error) {
				return reply(http.StatusOK, test.contentType, "", test.body), nil
			})
			for want, r := range map[providers.Class]httpapi.Request{
				providers.ClassUnavailable: read, providers.ClassNotUnderstood: change,
			} {
				var out shape
				resp, err := client.Into(t.Context(), r, &out)
				if got := providers.ClassOf(err); got != want {
					t.Fatalf("%s: %v, want %s", r.Operation, err, want)
				}
				if resp.Raw().Reveal() != test.body {
					t.Error("the reply is not kept")
				}
				for _, part := range []string{"CANARY", "4711"} {
					if strings.Contains(err.Error(), part) {
						t.Errorf("the error repeats the body: %v", err)
					}
				}
				if !strings.Contains(err.Error(), test.words) {
					t.Errorf("%v, want %q", err, test.words)
				}
			}
		})
	}
}

func TestGoodReplies(t *testing.T) {
	for name, contentType := range map[string]string{
		"JSON": "application/json; charset=utf-8", "a JSON dialect": "application/scim+json", "no type at all": "",
	} {
		client := inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(http.StatusOK, contentType, "", `{"value":"v","error":null,"errors":[]}`), nil
		})
		var out shape
		if _, err := client.Into(t.Context(), change, &out); err != nil || out.Value != "v" {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// A reply beyond the limit is cut, kept, and never taken for an answer, even where its beginning looks like one.
func TestReplyIsLimited(t *testing.T) {
	body := `{"value":"` + strings.Repeat("x", 5000) + `"}`
	for limit, fits := range map[int64]bool{int64(len(body)): true, int64(len(body)) - 1: false, 100: false} {
		client := connect(t, httpapi.Config{Limit: limit, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			return reply(http.StatusOK, "application/json", "", body), nil
		})}, "http://idp.invalid")
		resp, err := client.Do(t.Context(), change)
		if fits != (err == nil) || int64(len(resp.Raw().Reveal())) != limit {
			t.Errorf("limit %d: kept %d bytes, %v", limit, len(resp.Raw().Reveal()), err)
		}
		if !fits && providers.ClassOf(err) != providers.ClassNotUnderstood {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func TestErrorCodeIsTakenOnlyIfItLooksLikeOne(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_client","error_description":"CANARY"}`:           "invalid_client",
		`{"error":{"code":"Directory_ConcurrencyViolation","message":"x"}}`: "Directory_ConcurrencyViolation",
		`{"errorCode":"E0000011"}`:                                          "E0000011",
		`{"code":"access.denied"}`:                                          "access.denied",
		`{"error":"HTTP 401 Unauthorized"}`:                                 "",
		`{"error":"Zx81kP0cAnArY77"}`:                                       "",
		`{"error":"` + strings.Repeat("a", 65) + `"}`:                       "",
		`{"error":["invalid_client"]}`:                                      "",
		`{"code":42}`:                                                       "",
		`nonsense`:                                                          "",
	} {
		client := inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(http.StatusBadRequest, "application/json", "", body), nil
		})
		resp, err := client.Do(t.Context(), read)
		if resp.Code() != want || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %q, %v", body, resp.Code(), err)
		}
	}
}

func TestRequestIDIsCleaned(t *testing.T) {
	for header, test := range map[string]struct{ sent, want string }{
		"Request-Id":        {"abc-1", "abc-1"},
		"X-Ms-Request-Id":   {"a b<script>", "abscript"},
		"Client-Request-Id": {strings.Repeat("y", 80), strings.Repeat("y", 80)},
		"X-Request-Id":      {strings.Repeat("y", 81), ""}, // no name, but what somebody repeats
		"X-Okta-Request-Id": {"Z/1=+", "Z/1=+"},
	} {
		client := inProcess(t, func(*http.Request) (*http.Response, error) {
			r := reply(http.StatusBadRequest, "", "", "")
			r.Header.Set(header, test.sent)
			return r, nil
		})
		if resp, _ := client.Do(t.Context(), read); resp.RequestID != test.want {
			t.Errorf("%s: %q, want %q", header, resp.RequestID, test.want)
		}
	}
}

// A server that makes its name of a call of what was sent would bring a secret into every error and log.
func TestRequestIDThatReflectsTheRequestIsDropped(t *testing.T) {
	const secret = "Zx81kP0cAnArY77"
	login := base64.StdEncoding.EncodeToString([]byte("app:" + secret))
	for name, r := range map[string]httpapi.Request{
		"form":   {Method: http.MethodPost, Form: url.Values{"client_secret": {secret}}},
		"JSON":   {Method: http.MethodPost, JSON: map[string]string{"secret": secret}},
		"header": {Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + secret}}},
		"Basic":  {Method: http.MethodGet, Header: http.Header{"Authorization": {"Basic " + login}}},
	} {
		for sent, want := range map[string]string{
			secret: "", "call client_secret=" + secret: "", secret[:13]: "", "0af7651916cd43dd8448eb211c80319c": "0af7651916cd43dd8448eb211c80319c",
		} {
			client := inProcess(t, func(*http.Request) (*http.Response, error) {
				answer := reply(http.StatusServiceUnavailable, "", "", "")
				answer.Header.Set("X-Request-Id", sent)
				return answer, nil
			})
			resp, err := client.Do(t.Context(), r)
			if resp.RequestID != want || strings.Contains(err.Error(), secret[:13]) {
				t.Errorf("%s: %q gives %q, want %q: %v", name, sent, resp.RequestID, want, err)
			}
		}
	}
}

// A secret of letters alone looks like an error code. A server that puts it there would bring it into every error and log.
func TestErrorCodeThatReflectsTheRequestIsDropped(t *testing.T) {
	const secret = "zxkpcanarysecret"
	r := httpapi.Request{Method: http.MethodPost, Form: url.Values{"client_secret": {secret}, "grant_type": {"client_credentials"}}}
	for sent, want := range map[string]string{
		secret: "", "wrong_" + secret: "", secret[:12]: "", "invalid_client": "invalid_client", "unsupported_grant_type": "unsupported_grant_type",
	} {
		client := inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(http.StatusBadRequest, "application/json", "", `{"error":"`+sent+`"}`), nil
		})
		_, err := client.Do(t.Context(), r)
		var e *providers.Error
		if !errors.As(err, &e) || e.Code != want || strings.Contains(err.Error(), secret[:12]) {
			t.Errorf("%q gives %v, want the code %q", sent, err, want)
		}
	}
}

// The library quotes a redirect that it cannot parse. Nothing of that may stand anywhere in the chain of errors.
func TestNoErrorInTheChainQuotesTheReply(t *testing.T) {
	const secret = "Zx81kP0cAnArY77"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "a: b "+secret)
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	_, err := connect(t, httpapi.Config{}, server.URL).Do(t.Context(), read)
	if err == nil {
		t.Fatal("a redirect is no error")
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if text := fmt.Sprintf("%+v %#v", err, err); strings.Contains(text, secret) {
			t.Errorf("%T quotes the reply", err)
		}
	}
}

func TestRawOfNoReplyIsEmpty(t *testing.T) {
	var r *httpapi.Response
	if !r.Raw().Empty() {
		t.Error("not empty")
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"value":"v"}`, `{"value":1}`, `{"error":"x"}`, `<html>`, ``, `{`, `[]`, `{"value":"\ud800"}`, `{"a":{"a":{"a":[[[[`, "\xff\xfe{}",
	} {
		f.Add(seed, "application/json")
	}
	f.Add(`{"value":"v"}`, "text/html")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		client := inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(http.StatusOK, contentType, "", body), nil
		})
		var out shape
		resp, err := client.Into(t.Context(), change, &out)
		if resp.Raw().Reveal() != body {
			t.Fatal("the reply is not kept")
		}
		if err != nil && providers.ClassOf(err) != providers.ClassNotUnderstood {
			t.Errorf("class %s", providers.ClassOf(err))
		}
		// Whatever follows a prefix that no message of ours contains must not be in the error.
		const mark = "Q0q0Q0q0"
		err = httpapi.Unmarshal(credential.NewSensitive(`{"value":`+body+mark), &out)
		if err != nil && strings.Contains(err.Error(), mark) {
			t.Errorf("the error repeats the text: %v", err)
		}
	})
}
