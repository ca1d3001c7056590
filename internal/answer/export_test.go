package answer

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/netip"
	"time"
)

// Read and Decode are read and decode for tests.
var (
	Read   = read
	Decode = decode
)

// StyleSum is the sum of a style as a policy writes it.
func StyleSum(style string) string {
	sum := sha256.Sum256([]byte(style))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Tracked returns how many addresses are kept after wrong links from many.
func Tracked(addresses int, now time.Time) int {
	var l limiter
	for i := range addresses {
		l.note(netip.AddrFrom4([4]byte{1, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	return len(l.seen)
}

// WayOf is wayOf for a request without TLS.
func WayOf(peer, forwarded, proto string, trusted []netip.Prefix) (from string, clear bool) {
	r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
	for name, value := range map[string]string{"X-Forwarded-For": forwarded, "X-Forwarded-Proto": proto} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := wayOf(r, trusted)
	return w.from.String(), w.clear
}
