package sandbox

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"
)

// Paths of the stand-in for OutSystems Developer Cloud. Where the token endpoint is, only the discovery document says.
const (
	PathODCDiscovery = "/identity/.well-known/openid-configuration"
	PathODCToken     = "/auth/realms/3f1c/protocol/openid-connect/token" //nolint:gosec // a path, no credential
	PathODCClients   = "/api/v1/clients/"
)

// ODCSettings are what a stand-in for OutSystems Developer Cloud works with. The zero value is the cloud of today: its
// secrets are made in the portal, and the endpoint that rotates them does not exist.
type ODCSettings struct {
	API     bool          // the endpoint exists from the beginning
	Absent  int           // status where it does not: 404, 405 or 501; 0 = 404
	Mute    bool          // OPTIONS is answered without saying what is allowed
	Fixed   bool          // the endpoint takes no overlap_hours, and says so
	TTL     time.Duration // life of a secret; 0 = 90 days
	Ahead   time.Duration // a new secret is accepted only so long after it was made (valid_from)
	Epoch   bool          // times are written as epoch seconds instead of RFC 3339
	Moved   string        // token endpoint that discovery names; empty = that of this server
	Allowed string        // what OPTIONS says where the endpoint exists; empty = "OPTIONS, POST"
}

// ODC is a stand-in for OutSystems Developer Cloud, written from the request for an endpoint that renews secrets and from
// what its users tell of the token endpoint. The portal, the clients and their logins are those of an IdP.
type ODC struct {
	*IdP

	odc    ODCSettings
	exists atomic.Bool // the endpoint
}

// NewODC returns an organisation without API clients. now is its clock.
func NewODC(now func() time.Time, s Settings, o ODCSettings) *ODC {
	if o.Absent == 0 {
		o.Absent = http.StatusNotFound
	}
	if o.TTL == 0 {
		o.TTL = 90 * day
	}
	if o.Allowed == "" {
		o.Allowed = "OPTIONS, POST"
	}
	cloud := &ODC{IdP: NewIdP(now, s), odc: o}
	cloud.exists.Store(o.API)
	return cloud
}

// Appear brings the endpoint into being.
func (o *ODC) Appear() { o.exists.Store(true) }

// Handler serves discovery, the token endpoint and, where it exists, the endpoint that rotates.
func (o *ODC) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathODCDiscovery, o.discovery)
	mux.HandleFunc("POST "+PathODCToken, o.token)
	mux.HandleFunc("POST /auth/realms/{realm}/protocol/openid-connect/token", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusUnauthorized, "invalid_client", "Invalid client or Invalid client credentials")
	})
	mux.HandleFunc(PathODCClients+"{id}/secrets/rotate", o.endpoint)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", o.now().UTC().Format(http.TimeFormat))
		mux.ServeHTTP(w, r)
	})
}

// discovery is the document of OpenID Connect Discovery 1.0 section 4.
func (o *ODC) discovery(w http.ResponseWriter, r *http.Request) {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	at := o.odc.Moved
	if at == "" {
		at = scheme + r.Host + PathODCToken
	}
	answer(w, http.StatusOK, map[string]any{"issuer": scheme + r.Host + "/auth/realms/3f1c", "token_endpoint": at})
}

// endpoint is what stands at the address of the requested endpoint.
func (o *ODC) endpoint(w http.ResponseWriter, r *http.Request) {
	switch {
	case !o.exists.Load():
		http.Error(w, http.StatusText(o.odc.Absent), o.odc.Absent)
	case !o.admits(r.Header.Get("Authorization")):
		answer(w, http.StatusUnauthorized, map[string]string{"code": "Unauthorized"})
	case r.Method == http.MethodOptions && o.odc.Mute:
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", o.odc.Allowed)
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", o.odc.Allowed)
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		o.rotate(w, r)
	}
}

// rotate makes a secret. The ones before it are accepted for as many hours as were asked for, else they end at once.
func (o *ODC) rotate(w http.ResponseWriter, r *http.Request) {
	var asked map[string]int
	if r.ContentLength != 0 && json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&asked) != nil {
		answer(w, http.StatusBadRequest, map[string]string{"code": "BadRequest"})
		return
	}
	hours, given := asked["overlap_hours"]
	if given && (o.odc.Fixed || hours < 24 || hours > 72) {
		answer(w, http.StatusBadRequest, map[string]string{"code": "BadRequest"})
		return
	}
	c, err := o.client(r.PathValue("id"))
	if err != nil {
		answer(w, http.StatusNotFound, map[string]string{"code": "NotFound"})
		return
	}
	now, value := o.now(), o.value()
	from := now.Add(o.odc.Ahead)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.present() {
		v.end(from.Add(time.Duration(hours) * time.Hour))
	}
	v := c.add(now, o.id(), value)
	v.usable, v.expires = from, from.Add(o.odc.TTL)
	answer(w, http.StatusOK, map[string]any{
		"new_secret": value, "valid_from": o.written(from), "expires_at": o.written(v.expires),
	})
}

func (o *ODC) written(t time.Time) any {
	if o.odc.Epoch {
		return t.Unix()
	}
	return stamp(t)
}
