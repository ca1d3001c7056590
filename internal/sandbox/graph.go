package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// Graph are the settings of the dialect that keeps independent passwords, and of its login endpoint.
type Graph struct {
	Tenant      string        // the only tenant; empty = any
	TTL         time.Duration // life of a password without an endDateTime; 0 = 730 days
	Limit       int           // passwords per application; 0 = 100
	Personal    int           // the same for applications that personal accounts may use; 0 = 2
	Propagation time.Duration // a change reaches the login endpoint so much later
	ListLag     time.Duration // a new password is listed so much later
}

func (g Graph) withDefaults() Graph {
	if g.TTL == 0 {
		g.TTL = 730 * day
	}
	if g.Limit == 0 {
		g.Limit = 100
	}
	if g.Personal == 0 {
		g.Personal = 2
	}
	return g
}

func (p *IdP) graphRoutes(mux *http.ServeMux) {
	for _, object := range []string{PathGraph + "/applications/{id}", PathGraph + "/{call}"} {
		mux.HandleFunc("GET "+object, p.graphAdmin(p.graphGet))
		mux.HandleFunc("PATCH "+object, p.graphAdmin(p.graphPatch))
		mux.HandleFunc("POST "+object+"/addPassword", p.graphAdmin(p.graphAdd))
		mux.HandleFunc("POST "+object+"/removePassword", p.graphAdmin(p.graphRemove))
	}
	mux.HandleFunc("GET "+PathGraph+"/applications", p.graphList)
	mux.HandleFunc("GET "+PathGraph+"/applications/{id}/{below}", p.graphAdmin(p.graphBelow))
	mux.HandleFunc("GET "+PathGraph+"/{call}/{below}", p.graphAdmin(p.graphBelow)) // "owners" alone would meet applications/{id}
	mux.HandleFunc("POST "+PathLogin+"/{tenant}/oauth2/v2.0/token", p.entraToken)
}

// requested finds the client of a request: applications/{object id}, or applications(appId='{client id}').
func (p *IdP) requested(r *http.Request) *client {
	p.mu.RLock()
	defer p.mu.RUnlock()
	call := r.PathValue("call")
	if call == "" {
		return p.objects[r.PathValue("id")]
	}
	appID, ok := strings.CutPrefix(call, "applications(appId='")
	if !ok {
		return nil
	}
	appID, ok = strings.CutSuffix(appID, "')")
	if !ok {
		return nil
	}
	return p.clients[appID]
}

// graphAdmin checks the bearer token, finds the application and locks it for one call.
func (p *IdP) graphAdmin(do func(http.ResponseWriter, *http.Request, *client)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("request-id", p.id())
		if !p.admits(r.Header.Get("Authorization")) {
			p.graphError(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty or invalid.")
			return
		}
		c := p.requested(r)
		if c == nil {
			p.graphError(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource does not exist.")
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		do(w, r, c)
	}
}

func (p *IdP) graphError(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, GraphError(code, message, w.Header().Get("request-id"), p.now()))
}

// GraphError is the body of an error of Microsoft Graph, for faults as well: for example
// GraphError("Directory_ConcurrencyViolation", ...) with status 409.
func GraphError(code, message, requestID string, at time.Time) any {
	return map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]string{
			"date": at.UTC().Format("2006-01-02T15:04:05"), "request-id": requestID, "client-request-id": requestID,
		},
	}}
}

// CodeConcurrency is the code of the error that Graph answers with 409 while another change is under way.
const CodeConcurrency = "Directory_ConcurrencyViolation"

func (p *IdP) graphGet(w http.ResponseWriter, _ *http.Request, c *client) {
	app := c.application(p.now())
	app["@odata.context"] = "https://graph.microsoft.com/v1.0/$metadata#applications/$entity"
	answer(w, http.StatusOK, app)
}

// application writes a client as Graph shows it. The caller holds the lock.
func (c *client) application(now time.Time) map[string]any {
	passwords := []any{}
	for _, v := range c.listed(now) {
		passwords = append(passwords, v.password(nil))
	}
	return map[string]any{
		"id": c.ObjectID, "appId": c.ClientID, "displayName": c.Name, "tags": append([]string{}, c.Tags...),
		"signInAudience": c.audience(), "passwordCredentials": passwords, "keyCredentials": c.certificates(),
	}
}

func (c *client) audience() string {
	if c.Audience == "" {
		return "AzureADMyOrg"
	}
	return c.Audience
}

// password writes a version as a passwordCredential. secret is the value right after it was made, else nil.
func (v *version) password(secret any) map[string]any {
	return map[string]any{
		"customKeyIdentifier": nil, "displayName": v.label, "endDateTime": stamp(v.expires), "hint": v.hint,
		"keyId": v.id, "secretText": secret, "startDateTime": stamp(v.start),
	}
}
