package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
)

func bundleOf(id, secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive(id),
		credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

// TestConsumerTick gives a consumer one reading after the other; "good" is the only secret that is accepted.
func TestConsumerTick(t *testing.T) {
	for name, test := range map[string]struct {
		readings  []string // per reading; "" = Vault gives no answer
		permitted bool
		want      sandbox.Outcome
	}{
		"accepted at once":                              {[]string{"good"}, false, sandbox.Served},
		"replaced between reading and login":            {[]string{"bad", "good"}, false, sandbox.Reread},
		"refused twice":                                 {[]string{"bad", "bad"}, false, sandbox.Violation},
		"refused twice in a gap":                        {[]string{"bad", "bad"}, true, sandbox.InGap},
		"Vault gives no answer":                         {[]string{""}, false, sandbox.Unknown},
		"Vault gives no answer to the second reading":   {[]string{"bad", ""}, false, sandbox.Unknown},
		"a gap that is permitted and not there is fine": {[]string{"good"}, true, sandbox.Served},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Settings{})
			w.register(sandbox.Registration{ClientID: "c", Secret: "good"})
			next := 0
			c := sandbox.Consumer{Client: "c", Login: w.idp.Login, Cut: func() bool { return test.permitted }}
			c.Read = func(context.Context) (credential.Bundle, error) {
				reading := test.readings[next]
				next++
				if reading == "" {
					return nil, errors.New("sealed")
				}
				return bundleOf("c", reading), nil
			}
			r := c.Tick(t.Context(), w.now())
			if r.Outcome != test.want || (r.Err != nil) != (test.want == sandbox.Unknown) || next != len(test.readings) {
				t.Errorf("%+v after %d readings, want %s after %d", r, next, test.want, len(test.readings))
			}
		})
	}
}

func TestConsumerMeasuresTheGap(t *testing.T) {
	w := newWorld(t, sandbox.Settings{})
	w.register(sandbox.Registration{ClientID: "c", Secret: "old"})
	vault, cut := "old", false
	c := sandbox.Consumer{Client: "c", Login: w.idp.Login, Cut: func() bool { return cut }}
	c.Read = func(context.Context) (credential.Bundle, error) { return bundleOf("c", vault), nil }
	tick := func(outcome sandbox.Outcome, gap time.Duration) {
		t.Helper()
		if r := c.Tick(t.Context(), w.now()); r.Outcome != outcome || r.Gap != gap {
			t.Errorf("%s with gap %v, want %s with %v", r.Outcome, r.Gap, outcome, gap)
		}
	}
	tick(sandbox.Served, 0)
	cut = true
	_, value, err := w.idp.Issue("c", sandbox.Issue{})
	if err != nil {
		t.Fatal(err)
	}
	tick(sandbox.InGap, 0)
	w.advance(30 * time.Millisecond)
	tick(sandbox.InGap, 0)
	w.advance(12 * time.Millisecond)
	vault, cut = value, false
	tick(sandbox.Served, 42*time.Millisecond)
	tick(sandbox.Served, 0)
	vault = "old"
	tick(sandbox.Violation, 0)
}
