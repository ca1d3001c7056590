package manual

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// refClient is the one field of a client's ref.
const refClient = "client_id"

// defaultPropagation is how long a new secret may take to be accepted everywhere, where nobody configured it. It
// covers the slowest servers that are known.
const defaultPropagation = 2 * time.Minute

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     "manual",
		Summary:  "any provider without an API: a person makes the secret, rotad does the rest",
		Modes:    []string{string(credential.ModeManual)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClient},
		Rights:   "none: rotad has no account at the provider",
		Traits:   providers.Traits{Value: providers.ChosenByPerson, Live: "as the portal has it"},
		Settings: func() any { return &Settings{} },
		Open:     open,
		Presets:  presets(),
	}
}

// provider stands for a portal, and for a token endpoint where one is configured.
type provider struct {
	name         string
	instructions string
	verify       map[credential.VerifyMethod]httpapi.Verifier // by method; without a token endpoint it is empty
	timing       providers.Timing
}

var (
	_ providers.Provider = (*provider)(nil)
	_ providers.Checker  = (*provider)(nil)
	_ providers.Timed    = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider. It asks nobody: nothing about the secrets can be known.
func (p *provider) Inspect(_ context.Context, t providers.Target) (providers.Snapshot, error) {
	id := t.Ref[refClient]
	if id == "" {
		return providers.Snapshot{}, p.fault("inspect", providers.ClassRejected,
			fmt.Errorf("the client's ref has no %s", refClient))
	}
	reason := "a person makes the secret"
	if len(p.verify) == 0 {
		reason += "; without a token_url it cannot be verified"
	}
	return providers.Snapshot{
		ClientID: id,
		Caps: credential.Capabilities{
			Mode: credential.ModeManual, Reason: reason, Instructions: p.instructions,
		},
	}, nil
}

var errByHand = errors.New("a person makes the secret and brings it with rotad submit")

// Create implements providers.Provider by refusing.
func (p *provider) Create(context.Context, providers.Target, providers.Request) (providers.Issued, error) {
	return providers.Issued{}, p.fault("create", providers.ClassUnsupported, errByHand)
}

var (
	errNoTokenURL      = errors.New("no token_url is configured for this provider, so no secret can be proved")
	errNoIntrospection = errors.New("no introspection_url is configured for this provider")
)

// Verify implements providers.Provider. Without a token endpoint nothing can be asked: the answer stays Unknown, with
// ClassUnsupported, however often it is repeated.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	method := t.Verify.WithDefaults().Method
	verifier, ok := p.verify[method]
	switch {
	case ok:
		return verifier.Verify(ctx, t.Verify, b)
	case method == credential.VerifyIntrospection && len(p.verify) > 0:
		return providers.Unknown, p.fault("verify", providers.ClassUnsupported, errNoIntrospection)
	}
	return providers.Unknown, p.fault("verify", providers.ClassUnsupported, errNoTokenURL)
}

// Check implements providers.Checker.
func (p *provider) Check(context.Context) []providers.Finding {
	if len(p.verify) > 0 {
		return nil
	}
	return []providers.Finding{{
		What: "no token_url: rotad can neither prove a submitted secret nor see that the old one is gone",
		Hint: "set token_url to the provider's token endpoint",
	}}
}

func (p *provider) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: p.name, Operation: operation, Err: cause}
}
