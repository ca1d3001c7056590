package sandbox

import (
	"encoding/json"
	"net/http"
	"time"
)

// Base paths of the dialects below the address that Handler is served at.
const (
	PathToken      = "/oauth2/token" //nolint:gosec // a path, no credential
	PathIntrospect = "/oauth2/introspect"
	PathTelicent   = "/telicent"   // url of a telicent provider
	PathGraph      = "/graph/v1.0" // graph_url of an entra provider
	PathLogin      = "/login"      // login_url of an entra provider
	PathPortal     = "/portal"
)

// Handler serves every dialect. The Date header is that of the identity provider's clock, not of the machine's.
func (p *IdP) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathToken, p.token)
	mux.HandleFunc("POST "+PathIntrospect, p.introspect)
	p.telicentRoutes(mux)
	p.graphRoutes(mux)
	p.portalRoutes(mux)
	p.logtoRoutes(mux)
	p.stytchRoutes(mux)
	p.oktaRoutes(mux)
	p.workOSRoutes(mux)
	p.transmitRoutes(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", p.now().UTC().Format(http.TimeFormat))
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// answer writes a JSON body.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the peer is gone: nobody is left to be told
}

// stamp writes a time the way the dialects do; the zero time is null.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}
