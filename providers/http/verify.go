package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// proof is how a secret is proved, compiled.
type proof struct {
	tokenURL, introspectionURL string

	settings Proof
	base     string // of ask
	ask      *call
	auth     string
	signs    []meaning
}

type meaning struct {
	sign

	answer providers.Answer
}

// prover asks.
type prover struct {
	token    *httpapi.Verifier // nil = there is no token endpoint
	client   *httpapi.Client   // of ask
	proof    proof
	provider string
}

// proof compiles how a secret is proved.
func (c *compiler) proof(s Proof) proof {
	p := proof{
		settings: s, tokenURL: c.address("verify.token_url", s.TokenURL),
		introspectionURL: c.address("verify.introspection_url", s.IntrospectionURL),
	}
	_ = c.headers("verify.headers", s.Headers, nil)
	for _, code := range slices.Concat(s.Accepted, s.Refused) {
		if slices.Contains(s.Accepted, code) && slices.Contains(s.Refused, code) {
			c.report("verify.refused", fmt.Sprintf("%q proves and refutes", code), "")
		}
	}
	if s.Request == nil {
		if s.IntrospectionURL != "" && s.TokenURL == "" {
			c.report("verify.token_url", "is required beside introspection_url", "")
		}
		return p
	}
	if s.TokenURL != "" {
		c.report("verify.request", "token_url is given as well", "keep one of the two")
	}
	c.asking(&p, *s.Request)
	return p
}

// asking compiles the request that shows a secret.
func (c *compiler) asking(p *proof, s Ask) {
	const at = "verify.request"
	p.base, p.auth = c.url, s.Auth
	if s.URL != "" {
		p.base = c.address(at+".url", s.URL)
	}
	if base, path, err := httpapi.Split(p.base); s.Path == "" && err == nil {
		p.base, s.Path = base, path
	}
	if s.Path == "" {
		s.Path = "/"
	}
	p.ask = c.call(at, s.Call, http.MethodPost, proofNames...)
	if p.ask != nil && !p.ask.asks("client_secret") && s.Auth == "" {
		c.report(at, "does not show the secret", "write {client_secret} into a header or a body, or auth: basic")
	}
	for i, one := range s.Answers {
		p.signs = append(p.signs, c.meaning(fmt.Sprintf("%s.answers[%d]", at, i), one))
	}
	for _, want := range []providers.Answer{providers.Accepted, providers.Refused} {
		if !slices.ContainsFunc(p.signs, func(m meaning) bool { return m.answer == want }) {
			c.report(at+".answers", "no answer means "+want.String(), "both are needed")
		}
	}
}

func (c *compiler) meaning(at string, s Sign) meaning {
	m := meaning{sign: c.sign(at, s.Status, s.Path, s.Is)}
	switch s.Means {
	case "accepted":
		m.answer = providers.Accepted
	case "refused":
		m.answer = providers.Refused
	default:
		c.report(at+".means", "is required", "write accepted or refused")
	}
	return m
}

// open connects to where secrets are proved.
func (p proof) open(o providers.Opening) (prover, error) {
	out := prover{proof: p, provider: o.Name}
	switch {
	case p.ask != nil:
		client, err := httpapi.New(config(o, p.base))
		if err != nil {
			return out, fmt.Errorf("verify.request.url: %w", err)
		}
		out.client = client
	case p.tokenURL != "":
		base, path, err := httpapi.Split(p.tokenURL)
		if err != nil {
			return out, fmt.Errorf("verify.token_url: %w", err)
		}
		client, err := httpapi.New(config(o, base))
		if err != nil {
			return out, fmt.Errorf("verify.token_url: %w", err)
		}
		out.token = &httpapi.Verifier{
			Client: client, Token: path, Auto: credential.VerifyMethod(p.settings.Method), Scope: p.settings.Scope,
			Header: headersOf(p.settings.Headers), Classify: p.codes,
		}
		if p.introspectionURL != "" {
			other, introspect, err := httpapi.Split(p.introspectionURL)
			if err != nil || other != base {
				return out, errIntrospection
			}
			out.token.Introspect = introspect
		}
	}
	return out, nil
}

var errIntrospection = errors.New("verify.introspection_url: it has another host than verify.token_url")

// codes are the error codes that mean something else here than in the standard.
func (p proof) codes(r httpapi.VerifyReply) (providers.Answer, bool) {
	refusal := r.Status >= http.StatusBadRequest && r.Status < http.StatusInternalServerError && r.Code != ""
	switch {
	case refusal && slices.Contains(p.settings.Refused, r.Code):
		return providers.Refused, true
	case refusal && slices.Contains(p.settings.Accepted, r.Code):
		return providers.Accepted, true
	}
	return providers.Unknown, false
}

var (
	errNoProof       = errors.New("the settings name neither verify.token_url nor verify.request, so a secret cannot be proved")
	errProvesNothing = errors.New("the reply proves nothing about the secret")
)

// Verify implements providers.Provider.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	switch {
	case p.prove.token != nil:
		return p.prove.token.Verify(ctx, t.Verify, b)
	case p.prove.client == nil:
		return providers.Unknown, p.fault("verify", providers.ClassUnsupported, errNoProof)
	}
	v, err := p.ref("verify", t)
	if err != nil {
		return providers.Unknown, err
	}
	v = v.with(refClientID, b[credential.FieldClientID].Reveal()).with("client_secret", b.Secret())
	return p.prove.request(ctx, v, b)
}

// request shows the secret and reads the answer by its signs.
func (q prover) request(ctx context.Context, v values, b credential.Bundle) (providers.Answer, error) {
	r, err := q.proof.ask.request("verify", v)
	if err != nil {
		return providers.Unknown, &providers.Error{
			Class: providers.ClassRejected, Provider: q.provider, Operation: "verify", Err: err,
		}
	}
	r.Mutates = false // it proves, and this client has no login of rotad's own
	authenticate(&r, q.proof.auth, b)
	resp, err := q.client.Do(ctx, r)
	if resp == nil {
		return providers.Unknown, err
	}
	for _, m := range q.proof.signs {
		if m.matches(resp) {
			return m.answer, nil
		}
	}
	switch providers.ClassOf(err) { //nolint:exhaustive // all others say what happened
	case "", providers.ClassAuth, providers.ClassUnsupported, providers.ClassNotFound: // nothing about rotad's account, this kind or the client
		err = resp.Failed(providers.ClassUnavailable, errProvesNothing)
	}
	return providers.Unknown, err
}
