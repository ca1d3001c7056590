package lightapi

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// problem is an error of the portal's: a Status of light-4j (statusCode, code, message, description), or an error of
// JSON-RPC 2.0 (section 5.1). It is an error value whose text is made of a code and of words of our own.
type problem struct {
	status      int    // HTTP status; 0 = none is said
	code        string // ERR and five digits; empty = none is said
	rpc         int    // code of JSON-RPC; 0 = none is said
	message     string // what the portal says: compared, never printed
	description string // the same
}

// Codes of light-4j and light-portal that say more than their status.
const (
	codeTokenType = "ERR11601" // a command wants the token of a person
	codeNotFound  = "ERR11637"
)

// Codes of JSON-RPC 2.0, section 5.1.
const (
	rpcParse     = -32700
	rpcInvalid   = -32600
	rpcNoMethod  = -32601
	rpcBadParams = -32602
	rpcLowest    = -32768 // down to here codes are reserved
	rpcHighest   = -32000
)

// Error names the code, and what is known about it.
func (p problem) Error() string {
	text := "the portal answers with an error"
	if p.code != "" {
		text += " " + p.code
	}
	if hint := p.hint(); hint != "" {
		text += ": " + hint
	}
	return text
}

// hint says what is known of an error; empty = nothing.
func (p problem) hint() string {
	switch {
	case p.code == codeTokenType:
		return "it wants a token that was issued to a person; give one in token_file"
	case p.code == codeNotFound:
		return "there is no such client in this host"
	case p.rpc == rpcNoMethod:
		return "it does not know this command; wire: legacy is for older portals"
	}
	return ""
}

// codeForm is what codes of light-4j look like. Anything else in that place is not kept.
var codeForm = regexp.MustCompile(`^ERR[0-9]{5}$`)

// problemIn finds an error in a reply: as the member "error" or "result", as a text that holds it, or as the whole. What
// says neither a status nor a known code is none: nothing can be concluded from it.
func problemIn(raw credential.Sensitive) (problem, bool) {
	var body any
	if httpapi.Unmarshal(raw, &body) != nil {
		return problem{}, false
	}
	reply, ok := body.(object)
	if !ok {
		return problem{}, false
	}
	if o, err := result(reply); err == nil && o["clientSecret"] != nil {
		return problem{}, false // whatever else it says: this may be the only copy of a secret
	}
	for _, value := range []any{reply["error"], reply} {
		o, err := result(value)
		if err != nil {
			continue
		}
		if p := readProblem(o); p.known() {
			return p, true
		}
	}
	return problem{}, false
}

func readProblem(o object) problem {
	var p problem
	if status, ok := whole(o["statusCode"]); ok && status >= 400 && status < 600 {
		p.status = int(status)
	}
	switch code := o["code"].(type) {
	case string:
		if codeForm.MatchString(code) {
			p.code = code
		}
	case float64:
		p = p.numbered(code)
	}
	p.message, _ = o["message"].(string)
	p.description, _ = o["description"].(string)
	return p
}

// numbered takes a code that is a number: one of JSON-RPC, or an HTTP status.
func (p problem) numbered(code float64) problem {
	switch {
	case code >= rpcLowest && code <= rpcHighest:
		p.rpc = int(code)
	case code >= 400 && code < 600 && p.status == 0:
		p.status = int(code)
	}
	return p
}

func (p problem) known() bool { return p.status != 0 || p.code != "" || p.rpc != 0 }

// rules say what an error of the portal lets one conclude.
type rules struct {
	stale string // code of a refused stale version that an operator has named; empty = none
}

// classify is for replies whose status says that they are errors.
func (r rules) classify(resp *httpapi.Response) (providers.Class, bool) {
	p, ok := problemIn(resp.Raw())
	if p.status == 0 {
		p.status = resp.Status
	}
	switch {
	case !ok, resp.Status >= http.StatusInternalServerError, resp.Status < http.StatusBadRequest:
		return "", false
	case p.code == codeTokenType, p.code == codeNotFound, r.isStale(p):
		return r.class(p, true), true
	}
	return "", false
}

// class says what is known after an error in a reply.
func (r rules) class(p problem, mutates bool) providers.Class {
	switch {
	case r.isStale(p):
		return providers.ClassConflict
	case p.code == codeTokenType:
		return providers.ClassAuth
	case p.code == codeNotFound:
		return providers.ClassNotFound
	case p.status != 0:
		return httpapi.Classify(p.status, mutates)
	case p.rpc == rpcParse, p.rpc == rpcInvalid, p.rpc == rpcBadParams:
		return providers.ClassRejected
	case p.rpc == rpcNoMethod:
		return providers.ClassUnsupported
	}
	return httpapi.Classify(http.StatusInternalServerError, mutates)
}

// isStale says whether the portal refused the version of a command. The design asks for "a refresh/retry response" and
// names no code; a server that failed while it was at work is never taken for one that refused.
func (r rules) isStale(p problem) bool {
	if p.status >= http.StatusInternalServerError {
		return false
	}
	if p.status == http.StatusConflict || p.status == http.StatusPreconditionFailed || (r.stale != "" && p.code == r.stale) {
		return true
	}
	said := strings.ToLower(p.message + " " + p.description)
	for _, word := range []string{"stale", "concurren", "optimistic", "version_conflict", "version conflict", "refresh and retry"} {
		if strings.Contains(said, word) {
			return true
		}
	}
	return false
}

// Codes of the token endpoint of light-oauth (light-oauth2, token service).
const (
	oauthWrongSecret = "ERR12007"
	oauthScope       = "ERR12027"
)

// answer reads a reply of the token endpoint, which is a Status of light-4j where RFC 6749 has "error". The scope is
// looked at after the client was authenticated.
func answer(r httpapi.VerifyReply) (providers.Answer, bool) {
	if r.Code != "" || r.Status < http.StatusBadRequest || r.Status >= http.StatusInternalServerError {
		return providers.Unknown, false
	}
	switch r.OwnCode {
	case oauthWrongSecret:
		return providers.Refused, r.Status == http.StatusUnauthorized
	case oauthScope:
		return providers.Accepted, r.Method == credential.VerifyClientCredentials
	}
	return providers.Unknown, false
}
