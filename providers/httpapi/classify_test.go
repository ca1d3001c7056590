package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// classes is the whole table: status to class, for a read and for a request that changes something.
func classes(status int) (read, change providers.Class) {
	same := func(c providers.Class) (providers.Class, providers.Class) { return c, c }
	switch status {
	case 401, 403, 407:
		return same(providers.ClassAuth)
	case 404, 410:
		return same(providers.ClassNotFound)
	case 405, 501, 505:
		return same(providers.ClassUnsupported)
	case 409, 412:
		return same(providers.ClassConflict)
	case 423, 425:
		return same(providers.ClassBusy)
	case 429:
		return same(providers.ClassThrottled)
	case 303, 408, 499:
		return providers.ClassUnavailable, providers.ClassIndeterminate
	}
	if status >= 300 && status <= 499 {
		return same(providers.ClassRejected)
	}
	return providers.ClassUnavailable, providers.ClassIndeterminate
}

func TestEveryStatusHasOneMeaning(t *testing.T) {
	for status := 100; status < 600; status++ {
		if status/100 == 2 {
			continue
		}
		read, change := classes(status)
		if got := httpapi.Classify(status, false); got != read {
			t.Errorf("%d on a read: %s, want %s", status, got, read)
		}
		if got := httpapi.Classify(status, true); got != change {
			t.Errorf("%d on a change: %s, want %s", status, got, change)
		}
	}
}

// The same table through a server, so that net/http's own handling of a status is part of what is tested.
func TestEveryStatusOverTheWire(t *testing.T) {
	status := 200
	client := serve(t, httpapi.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "r-1")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	})
	for status = 200; status < 600; status++ {
		read, change := classes(status)
		if status/100 == 2 {
			read, change = "", ""
		}
		for mutates, want := range map[bool]providers.Class{false: read, true: change} {
			_, err := client.Do(t.Context(), httpapi.Request{
				Operation: "op", Method: http.MethodPost, Path: "/x", Mutates: mutates,
			})
			if got := providers.ClassOf(err); got != want {
				t.Errorf("%d, mutates %t: %q, want %q", status, mutates, got, want)
			}
			if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("corp: op: %s (HTTP %d) [request r-1]", want, status)) &&
				!strings.Contains(err.Error(), "[request r-1]") {
				t.Errorf("%d: the error does not say where it comes from: %v", status, err)
			}
		}
	}
}

func TestRetryAfterIsReadInEveryForm(t *testing.T) {
	const date = "Sun, 01 Mar 2026 12:00:00 GMT"
	for _, test := range []struct {
		name    string
		headers map[string]string
		want    time.Duration
	}{
		{"seconds", map[string]string{"Retry-After": "17"}, 17 * time.Second},
		{"a date, by the server's clock", map[string]string{"Retry-After": "Sun, 01 Mar 2026 12:02:00 GMT", "Date": date}, 2 * time.Minute},
		{"a date in the past", map[string]string{"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT", "Date": date}, time.Second},
		{"epoch seconds of Okta", map[string]string{"X-Rate-Limit-Reset": "1772366430", "Date": date}, 30 * time.Second},
		{"epoch seconds of Auth0", map[string]string{"X-Ratelimit-Reset": "1772366440", "Date": date}, 40 * time.Second},
		{"a date without a clock to compare with", map[string]string{"Retry-After": "Sun, 01 Mar 2026 12:02:00 GMT", "Date": ""}, time.Minute},
		{"zero", map[string]string{"Retry-After": "0"}, time.Second},
		{"absurd", map[string]string{"Retry-After": "99999999999"}, time.Hour},
		{"negative", map[string]string{"Retry-After": "-5"}, time.Second},
		{"nonsense", map[string]string{"Retry-After": "soon"}, 0},
		{"nothing", nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := serve(t, httpapi.Config{}, func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range test.headers {
					w.Header().Set(name, value)
				}
				if test.headers["Date"] == "" {
					w.Header()["Date"] = nil
				}
				w.WriteHeader(http.StatusTooManyRequests)
			})
			_, err := client.Do(t.Context(), httpapi.Request{Operation: "op", Method: http.MethodGet, Path: "/"})
			if got := providers.RetryAfter(err); got != test.want {
				t.Errorf("wait %v, want %v", got, test.want)
			}
		})
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(429, true, "7", "application/json", `{"error":"invalid_client"}`)
	f.Add(200, false, "", "text/html", `<html>`)
	f.Add(302, true, "Sun, 01 Mar 2026 12:02:00 GMT", "", ``)
	f.Add(500, true, "-1", "application/json", `{"error":{"code":"a b"}}`)
	f.Fuzz(func(t *testing.T, status int, mutates bool, after, contentType, body string) {
		if status < 200 || status > 999 {
			return
		}
		client := inProcess(t, func(*http.Request) (*http.Response, error) {
			return reply(status, contentType, after, body), nil
		})
		resp, err := client.Do(t.Context(), httpapi.Request{Operation: "op", Method: http.MethodPost, Path: "/", Mutates: mutates})
		if (status/100 == 2) != (err == nil) {
			t.Fatalf("%d: %v", status, err)
		}
		if err == nil {
			return
		}
		class := providers.ClassOf(err)
		if class == "" || (!mutates && !providers.Definite(err)) || resp == nil {
			t.Errorf("%d, mutates %t: class %q", status, mutates, class)
		}
		if wait := providers.RetryAfter(err); wait < 0 || wait > time.Hour {
			t.Errorf("wait %v", wait)
		}
	})
}
