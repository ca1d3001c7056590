package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Consumer is a service that logs in with what Vault hands out. It is driven step by step with Tick, by one caller at
// a time.
type Consumer struct {
	Client string

	// Read returns what Vault hands out now.
	Read func(ctx context.Context) (credential.Bundle, error)
	// Login is one login at the provider.
	Login func(ctx context.Context, b credential.Bundle) (providers.Answer, error)
	// Cut says that a cutover gap is permitted now; nil = never.
	Cut func() bool

	gapSince time.Time
	inGap    bool
}

// Outcome is what came of one tick.
type Outcome string

// The outcomes of a tick.
const (
	Served    Outcome = "served"    // the login was accepted
	Reread    Outcome = "reread"    // refused, and accepted with what Vault handed out on a second reading
	InGap     Outcome = "in-gap"    // refused twice, inside a permitted cutover gap
	Violation Outcome = "violation" // refused twice: rotad has cut a consumer off
	Unknown   Outcome = "unknown"   // Vault or the provider gave no answer; nothing follows from it
)

// Result is one tick.
type Result struct {
	Client  string
	At      time.Time
	Outcome Outcome
	Gap     time.Duration // of the gap that this tick ended, from its first refusal on; 0 = none ended
	Err     error         // why the outcome is Unknown
}

// Tick reads the bundle and logs in. A refusal counts only when it is repeated with a second reading: between the
// first reading and the login, the secret may have been replaced.
func (c *Consumer) Tick(ctx context.Context, now time.Time) Result {
	r := Result{Client: c.Client, At: now}
	permitted := c.permitted() // asked before the logins, so that a gap that ends meanwhile still excuses them
	for _, outcome := range []Outcome{Served, Reread} {
		accepted, err := c.try(ctx)
		if err != nil {
			r.Outcome, r.Err = Unknown, err
			return r
		}
		if accepted {
			r.Outcome, r.Gap = outcome, c.endGap(now)
			return r
		}
	}
	r.Outcome = Violation
	if permitted || c.permitted() {
		r.Outcome = InGap
		c.startGap(now)
	}
	return r
}

func (c *Consumer) permitted() bool { return c.Cut != nil && c.Cut() }

// try is one reading and one login. A missing bundle is no answer: there is nothing to log in with.
func (c *Consumer) try(ctx context.Context) (accepted bool, err error) {
	bundle, err := c.Read(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the bundle: %w", err)
	}
	answer, err := c.Login(ctx, bundle)
	switch answer {
	case providers.Accepted:
		return true, nil
	case providers.Refused:
		return false, nil
	case providers.Unknown:
	}
	if err == nil {
		err = errNoAnswer
	}
	return false, fmt.Errorf("logging in: %w", err)
}

func (c *Consumer) startGap(now time.Time) {
	if !c.inGap {
		c.gapSince, c.inGap = now, true
	}
}

func (c *Consumer) endGap(now time.Time) time.Duration {
	if !c.inGap {
		return 0
	}
	c.inGap = false
	return now.Sub(c.gapSince)
}
