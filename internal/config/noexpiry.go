package config

import (
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// noExpiry checks the word for a secret that never expires: it is whole, and does not contradict a stated expiry.
func (c *complaint) noExpiry(cl *credential.Client) {
	n := cl.NoExpiry
	if n.IsZero() {
		return
	}
	c.required("no_expiry.acknowledged_by", strings.TrimSpace(n.By))
	c.required("no_expiry.reason", strings.TrimSpace(n.Reason))
	if n.Until.IsZero() {
		c.add("no_expiry.until", "is required", "write a date at most two years ahead; on it somebody has to say so again")
	}
	if !cl.Expires.IsZero() {
		c.add("no_expiry", "stands beside expires, and a secret either expires or does not", "keep one of the two")
	}
}

// noExpiryEnds checks how far away the end of that word is. One that has passed is no mistake: people are told of it.
func (c *complaint) noExpiryEnds(n credential.NoExpiry, now func() time.Time) {
	if now == nil {
		return
	}
	if last := now().UTC().AddDate(credential.MaxNoExpiry, 0, 0); n.Until.After(last) {
		c.add("no_expiry.until", "is more than two years away", "write "+last.Format(time.DateOnly)+" at the latest")
	}
}
