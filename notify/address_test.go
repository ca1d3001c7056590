package notify_test

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"

	"github.com/rotad/rotad/notify"
)

func TestCheckAddress(t *testing.T) {
	for _, good := range []string{"a@example.com", "first.last+tag@sub.example.co.uk", "ü@example.com", "a@bücher.example", "o'brien@example.com", "root@localhost"} {
		if err := notify.CheckAddress(good); err != nil {
			t.Errorf("%s is refused: %v", good, err)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "no at": "example.com", "no domain": "a@", "no local part": "@example.com", "quoted": `"a b"@example.com`,
		"smuggled parameter": `"a@evil.com> ORCPT=x"@example.com`, "angle brackets": "<a@example.com>", "name": "A <a@example.com>",
		"two": "a@example.com,b@example.com", "two ats": "a@b@example.com", "literal": "a@[192.0.2.1]", "comment": "a(c)@example.com",
		"line break": "a@example.com\r\nRCPT TO:<b@example.com>", "blank": "a b@example.com", "nul": "a\x00@example.com",
		"tab": "a\t@example.com", "long": strings.Repeat("a", 64) + "@" + strings.Repeat("b", 200) + ".com", "dot first": ".a@example.com",
		"two dots": "a..b@example.com", "bad utf-8": "\xff@example.com", "dash first": "a@-example.com", "colon": "a:b@example.com",
		"separator": "a\u2028@example.com",
	} {
		if err := notify.CheckAddress(bad); err == nil {
			t.Errorf("%s: %q is accepted", name, bad)
		}
	}
}

func FuzzCheckAddress(f *testing.F) {
	f.Add("a@example.com")
	f.Add(`"a@evil.com> ORCPT=x"@example.com`)
	f.Fuzz(func(t *testing.T, addr string) {
		if notify.CheckAddress(addr) != nil {
			return
		}
		if strings.ContainsAny(addr, " \t\r\n\"<>()[]\\,;:\x00") || strings.Count(addr, "@") != 1 {
			t.Fatalf("%q is accepted", addr)
		}
		m := notify.Message{ID: "x@y", From: notify.Address{Addr: "s@example.com"}, To: addr, Text: "x", HTML: "x"}
		composed, err := notify.Compose(m)
		if err != nil {
			t.Fatal(err)
		}
		read, err := mail.ReadMessage(bytes.NewReader(composed))
		if err != nil {
			t.Fatal(err)
		}
		if to, err := read.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != addr {
			t.Fatalf("%q reads back as %v, %v", addr, to, err)
		}
	})
}

func TestParseAddress(t *testing.T) {
	a, err := notify.ParseAddress("Secrets <secrets@Example.com>")
	if err != nil || a.Name != "Secrets" || a.Addr != "secrets@Example.com" || a.Domain() != "example.com" {
		t.Errorf("got %+v, %v", a, err)
	}
	for _, bad := range []string{"", "nobody", "a@b, c@d", `"x y"@example.com`} {
		if _, err := notify.ParseAddress(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
