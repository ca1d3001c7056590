package providertest

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// Bridge serves a server's address to an adapter whose requests come from another process, so that they too go through
// a transport. What the transport reports as an error is a connection that is cut. Set World.Bridged with it.
func Bridge(t *testing.T, server string, transport http.RoundTripper) (address string) {
	t.Helper()
	base, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	bridge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI = base.Scheme, base.Host, ""
		out.Host = base.Host
		resp, err := transport.RoundTrip(out)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = resp.Body.Close() }()
		maps.Copy(w.Header(), resp.Header)
		w.WriteHeader(resp.StatusCode)
		if _, err := io.Copy(w, resp.Body); err != nil {
			_ = http.NewResponseController(w).Flush() // what came is passed on before the rest is missed
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(bridge.Close)
	return bridge.URL
}
