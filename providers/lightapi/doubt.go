package lightapi

import (
	"sync"
	"time"
)

// doubts are the clients that somebody changed while rotad was about to regenerate their secret, and of which the portal
// does not say what was changed. Their secret is not regenerated until Vault's value has been accepted late enough after
// that: then it was not the secret. They live in memory only.
type doubts struct {
	elapsed func() time.Duration
	bound   time.Duration // after which an accepted secret does not come from a cache

	mu      sync.Mutex
	since   map[who]time.Duration
	unknown map[who]bool // a create of our own may have landed, and explains a changed version
}

func newDoubts(elapsed func() time.Duration, bound time.Duration) *doubts {
	return &doubts{elapsed: elapsed, bound: bound, since: map[who]time.Duration{}, unknown: map[who]bool{}}
}

// key is the client without the position that somebody acts in.
func (w who) key() who { return who{host: w.host, client: w.client} }

// about says whether there is a doubt.
func (d *doubts) about(w who) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, doubted := d.since[w.key()]
	return doubted
}

// begin notes a change that nothing explains.
func (d *doubts) begin(w who) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.unknown[w.key()] {
		d.since[w.key()] = d.elapsed()
	}
}

// accepted ends a doubt: the value that rotad knows still logs in.
func (d *doubts) accepted(w who) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if since, ok := d.since[w.key()]; ok && d.elapsed()-since > d.bound {
		delete(d.since, w.key())
	}
}

// created notes what became of a create: whether it may have landed without being heard.
func (d *doubts) created(w who, unknown bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if unknown {
		d.unknown[w.key()] = true
		return
	}
	delete(d.unknown, w.key())
}
