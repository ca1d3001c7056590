package vault

import (
	"context"
	"time"
)

// Pauses of the renewal loop.
const (
	firstPause   = time.Second            // after a failure; doubled with each one that follows
	longestPause = time.Minute            // between two looks: timers stop while the machine sleeps, tokens do not
	leastPause   = 500 * time.Millisecond // between two rounds, however short the tokens live
)

// Run keeps the token alive until ctx ends: it renews at two thirds of its life, and logs in where that fails or gives
// too little. Failures are logged and tried again, with pauses that grow to a minute.
func (c *Client) Run(ctx context.Context) {
	failures := 0
	for c.sleep(ctx, c.pause(failures)) {
		switch err := c.keepAlive(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil:
			failures++
			c.log.WarnContext(ctx, "keeping the vault token alive failed", "error", err, "failures", failures,
				"expires", c.TokenExpires())
		case failures > 0:
			failures = 0
			c.log.InfoContext(ctx, "the vault token lives again", "expires", c.TokenExpires())
		}
	}
}

func (c *Client) pause(failures int) time.Duration {
	if failures > 0 {
		return min(longestPause, firstPause<<min(failures-1, 10))
	}
	return min(longestPause, max(leastPause, c.untilRenewal(c.session.Load())))
}

// untilRenewal returns how long the session may go on as it is. Of the two clocks the one counts that has moved more:
// the monotonic one stands still while the machine sleeps, the wall may have been set back.
func (c *Client) untilRenewal(s *session) time.Duration {
	switch {
	case s == nil:
		return 0
	case s.ttl == 0:
		return longestPause
	}
	passed := max(c.clock.Elapsed()-s.elapsed, c.clock.Now().Sub(s.at))
	return s.ttl/3*2 - passed
}

// keepAlive renews the token if it is time. A token that can no longer be renewed to at least half of what it began
// with is near the end that Vault has set for it: a login gives a new one.
func (c *Client) keepAlive(ctx context.Context) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	s := c.session.Load()
	if c.untilRenewal(s) > 0 {
		return nil
	}
	if s != nil && s.renewable {
		fresh, err := c.renew(ctx, s)
		if err == nil && fresh.ttl >= s.full/2 {
			return nil
		}
	}
	_, err := c.enter(ctx)
	return err
}

// sleep waits, and says whether ctx goes on.
func (c *Client) sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-c.clock.After(d):
		return true
	}
}
