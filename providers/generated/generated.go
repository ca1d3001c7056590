package generated

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// refName is the field of a client's ref: what the value is called.
const refName = "name"

// provider makes values of one sort.
type provider struct {
	name     string
	alphabet string
	length   int
	effects  string
	now      func() time.Time
}

var _ providers.Timed = (*provider)(nil)

// deadline and propagation bound what takes no time: nothing is asked, and nothing is copied anywhere.
const (
	deadline    = 5 * time.Second
	propagation = time.Second
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing {
	return providers.Timing{Deadline: deadline, Propagation: propagation}
}

var (
	errNoName   = errors.New("the client's ref names no value")
	errNoVault  = errors.New("vault cannot be read here, and nobody else knows the value")
	errOwnValue = errors.New("this kind makes its values itself")
)

func (p *provider) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: p.name, Operation: operation, Err: cause}
}

// Inspect implements providers.Provider. Nobody keeps a list of values.
func (p *provider) Inspect(_ context.Context, t providers.Target) (providers.Snapshot, error) {
	if t.Ref[refName] == "" {
		return providers.Snapshot{}, p.fault("inspect", providers.ClassNotFound, errNoName)
	}
	return providers.Snapshot{ClientID: t.Ref[refName], Caps: credential.Capabilities{
		Mode: credential.ModeHardCutover, Reason: "who has read the new value no longer knows the old one", Effects: p.effects,
	}}, nil
}

// Create implements providers.Provider: it makes a value, and tells nobody.
func (p *provider) Create(_ context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	switch {
	case t.Ref[refName] == "":
		return providers.Issued{}, p.fault("create", providers.ClassNotFound, errNoName)
	case len(r.Proposed) > 0:
		return providers.Issued{}, p.fault("create", providers.ClassUnsupported, errOwnValue)
	}
	value, err := random(p.alphabet, p.length)
	if err != nil {
		return providers.Issued{}, p.fault("create", providers.ClassUnavailable, err)
	}
	return providers.Issued{
		Secret: credential.Secret{Start: p.now().UTC().Truncate(time.Second), Never: true},
		Bundle: credential.Bundle{credential.FieldValue: credential.NewSensitive(value)},
	}, nil
}

// random draws each character evenly.
func random(alphabet string, length int) (string, error) {
	value := make([]byte, length)
	for i := range value {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		value[i] = alphabet[n.Int64()]
	}
	return string(value), nil
}

// Verify implements providers.Provider. What Vault holds is what counts; any other value is refused.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	if t.Held == nil {
		return providers.Unknown, p.fault("verify", providers.ClassUnavailable, errNoVault)
	}
	held, err := t.Held(ctx)
	if err != nil {
		return providers.Unknown, p.fault("verify", providers.ClassUnavailable, err)
	}
	if value := b[credential.FieldValue]; !value.Empty() && value.Equal(held[credential.FieldValue]) {
		return providers.Accepted, nil
	}
	return providers.Refused, nil
}
