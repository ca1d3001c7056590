package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// Verifier asks an OAuth server whether it accepts a client's secret, without any lasting effect there.
type Verifier struct {
	Client     *Client                 // speaks to the OAuth server, anonymously
	Token      string                  // path of the token endpoint
	Introspect string                  // path of the introspection endpoint (RFC 7662); empty = there is none
	Auto       credential.VerifyMethod // what "auto" means here; empty = auth_code, which works for every client
	Scope      string                  // asked for where the client's settings name none
	Header     http.Header             // more headers
	// Classify overrides the meaning of a reply; ok = false keeps the general rule.
	Classify func(VerifyReply) (answer providers.Answer, ok bool)
}

// VerifyReply is what can be told from a reply without its body.
type VerifyReply struct {
	Method      credential.VerifyMethod // never auto
	Status      int
	Code        string // error (RFC 6749 section 5.2)
	Description string // error_description; it may repeat what was sent: compare it, never print it
	OwnCode     string // member "code", where a server has codes of its own; compare it, never print it
	Token       bool   // there is an access_token
	Active      *bool  // member "active" of an introspection; nil = there is none
	JSON        bool   // the reply is a JSON object
}

// Values that no server can have issued.
const (
	bogusCode     = "rotad-verifies-the-client-only"
	bogusRedirect = "https://rotad.invalid/callback"
)

const verifyOperation = "verify"

// Verify proves or refutes the secret in a bundle. The error explains an Unknown answer.
func (v Verifier) Verify(
	ctx context.Context, settings credential.VerifySettings, b credential.Bundle,
) (providers.Answer, error) {
	return v.VerifyAs(ctx, settings, func(r *Request) {
		Authenticate(r, settings.WithDefaults().Auth, b[credential.FieldClientID].Reveal(), b.Secret())
	})
}

// VerifyAs is Verify for a client that proves itself otherwise than with a secret: login puts the proof into the request, whose
// Form is there.
func (v Verifier) VerifyAs(ctx context.Context, settings credential.VerifySettings, login func(*Request)) (providers.Answer, error) {
	settings = settings.WithDefaults()
	method := v.method(settings.Method)
	r := Request{Operation: verifyOperation, Method: http.MethodPost, Anonymous: true, Header: v.Header.Clone()}
	if err := v.fill(&r, method, settings.Scope); err != nil {
		return providers.Unknown, err
	}
	login(&r)
	resp, err := v.Client.Do(ctx, r)
	if resp == nil {
		return providers.Unknown, err
	}
	reply := parseVerify(method, resp)
	answer := v.answer(reply)
	if answer != providers.Unknown {
		return answer, nil
	}
	// A 401 here is about the client, never about rotad's own account, and must not be taken for the latter. Nor must a 405
	// or 501 of a proxy be taken for a kind that has no way to ask: its secrets are published without a proof.
	switch providers.ClassOf(err) {
	case "", providers.ClassAuth, providers.ClassUnsupported:
		err = resp.Failed(providers.ClassUnavailable, errProvesNothing)
	default:
	}
	return providers.Unknown, err
}

var (
	errProvesNothing     = errors.New("the reply proves nothing about the secret")
	errNoIntrospection   = errors.New("this kind has no introspection endpoint; choose another verify method")
	errUnknownVerifyKind = errors.New("there is no such verify method")
)

func (v Verifier) method(m credential.VerifyMethod) credential.VerifyMethod {
	if m != credential.VerifyAuto {
		return m
	}
	if v.Auto == "" || v.Auto == credential.VerifyAuto {
		return credential.VerifyAuthCode
	}
	return v.Auto
}

func (v Verifier) fill(r *Request, method credential.VerifyMethod, scope string) error {
	r.Path = v.Token
	switch method {
	case credential.VerifyClientCredentials:
		r.Form = url.Values{"grant_type": {"client_credentials"}}
		if scope == "" {
			scope = v.Scope
		}
		if scope != "" {
			r.Form.Set("scope", scope)
		}
	case credential.VerifyAuthCode:
		r.Form = url.Values{
			"grant_type": {"authorization_code"}, "code": {bogusCode}, "redirect_uri": {bogusRedirect},
		}
	case credential.VerifyIntrospection:
		if v.Introspect == "" {
			return v.unsupported(errNoIntrospection)
		}
		r.Path = v.Introspect
		r.Form = url.Values{"token": {bogusCode}}
	case credential.VerifyAuto:
		return v.unsupported(errUnknownVerifyKind)
	default:
		return v.unsupported(errUnknownVerifyKind)
	}
	return nil
}

func (v Verifier) unsupported(cause error) error {
	return &providers.Error{
		Class: providers.ClassUnsupported, Provider: v.Client.Provider(), Operation: verifyOperation, Err: cause,
	}
}

func parseVerify(method credential.VerifyMethod, resp *Response) VerifyReply {
	reply := VerifyReply{Method: method, Status: resp.Status}
	var form struct {
		Error       string          `json:"error"`
		Description string          `json:"error_description"`
		OwnCode     json.RawMessage `json:"code"` // a number at some servers
		Token       string          `json:"access_token"`
		Active      *bool           `json:"active"`
	}
	if resp.broken != nil || !jsonOrUnsaid(resp.Header) || Unmarshal(resp.raw, &form) != nil {
		return reply
	}
	reply.JSON, reply.Code, reply.Description, reply.OwnCode = true, form.Error, form.Description, text(form.OwnCode)
	reply.Token, reply.Active = form.Token != "", form.Active
	return reply
}

func jsonOrUnsaid(h http.Header) bool {
	m := mediaType(h)
	return m == "" || isJSON(m)
}

func (v Verifier) answer(r VerifyReply) providers.Answer {
	if !r.JSON {
		return providers.Unknown // a proxy answered, or nothing whole arrived
	}
	if v.Classify != nil {
		if answer, ok := v.Classify(r); ok {
			return answer
		}
	}
	return generalAnswer(r)
}

// generalAnswer is the reading of RFC 6749 section 5.2 and RFC 7662 section 2.3. A server authenticates the client
// before it looks at code, scope or grant, so a complaint about those proves the secret.
func generalAnswer(r VerifyReply) providers.Answer {
	if r.Status == http.StatusOK {
		return successAnswer(r)
	}
	if r.Status != http.StatusBadRequest && r.Status != http.StatusUnauthorized && r.Status != http.StatusForbidden {
		return providers.Unknown
	}
	switch r.Code {
	case "invalid_client":
		return providers.Refused
	case "invalid_scope", "invalid_target", "unauthorized_client":
		if r.Method != credential.VerifyIntrospection { // of these, introspection knows none
			return providers.Accepted
		}
	case "invalid_grant":
		if r.Method == credential.VerifyAuthCode {
			return providers.Accepted
		}
	}
	return providers.Unknown
}

func successAnswer(r VerifyReply) providers.Answer {
	switch {
	case r.Code != "":
		return providers.Unknown
	case r.Method == credential.VerifyClientCredentials && r.Token:
		return providers.Accepted
	case r.Method == credential.VerifyIntrospection && r.Active != nil:
		return providers.Accepted
	default: // a bogus code that yields success proves nothing about the client
		return providers.Unknown
	}
}
