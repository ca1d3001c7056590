package answer

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of wrong links. They are no lock: what is not signed cannot be guessed. They keep the cost of trying with who tries.
const (
	wrongPer   = time.Minute
	maxWrong   = 10   // from one address in that time; more get a shorter answer
	maxTracked = 4096 // addresses; any more share one count
)

// limiter counts wrong links by address. Right ones are never counted nor refused, so that nobody who shares an address with
// somebody else, as behind a proxy, can be locked out by that one.
type limiter struct {
	mu    sync.Mutex
	seen  map[netip.Prefix]tally
	swept time.Time // when old counts were dropped last: not for every new address of somebody who has many
}

type tally struct {
	since time.Time
	wrong int
}

// note counts one wrong link. first is true for the first one that is too many.
func (l *limiter) note(from netip.Addr, now time.Time) (tooMany, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[netip.Prefix]tally{}
	}
	key := network(from)
	if _, known := l.seen[key]; !known && len(l.seen) >= maxTracked {
		l.sweep(now)
		if len(l.seen) >= maxTracked {
			key = netip.Prefix{}
		}
	}
	t := l.seen[key]
	if over(t.since, now) {
		t = tally{since: now}
	}
	t.wrong++
	l.seen[key] = t
	return t.wrong > maxWrong, t.wrong == maxWrong+1
}

// sweep drops the counts that are over.
func (l *limiter) sweep(now time.Time) {
	if !over(l.swept, now) {
		return
	}
	l.swept = now
	for key, t := range l.seen {
		if over(t.since, now) {
			delete(l.seen, key)
		}
	}
}

// over says whether a count that began then is of another time. A clock that was set back ends it, too.
func over(since, now time.Time) bool {
	age := now.Sub(since)
	return age >= wrongPer || age < 0
}

// network is what one subscriber has: an address of IPv4, 64 bits of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p
}
