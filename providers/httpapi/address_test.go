package httpapi_test

import (
	"testing"

	"github.com/rotad/rotad/providers/httpapi"
)

func TestSplit(t *testing.T) {
	for _, test := range []struct{ address, base, path string }{
		{"https://id.example/token", "https://id.example", "/token"},
		{"https://id.example:8443/a%2Fb/token/?realm=x", "https://id.example:8443", "/a%2Fb/token/?realm=x"},
		{"https://id.example", "https://id.example", ""},
		{"http://[::1]:8080/token", "http://[::1]:8080", "/token"},
		{"https://[fe80::1%25eth0]/v1.0", "https://[fe80::1%25eth0]", "/v1.0"},
	} {
		base, path, err := httpapi.Split(test.address)
		if err != nil || base != test.base || path != test.path {
			t.Errorf("%s: %q, %q, %v", test.address, base, path, err)
		}
		if _, err := httpapi.New(httpapi.Config{Base: base}); err != nil {
			t.Errorf("%s: no client for %s: %v", test.address, base, err)
		}
	}
	if _, _, err := httpapi.Split("https://u:CANARY@h/%zz"); err == nil || err.Error() != "the URL cannot be parsed" {
		t.Errorf("%v", err)
	}
}
