package main

import (
	"context"
	"time"

	"github.com/rotad/rotad/providers"
)

// outageOf lets the breaker of a provider go on where the one before it has ended, be it of an earlier process or of the
// configuration before: what did not answer then is asked once, and not by all of its clients. What cannot be read or written costs
// no more than that.
type outageOf struct {
	*daemon

	provider string
}

var _ providers.OutageKeeper = outageOf{}

// Last returns what the state holds.
func (a outageOf) Last() providers.Outage {
	since, told, err := a.store.Outage(context.Background(), a.provider)
	if err != nil {
		a.log.Warn("whether a provider answered at the stop cannot be read; it is asked as if it did", "provider", a.provider, "error", err)
	}
	if since.IsZero() {
		return providers.Outage{Told: told}
	}
	return providers.Outage{Open: true, Since: a.clocks.elapsed() - max(0, a.clocks.now().Sub(since)), Told: told}
}

// Keep writes it into the state.
func (a outageOf) Keep(o providers.Outage) {
	var since time.Time
	if o.Open {
		since = a.clocks.now().Add(o.Since - a.clocks.elapsed()).UTC()
	}
	if err := a.store.SetOutage(context.Background(), a.provider, since, o.Told); err != nil {
		a.log.Warn("whether a provider answers cannot be noted; after a restart it is asked as if it did", "provider", a.provider, "error", err)
	}
}
