package gcpserviceaccount

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/gcp"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// verifyScope is asked for when a key is proved: a token for it says whose it is, and opens nothing.
const verifyScope = "https://www.googleapis.com/auth/userinfo.email"

// Verify implements providers.Provider: it asks for a token with the key. What is no key of this service account is asked about as
// well, with one that nobody knows: a server that takes that takes anything.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	account := t.Ref[refAccount]
	k, err := gcp.ParseKey(b[FieldCredentials])
	if err != nil || !strings.EqualFold(k.Email, account) {
		if k, err = gcp.Stranger(account, b[credential.FieldKeyID].Reveal()); err != nil {
			return providers.Unknown, p.api.account.Fault("verify", providers.ClassRejected, err)
		}
	}
	assertion, err := k.Assertion(p.now(), cmp.Or(t.Verify.Scope, verifyScope))
	if err != nil {
		return providers.Unknown, p.api.account.Fault("verify", providers.ClassRejected, err)
	}
	return p.ask(ctx, assertion)
}

var (
	errClock = errors.New("Google says that the assertion comes too late or too early: is this machine's clock right?") //nolint:staticcheck // a name begins it
	errGone  = errors.New("there is no such service account, or it is disabled; that says nothing about its key")
)

// ask reads an answer. Only a token proves a key, and only one verdict refutes it: Google looks at times, account and scope as well,
// and what comes first is not documented.
func (p *provider) ask(ctx context.Context, assertion credential.Sensitive) (providers.Answer, error) {
	verdict := gcp.VerdictNone
	verifier := p.verify
	verifier.Classify = func(r httpapi.VerifyReply) (providers.Answer, bool) {
		if r.Code == "" {
			return providers.Unknown, false
		}
		if verdict = gcp.ReadVerdict(r.Code, r.Description); verdict == gcp.VerdictSignature {
			return providers.Refused, true
		}
		return providers.Unknown, true
	}
	settings := credential.VerifySettings{Method: credential.VerifyClientCredentials}
	answer, err := verifier.VerifyAs(ctx, settings, func(r *httpapi.Request) {
		r.Form = url.Values{"grant_type": {gcp.JWTBearer}, "assertion": {assertion.Reveal()}}
	})
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return answer, err
	}
	switch verdict {
	case gcp.VerdictTime:
		e.Class, e.Err = providers.ClassRejected, errClock
	case gcp.VerdictAccount:
		e.Class, e.Err = providers.ClassNotFound, errGone
	case gcp.VerdictNone, gcp.VerdictSignature:
	}
	return answer, e
}
