package entra

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Numbers of errors that are understood (learn.microsoft.com/entra/identity-platform/reference-error-codes).
const (
	codeWrongSecret   = 7000215
	codeExpiredSecret = 7000222
	codeNoApplication = 700016
)

// Verify implements providers.Provider: a login of the application itself, at the tenant's token endpoint. Every other
// error leaves the answer unknown. In particular a complaint about scope, grant or application proves nothing, because
// Entra may look at those before it looks at the secret.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	settings := t.Verify
	if settings.Auth == "" {
		settings.Auth = "post"
	}
	verifier, number := p.verify, 0
	verifier.Scope = strings.ReplaceAll(p.scope, "{client_id}", b[credential.FieldClientID].Reveal())
	verifier.Classify = func(r httpapi.VerifyReply) (providers.Answer, bool) {
		if r.Code == "" {
			return providers.Unknown, false
		}
		number = errorNumber(r.Description)
		if number == codeWrongSecret || number == codeExpiredSecret {
			return providers.Refused, true
		}
		return providers.Unknown, true
	}
	answer, err := verifier.Verify(ctx, settings, b)
	if err != nil && number != 0 {
		err = numbered(err, number)
	}
	return answer, err
}

var errNumber = errors.New("the token service answers")

// numbered adds the number of Entra's error, which is what its documentation is sorted by.
func numbered(err error, number int) error {
	cause := fmt.Errorf("%w AADSTS%d", errNumber, number)
	var e *providers.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	named := *e
	named.Err = cause
	switch {
	case number == codeNoApplication:
		named.Class = providers.ClassNotFound
	case e.Class == providers.ClassAuth: // that class is about rotad's own account, which took no part
		named.Class = providers.ClassRejected
	}
	return &named
}

var errorNumberForm = regexp.MustCompile(`^AADSTS(\d{1,9}):`)

// errorNumber reads "AADSTS7000215: ..."; 0 = there is none.
func errorNumber(description string) int {
	m := errorNumberForm.FindStringSubmatch(description)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}
