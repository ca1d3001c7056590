package answer

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// way is how a request has come.
type way struct {
	from  netip.Addr
	clear bool // somebody on the way could read it
}

// wayOf believes the headers of a proxy only where the configuration trusts the one that sends them: anybody can write them. Of
// X-Forwarded-For the last address that is no trusted proxy counts: what stands before it was written by others.
func wayOf(r *http.Request, trusted []netip.Prefix) way {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	w := way{from: peer.Addr().Unmap()}
	if !within(w.from, trusted) {
		// Who comes around the proxy that does TLS comes in clear.
		w.clear = r.TLS == nil && len(trusted) > 0
		return w
	}
	w.clear = r.TLS == nil && lastOf(r.Header.Values("X-Forwarded-Proto")) == "http"
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		at, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if w.from = at.Unmap(); !within(w.from, trusted) {
			break
		}
	}
	return w
}

func within(a netip.Addr, list []netip.Prefix) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// lastOf is the last value of a header that may be written several times: the one of the proxy next to us.
func lastOf(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	return strings.ToLower(strings.TrimSpace(all[len(all)-1]))
}
