package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// lightStatus is an error of light-4j.
type lightStatus struct {
	StatusCode  int    `json:"statusCode"`
	Code        string `json:"code"`
	Message     string `json:"message"`
	Description string `json:"description"`
}

// Errors of the portal. The design names no code for a stale version.
var (
	lightBadToken    = lightStatus{401, "ERR10000", "INVALID_AUTH_TOKEN", "Incorrect signature or malformed token in authorization header"}
	lightNoHandler   = lightStatus{404, "ERR11200", "HANDLER_NOT_FOUND", "There is no such action"}
	lightNotFound    = lightStatus{404, "ERR11637", "OBJECT_NOT_FOUND", "The client is not found"}
	lightNotActive   = lightStatus{400, "ERR11638", "CLIENT_NOT_ACTIVE", "The client is not active"}
	lightStale       = lightStatus{400, "ERR11639", "STALE_VERSION", "The client was changed meanwhile. Please refresh and retry."}
	lightNoVersion   = lightStatus{400, "ERR11004", "VALIDATOR_SCHEMA", "aggregateVersion is required"}
	lightBadRequest  = lightStatus{400, "ERR11201", "INVALID_REQUEST", "The request cannot be read"}
	lightWrongSecret = lightStatus{401, "ERR12007", "UNAUTHORIZED_CLIENT", "Unauthorized client with wrong client secret."}
	lightNoClient    = lightStatus{404, "ERR12014", "CLIENT_NOT_FOUND", "Client is not found."}
	lightNoGrant     = lightStatus{400, "ERR12001", "UNSUPPORTED_GRANT_TYPE", "The grant type is not supported."}
)

// lightCall is a query or a command in either form.
type lightCall struct {
	// the legacy form
	Host    string    `json:"host"`
	Service string    `json:"service"`
	Action  string    `json:"action"`
	Version string    `json:"version"`
	Data    lightData `json:"data"`

	// JSON-RPC 2.0
	JSONRPC string          `json:"jsonrpc"`
	Method  string          `json:"method"`
	Params  lightData       `json:"params"`
	ID      json.RawMessage `json:"id"`
}

type lightData struct {
	HostID   string `json:"hostId"`
	ClientID string `json:"clientId"`
	Version  *int64 `json:"aggregateVersion"`
	Position string `json:"ownerPositionId"`
	Reason   string `json:"reason"`
	Filters  string `json:"filters"`
}

// admitted lets requests with a token through that opens the portal.
func (p *LightAPI) admitted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !p.bearers[sha256.Sum256([]byte(token))] {
			p.fail(w, lightCall{}, lightBadToken)
			return
		}
		next(w, r)
	}
}

// fail answers with an error, in the form that the call was in.
func (p *LightAPI) fail(w http.ResponseWriter, c lightCall, s lightStatus) {
	status := s.StatusCode
	if p.settings.Inside {
		status = http.StatusOK
	}
	if c.JSONRPC != "" || p.settings.Inside {
		answer(w, status, map[string]any{"jsonrpc": "2.0", "id": c.ID, "error": s})
		return
	}
	answer(w, status, s)
}

// reply answers with a result, in the form that the call was in.
func (p *LightAPI) reply(w http.ResponseWriter, c lightCall, result any) {
	if p.settings.Text {
		raw, err := json.Marshal(result)
		if err != nil {
			p.fail(w, c, lightBadRequest)
			return
		}
		result = string(raw)
	}
	if c.JSONRPC != "" {
		result = map[string]any{"jsonrpc": "2.0", "id": c.ID, "result": result}
	}
	answer(w, http.StatusOK, result)
}

// query answers what portal-view asks for.
func (p *LightAPI) query(w http.ResponseWriter, r *http.Request) {
	var call lightCall
	if json.Unmarshal([]byte(r.URL.Query().Get("cmd")), &call) != nil {
		p.fail(w, call, lightBadRequest)
		return
	}
	switch call.Host + "/" + call.Service + "/" + call.Action + "/" + call.Version {
	case "lightapi.net/oauth/getFreshClient/0.1.0":
		c := p.find(call.Data)
		if c == nil {
			p.fail(w, call, lightNotFound)
			return
		}
		row := p.row(c)
		row["aggregateVersion"] = c.last().Version // of the event store; the rest is the projection's
		p.reply(w, call, row)
	case "lightapi.net/oauth/getClient/0.1.0":
		list := p.list(call.Data)
		p.reply(w, call, map[string]any{"clients": list, "total": len(list)})
	default:
		p.fail(w, call, lightNoHandler)
	}
}

func (p *LightAPI) find(d lightData) *lightClient {
	if d.HostID != p.settings.HostID {
		return nil
	}
	return p.clients[d.ClientID]
}

// list returns the active clients that match a filter for the client id, or all.
func (p *LightAPI) list(d lightData) []map[string]any {
	var filters []struct{ ID, Value string }
	_ = json.Unmarshal([]byte(d.Filters), &filters) // none that can be read: all
	rows := []map[string]any{}
	for id, c := range p.clients {
		wanted := d.HostID == p.settings.HostID && !c.Inactive
		for _, f := range filters {
			wanted = wanted && (f.ID != "clientId" || f.Value == id)
		}
		if wanted {
			rows = append(rows, p.row(c))
		}
	}
	return rows
}

// row is a client as the projection has it.
func (p *LightAPI) row(c *lightClient) map[string]any {
	at := p.projected(c)
	kind := "confidential"
	if c.Public {
		kind = "public"
	}
	row := map[string]any{
		"hostId": p.settings.HostID, "clientId": c.ClientID, "clientName": c.ClientID, "clientType": kind, "clientProfile": "service",
		"active": !c.Inactive, "hasClientSecret": !c.Public, "updateTs": at.At.UTC().Format(time.RFC3339), "aggregateVersion": at.Version,
	}
	if c.Position != "" {
		row["ownerPositionId"] = c.Position
	}
	if p.settings.Shown {
		row["clientSecret"] = at.shown()
	}
	return row
}

// command regenerates a secret: the one command that rotad sends.
func (p *LightAPI) command(w http.ResponseWriter, r *http.Request) {
	var call lightCall
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&call)
	name, d := call.Method, call.Params
	if p.settings.Legacy {
		name, d = call.Host+"/"+call.Service+"/"+call.Action+"/"+call.Version, call.Data
	}
	c := p.find(d)
	switch {
	case err != nil:
		p.fail(w, call, lightBadRequest)
	case name != "lightapi.net/oauth/regenerateClientSecret/0.1.0":
		p.fail(w, call, lightNoHandler)
	case c == nil:
		p.fail(w, call, lightNotFound)
	case d.Version == nil:
		p.fail(w, call, lightNoVersion)
	case c.Inactive:
		p.fail(w, call, lightNotActive)
	case *d.Version != c.last().Version:
		p.fail(w, call, lightStale)
	default:
		value := p.regenerate(c, LightAPIEvent{Reason: d.Reason, Position: d.Position})
		p.reply(w, call, map[string]any{
			"hostId": d.HostID, "clientId": d.ClientID, "clientSecret": value, "aggregateVersion": c.last().Version,
			"rotatedTs": c.last().At.UTC().Format(time.RFC3339),
		})
	}
}

// token is the token endpoint of light-oauth, whose errors are those of light-4j. It looks at the grant before it looks
// at the client, and keeps the verifier of every client that it has looked up.
func (p *LightAPI) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _, problem := credentials(w, r)
	switch {
	case problem != "":
		p.refuse(w, lightBadRequest)
		return
	case r.PostForm.Get("grant_type") != "client_credentials":
		p.refuse(w, lightNoGrant)
		return
	}
	c := p.clients[id]
	if c == nil || c.Inactive {
		p.refuse(w, lightNoClient)
		return
	}
	c.cached, c.until = p.verifier(c)
	if !admitsLight(c, c.cached, secret) {
		p.refuse(w, lightWrongSecret)
		return
	}
	token := p.value()
	if c.Admin {
		p.bearers[sha256.Sum256([]byte(token))] = true
	}
	answer(w, http.StatusOK, tokenReply{AccessToken: token, TokenType: "bearer", ExpiresIn: int(tokenLife.Seconds())})
}

// refuse answers for the OAuth server, which has never put an error into a success.
func (p *LightAPI) refuse(w http.ResponseWriter, s lightStatus) { answer(w, s.StatusCode, s) }
