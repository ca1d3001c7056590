package servers_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rotad/rotad/test/servers"
)

func TestProxyFaults(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	var host atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		host.Store(r.Host)
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	proxy, err := servers.StartProxy(server.URL)
	must(t, err)
	t.Cleanup(proxy.Stop)

	tests := map[string]struct {
		fault   servers.Fault
		status  int // 0 = the connection breaks
		reaches bool
		slow    bool
	}{
		"no fault passes":                    {servers.Fault{Path: "elsewhere", Refuse: true}, http.StatusTeapot, true, false},
		"refuse breaks before the server":    {servers.Fault{Refuse: true}, 0, false, false},
		"cut breaks after the server":        {servers.Fault{Path: "/x", Cut: true}, 0, true, false},
		"a status answers for the server":    {servers.Fault{Method: "POST", Status: 503}, 503, false, false},
		"delay holds the answer back":        {servers.Fault{Delay: 100 * time.Millisecond}, http.StatusTeapot, true, true},
		"another method is not matched":      {servers.Fault{Method: "GET", Refuse: true}, http.StatusTeapot, true, false},
		"a fault that repeats stays for one": {servers.Fault{Refuse: true, Times: 2}, 0, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			proxy.Set(test.fault)
			before, began := reached.Load(), time.Now()
			if got := post(proxy.URL + "/x"); got != test.status {
				t.Errorf("status %d, want %d", got, test.status)
			}
			if got := reached.Load() > before; got != test.reaches {
				t.Errorf("the server was reached: %t, want %t", got, test.reaches)
			}
			if test.slow && time.Since(began) < test.fault.Delay {
				t.Error("the answer was not held back")
			}
		})
	}
	proxy.Set(servers.Fault{Refuse: true, Times: 1})
	if first, second := post(proxy.URL+"/x"), post(proxy.URL+"/x"); first != 0 || second != http.StatusTeapot {
		t.Errorf("a fault for one request: %d, then %d", first, second)
	}
	if got := host.Load(); "http://"+got.(string) != proxy.URL {
		t.Errorf("the server sees the host %v, want the proxy's", got)
	}
	if proxy.Count("POST", "/x") < 9 || proxy.Count("GET", "/x") != 0 {
		t.Error("the proxy does not count the requests by method")
	}
}

// post returns the status of the answer, 0 where the connection broke.
func post(url string) int {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(url, "text/plain", nil)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
