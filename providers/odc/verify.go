package odc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Verify implements providers.Provider. It asks with the grant that API clients have. The secret goes into the form unless
// the client's settings say otherwise: there it arrives as it is, whatever the server thinks of escapes in a header.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	settings := t.Verify
	if settings.Auth == "" {
		settings.Auth = "post"
	}
	at, fresh, err := p.endpoint.get(ctx, "verify")
	if err != nil {
		return providers.Unknown, notAuth(err)
	}
	got, err := at.verifier().Verify(ctx, settings, b)
	if got != providers.Accepted && !fresh && providers.ClassOf(err) != providers.ClassThrottled {
		got, err = p.verifyAgain(ctx, at, settings, b, got, err)
	}
	if got == providers.Refused {
		return p.tooEarly(b)
	}
	return got, err
}

// verifyAgain asks where the token endpoint is now, before an answer counts that a former one gave: the realm that an
// organisation has left refuses every secret.
func (p *provider) verifyAgain(
	ctx context.Context, before tokenEndpoint, settings credential.VerifySettings, b credential.Bundle, got providers.Answer, err error,
) (providers.Answer, error) {
	now, failed := p.endpoint.discover(ctx, "verify")
	switch {
	case failed != nil && got == providers.Refused:
		return providers.Unknown, notAuth(failed)
	case failed != nil || now.address == before.address:
		return got, err
	}
	return now.verifier().Verify(ctx, settings, b)
}

// notAuth: what refuses the question for the endpoint is not about rotad's own account.
func notAuth(err error) error {
	if providers.ClassOf(err) == providers.ClassAuth {
		return because(err, providers.ClassUnavailable, errNoDiscovery)
	}
	return err
}

func (e tokenEndpoint) verifier() httpapi.Verifier {
	return httpapi.Verifier{
		Client: e.client, Token: e.path, Auto: credential.VerifyClientCredentials, Classify: classify,
	}
}

// classify reads the one code that servers do not agree upon. A realm of Keycloak says it of a wrong secret, with 401, and
// with the same code of a grant that is not allowed; only the description tells. With 400 it may be either.
func classify(r httpapi.VerifyReply) (providers.Answer, bool) {
	switch {
	case r.Code != "unauthorized_client":
		return providers.Unknown, false
	case r.Status != http.StatusUnauthorized:
		return providers.Unknown, true
	case strings.Contains(r.Description, "not enabled"), strings.Contains(r.Description, "not allowed"):
		return providers.Accepted, true
	}
	return providers.Refused, true
}

// early remembers secrets that are valid only later, so that a refusal until then is told as what it is. It is in memory
// only: after a restart such a secret is refused like any other, and a person is called after verify.deadline.
type early struct {
	elapsed func() time.Duration

	mu   sync.Mutex
	kept []earlySecret
}

type earlySecret struct {
	bundle credential.Bundle
	from   time.Time     // for people
	until  time.Duration // on elapsed
}

// mostEarly bounds how many secrets are remembered; the oldest is forgotten first.
const mostEarly = 1000

// keep remembers a secret that begins after the server's own time. Without that time nothing is known, and nothing is kept.
func (e *early) keep(i providers.Issued, serverTime time.Time) {
	wait := i.Secret.Start.Sub(serverTime)
	if i.Secret.Start.IsZero() || serverTime.IsZero() || wait <= 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.elapsed()
	e.kept = slices.DeleteFunc(e.kept, func(s earlySecret) bool { return now >= s.until })
	if len(e.kept) == mostEarly {
		e.kept = e.kept[1:]
	}
	e.kept = append(e.kept, earlySecret{i.Bundle, i.Secret.Start, now + wait})
}

// find returns from when a secret is valid, and how long that is; zero = it is not known to be early.
func (e *early) find(b credential.Bundle) (from time.Time, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.kept {
		if left := s.until - e.elapsed(); left > 0 && s.bundle.Equal(b) {
			return s.from, left
		}
	}
	return time.Time{}, 0
}

// tooEarly judges a refusal: one of a secret that is valid only later proves nothing, and is not asked for again before.
func (p *provider) tooEarly(b credential.Bundle) (providers.Answer, error) {
	from, wait := p.early.find(b)
	if wait == 0 {
		return providers.Refused, nil
	}
	return providers.Unknown, &providers.Error{
		Class: providers.ClassBusy, Provider: p.api.client.Provider(), Operation: "verify", After: wait,
		Err: errors.New("the new secret is valid from " + from.Format(time.RFC3339) +
			" on (valid_from), and ODC refuses it until then; it is not published before it is accepted"),
	}
}
