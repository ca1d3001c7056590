package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
)

const telicentSecret = sandbox.PathTelicent + "/clients/c/secret"

// TestFaults rotates once under each fault: what the caller sees, and whether it took place.
func TestFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault  func(*sandbox.Faults, sandbox.When)
		status int // 0 = the connection breaks
		broken bool
		done   bool
	}{
		"the reply is dropped":   {func(f *sandbox.Faults, w sandbox.When) { f.DropReply(w) }, 0, true, true},
		"the connection resets":  {func(f *sandbox.Faults, w sandbox.When) { f.Reset(w) }, 0, true, false},
		"the reply is cut short": {func(f *sandbox.Faults, w sandbox.When) { f.Truncate(w) }, 200, true, true},
		"429":                    {func(f *sandbox.Faults, w sandbox.When) { f.Status(w, 429, time.Minute) }, 429, false, false},
		"409 with a body":        {func(f *sandbox.Faults, w sandbox.When) { f.Reply(w, 409, "busy") }, 409, false, false},
		"500 after doing":        {func(f *sandbox.Faults, w sandbox.When) { f.StatusAfter(w, 500) }, 500, false, true},
		"HTML instead of JSON":   {func(f *sandbox.Faults, w sandbox.When) { f.Malformed(w, "<html>") }, 200, false, true},
		"delayed":                {func(f *sandbox.Faults, w sandbox.When) { f.Delay(w, time.Millisecond) }, 200, false, true},
		"answered late":          {func(f *sandbox.Faults, w sandbox.When) { f.DelayReply(w, time.Millisecond) }, 200, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Settings{})
			w.register(sandbox.Registration{ClientID: "c", Secret: "s"})
			test.fault(w.faults, sandbox.When{Method: http.MethodPost, Path: "/rotate"})
			r := w.request(http.MethodPost, telicentSecret+"/rotate", "")
			r.Header.Set("Authorization", "Bearer "+admin)
			status, err := send(r)
			if status != test.status || (err != nil) != test.broken {
				t.Errorf("HTTP %d, error %v", status, err)
			}
			if got := len(w.idp.Secrets("c")) == 2; got != test.done {
				t.Errorf("took place: %v, want %v", got, test.done)
			}
			if w.faults.Hits() != 1 {
				t.Errorf("%d hits", w.faults.Hits())
			}
			w.advance(time.Second)
			if status, _ := w.api(http.MethodPost, telicentSecret+"/rotate", ""); status != 200 {
				t.Errorf("the second request: HTTP %d", status)
			}
		})
	}
}

func send(r *http.Request) (int, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return resp.StatusCode, err
}

func TestFaultsSkipAndCount(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "s"})
	w.faults.Status(sandbox.When{Path: "/secret", Skip: 1, Count: 2}, 503, 0)
	for i, want := range []int{200, 503, 503, 200} {
		if status, _ := w.api(http.MethodGet, telicentSecret, ""); status != want {
			t.Errorf("request %d: HTTP %d, want %d", i+1, status, want)
		}
	}
	w.faults.Status(sandbox.When{Count: -1}, 500, 0)
	for range 3 {
		if status, _ := w.api(http.MethodGet, telicentSecret, ""); status != 500 {
			t.Errorf("HTTP %d", status)
		}
	}
	w.faults.Clear()
	if status, _ := w.api(http.MethodGet, telicentSecret, ""); status != 200 {
		t.Errorf("cleared: HTTP %d", status)
	}
}

func TestACallerWhoGivesUpDuringADelayChangesNothing(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "s"})
	w.faults.Delay(sandbox.When{Path: "/rotate"}, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r := w.request(http.MethodPost, telicentSecret+"/rotate", "x").WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+admin)
	if _, err := send(r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if n := len(w.idp.Secrets("c")); n != 1 {
		t.Errorf("%d secrets", n)
	}
}
