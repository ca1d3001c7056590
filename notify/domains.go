package notify

import (
	"context"
	"strings"
	"sync"
)

// rationed is a channel that takes only so many messages at once for some readers. Who waits for a turn speaks with nobody, so
// that the others go on.
type rationed interface {
	// Turn waits for the turn of a reader. It is false where the context ends before; else leave has to be called.
	Turn(ctx context.Context, to string) (leave func(), ok bool)
}

// domains count the mails that are on their way to each domain: servers that people's mail lies on put off, or refuse for a
// while, who comes with many at once. It is safe for concurrent use.
type domains struct {
	limit int // 0 = none

	mu    sync.Mutex
	turns map[string]chan struct{} // no more than the domains that the configuration names
}

// Turn waits until few enough other mails are on their way to the reader's domain.
func (d *domains) Turn(ctx context.Context, to string) (leave func(), ok bool) {
	if d.limit == 0 {
		return func() {}, ctx.Err() == nil
	}
	turns := d.of(Address{Addr: to}.Domain())
	select {
	case turns <- struct{}{}:
		return func() { <-turns }, true
	case <-ctx.Done():
		return nil, false
	}
}

func (d *domains) of(domain string) chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	domain = strings.TrimSuffix(domain, ".")
	turns, known := d.turns[domain]
	if !known {
		turns = make(chan struct{}, d.limit)
		d.turns[domain] = turns
	}
	return turns
}
