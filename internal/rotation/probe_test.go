package rotation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// Whoever has moved shows it by working: login, callback, bearer calls, the keys that a service publishes. One that fails keeps the
// old secret, and is asked again.
func TestAProbeThatFailsBlocksTheRevoke(t *testing.T) {
	c := newCopies()
	r := c.rec.Rotation
	r.Client.Destinations, c.rec.Client.Destinations = nil, nil
	r.Client.Probes = []credential.Probe{{URL: "https://bff/login"}, {URL: "https://bff/callback"}, {URL: "https://bff/api", Expect: 401}, {URL: "https://bff/jwks"}}
	var asked []string
	broken := "https://bff/api"
	c.executor.Probe = func(_ context.Context, p credential.Probe) error {
		if asked = append(asked, p.URL); p.URL == broken {
			return errors.New("the consumer answered 500")
		}
		return nil
	}
	c.until(t, credential.PhaseOverlap)
	if len(asked) != 0 {
		t.Errorf("asked before it was published: %v", asked)
	}
	done := c.turn(t, 4*day)
	if c.rec.Phase() != credential.PhaseOverlap || len(c.provider.Revoked) != 0 || !slices.Contains(done, rotation.EffectGate) {
		t.Fatalf("%s, revoked %v, %v", c.rec.Phase(), c.provider.Revoked, done)
	}
	if b := c.rec.Backoff; b.Attempts == 0 || !strings.Contains(b.Error, "a probe of a consumer failed: the consumer answered 500") {
		t.Errorf("said: %+v", b)
	}
	broken = ""
	asked = nil
	if h := c.rec.Hold; h != nil { // by then a person was called
		d, err := rotation.Resume(credential.ResolveRetry, "")(c.rec, rotation.Person{Name: "anna"}, c.now())
		if err != nil {
			t.Fatal(err)
		}
		c.rec = d.Record
	}
	if c.turn(t, 2*time.Hour); c.rec.Rotation != nil || len(c.provider.Revoked) != 1 {
		t.Errorf("when it works: %s, revoked %v", c.rec.Phase(), c.provider.Revoked)
	}
	if strings.Join(asked, " ") != "https://bff/login https://bff/callback https://bff/api https://bff/jwks" {
		t.Errorf("asked: %v", asked)
	}
}
