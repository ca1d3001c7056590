package answer_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/answer"
)

// Wrong links cost who tries them, and nobody else who has the same address.
func TestWrongLinksAreLimitedByAddressAndRightOnesAreNot(t *testing.T) {
	p := listen(t, func(p *people) { p.proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	try := func(path, from string) int {
		status, _, _ := ask(t, server.URL, "GET", path, "", "X-Forwarded-For", from)
		return status
	}
	for range 10 {
		if status := try("/answer/x", "192.0.2.1"); status != 404 {
			t.Fatalf("an early one gets %d", status)
		}
	}
	if status := try("/answer/x", "192.0.2.1"); status != 429 {
		t.Errorf("the eleventh gets %d", status)
	}
	if status := try("/calendar/x.ics", "192.0.2.1"); status != 429 {
		t.Errorf("a wrong feed gets %d", status)
	}
	if status := try("/answer/x", "192.0.2.2"); status != 404 {
		t.Errorf("another address gets %d", status)
	}
	if status := try(sign(t, link(answer.VerbAck), key), "192.0.2.1"); status != 200 {
		t.Errorf("a right one gets %d", status)
	}
	if count(p.refused, answer.RefusalTooMany) != 2 || count(p.refused, answer.RefusalWrong) != 11 {
		t.Errorf("counted as %q", p.refused)
	}
	if n := strings.Count(p.log.String(), "many wrong links"); n != 1 || !strings.Contains(p.log.String(), "192.0.2.1") {
		t.Errorf("logged %d times: %s", n, p.log.String())
	}
	p.now = p.now.Add(time.Minute)
	if status := try("/answer/x", "192.0.2.1"); status != 404 {
		t.Errorf("a minute later it gets %d", status)
	}
}

// Many addresses must not cost more and more memory.
func TestTheMemoryOfWrongLinksIsBounded(t *testing.T) {
	if kept := answer.Tracked(100_000, noon); kept > 4097 {
		t.Errorf("%d addresses are kept", kept)
	}
}

// Anybody can write X-Forwarded-For: it counts from a proxy that is trusted, and there only what that one has added.
func TestForwardedHeadersCountFromTrustedProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, tt := range map[string]struct {
		peer, forwarded, proto string
		trusted                []netip.Prefix
		from                   string
		clear                  bool
	}{
		"nobody is trusted":           {"192.0.2.1:1", "198.51.100.7", "https", nil, "192.0.2.1", false},
		"another one is trusted":      {"192.0.2.1:1", "198.51.100.7", "https", trusted, "192.0.2.1", true},
		"a proxy":                     {"10.0.0.1:1", "198.51.100.7", "https", trusted, "198.51.100.7", false},
		"a proxy, in clear":           {"10.0.0.1:1", "198.51.100.7", "http", trusted, "198.51.100.7", true},
		"made up before the proxy":    {"10.0.0.1:1", "203.0.113.9, 198.51.100.7", "https", trusted, "198.51.100.7", false},
		"two proxies":                 {"10.0.0.1:1", "198.51.100.7, 10.0.0.2", "https", trusted, "198.51.100.7", false},
		"a proxy of IPv6":             {"[fd00::1]:1", "2001:db8::7", "https", trusted, "2001:db8::7", false},
		"IPv4 within IPv6":            {"[::ffff:10.0.0.1]:1", "198.51.100.7", "https", trusted, "198.51.100.7", false},
		"no word":                     {"10.0.0.1:1", "", "", trusted, "10.0.0.1", false},
		"nonsense":                    {"10.0.0.1:1", "198.51.100.7, what", "https", trusted, "10.0.0.1", false},
		"made up, said twice":         {"10.0.0.1:1", "198.51.100.7", "https, http", trusted, "198.51.100.7", true},
		"no peer":                     {"", "198.51.100.7", "https", trusted, "invalid IP", true},
		"nobody is trusted, in clear": {"192.0.2.1:1", "", "http", nil, "192.0.2.1", false},
	} {
		from, clear := answer.WayOf(tt.peer, tt.forwarded, tt.proto, tt.trusted)
		if from != tt.from || clear != tt.clear {
			t.Errorf("%s: from %s, clear %t", name, from, clear)
		}
	}
}

// Where links have https, one that came in clear is refused: somebody else may have read it.
func TestALinkThatCameInClearIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		root, proto string
		status      int
	}{
		"https":           {"https://rotad.example.com", "https", 200},
		"clear":           {"https://rotad.example.com", "http", 403},
		"meant for clear": {"http://rotad.example.com", "http", 200},
	} {
		p := listen(t, func(p *people) {
			p.url, p.proxies = tt.root, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		})
		status, _, _ := p.send(t, "POST", sign(t, link(answer.VerbAck), key), "answer=ack", "X-Forwarded-Proto", tt.proto)
		if status != tt.status || (len(p.done) == 1) != (tt.status == 200) || count(p.refused, answer.RefusalClear) == 0 != (tt.status == 200) {
			t.Errorf("%s: %d, done %+v", name, status, p.done)
		}
	}
}

func TestTheRootOfLinksMayBeAPath(t *testing.T) {
	p := listen(t, func(p *people) { p.url = "https://example.com/rotad/" })
	path := sign(t, link(answer.VerbAck), key)
	for _, at := range []string{path, "/rotad" + path} {
		if status, _, _ := p.send(t, "GET", at, ""); status != 200 {
			t.Errorf("%s gets %d", at, status)
		}
	}
	if status, _, _ := p.send(t, "GET", "/other"+path, ""); status != 404 {
		t.Errorf("another path gets %d", status)
	}
}

func count(all []answer.Refusal, one answer.Refusal) (n int) {
	for _, r := range all {
		if r == one {
			n++
		}
	}
	return n
}
