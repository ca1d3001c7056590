package main

import (
	"context"
	"time"

	"github.com/rotad/rotad/providers"
)

// recall lets the breaker of a provider go on where the one before it has ended, be it of an earlier process or of the configuration
// before: what did not answer then is asked once, and not by all of its clients. What cannot be read or written costs no more than
// that.
func (d *daemon) recall(provider string, b *providers.Breaker) {
	since, told, err := d.store.Outage(context.Background(), provider)
	if err != nil {
		d.log.Warn("whether a provider answered at the stop cannot be read; it is asked as if it did", "provider", provider, "error", err)
	}
	was := providers.Outage{Open: !since.IsZero(), Told: told}
	if was.Open {
		was.Since = d.clocks.elapsed() - max(0, d.clocks.now().Sub(since))
	}
	b.Restore(was, outageOf{d, provider}.note)
}

// outageOf notes whether a provider answers.
type outageOf struct {
	*daemon

	provider string
}

func (a outageOf) note(o providers.Outage) {
	var since time.Time
	if o.Open {
		since = a.clocks.now().Add(o.Since - a.clocks.elapsed()).UTC()
	}
	if err := a.store.SetOutage(context.Background(), a.provider, since, o.Told); err != nil {
		a.log.Warn("whether a provider answers cannot be noted; after a restart it is asked as if it did", "provider", a.provider, "error", err)
	}
}
