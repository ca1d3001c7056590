package telekom

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "telekom"

// refApplication is the one field of a client's ref.
const refApplication = "application"

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "applications of a team in the control plane of Deutsche Telekom (rover API)",
		Modes:    []string{string(credential.ModeGraceWindow), string(credential.ModeHardCutover)},
		Fields:   fields(),
		Ref:      []string{refApplication},
		Rights:   "scope tardis:team:all, which every team's ROVER_TOKEN has",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "2 where the zone keeps a replaced one, else 1", Lists: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is one team of one control plane.
type provider struct {
	api    api
	tokens *httpapi.Tokens // of the team
	zones  zones
	ends   endpoints
	timing providers.Timing
	pause  func(ctx context.Context) error // between two looks at a rotation that is under way
}

var (
	_ providers.Recoverer = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	name, err := p.api.application(t, "inspect")
	if err != nil {
		return providers.Snapshot{}, err
	}
	seen, err := p.settled(ctx, "inspect", name)
	if err != nil {
		return providers.Snapshot{}, err
	}
	return providers.Snapshot{
		Caps: seen.capabilities(p.zones, t), ClientID: p.clientID(seen, name), Time: seen.time,
		Secrets: seen.secrets(p.api.id(name), p.zones.graceOf(t)),
	}, nil
}

// clientID is what the application is called at the token endpoint.
func (p *provider) clientID(s status, name string) string {
	if s.clientID != "" {
		return s.clientID
	}
	return p.api.id(name)
}

var (
	errHidden   = errors.New("the status shows no secret: the team's account may not read it (scope tardis:team:all)")
	errCounting = errors.New("a replaced secret still counts down, and a rotation would end it at once")
	errProposed = errors.New("the platform chooses the value itself")
)

// settled reads a status in which nothing is under way: only then values and dates belong together.
func (p *provider) settled(ctx context.Context, operation, name string) (status, error) {
	seen, err := p.api.status(ctx, operation, name)
	switch {
	case err != nil:
		return status{}, err
	case !seen.complete:
		cause := fmt.Errorf("the platform is working on the application (its status is %s), and shows no secret meanwhile", seen.word)
		return status{}, p.api.fault(operation, providers.ClassBusy, cause)
	case seen.current.Empty():
		return status{}, p.api.fault(operation, providers.ClassAuth, errHidden)
	}
	return seen, nil
}

// Create implements providers.Provider: it asks for a rotation and waits until it is complete. All of it shares one
// deadline. A rotation that is not complete by then is left open, because its value can be read back later.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	name, err := p.api.application(t, "create")
	if err != nil {
		return providers.Issued{}, err
	}
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errProposed)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	before, err := p.settled(ctx, "create", name)
	if err != nil {
		return providers.Issued{}, err
	}
	if before.counting() {
		return providers.Issued{}, p.api.fault("create", providers.ClassConflict, errCounting)
	}
	resp, err := p.api.rotate(ctx, name)
	joined := resp != nil && resp.Status == http.StatusConflict
	switch {
	case providers.ClassOf(err) == providers.ClassNotUnderstood:
		return providers.Issued{Raw: resp.Raw()}, err
	case err != nil && !joined:
		return providers.Issued{}, err
	}
	after, err := p.converge(ctx, name, before, joined)
	if err != nil {
		return providers.Issued{}, err
	}
	issued := p.issued(t, after, name)
	expected := before.capabilities(p.zones, t).Mode
	if expected == credential.ModeGraceWindow && after.rotatedExpires.IsZero() {
		issued.OldDies = after.time // against all signs the old one is dead: the new one is published at once
	}
	return issued, nil
}

// issued puts together what a status says about the current secret.
func (p *provider) issued(t providers.Target, s status, name string) providers.Issued {
	return providers.Issued{
		Secret: s.secret(p.api.id(name), p.zones.graceOf(t)), OldDies: s.rotatedExpires,
		Bundle: credential.Bundle{
			credential.FieldClientID:     credential.NewSensitive(p.clientID(s, name)),
			credential.FieldClientSecret: s.current,
		},
	}
}

// Recover implements providers.Recoverer. Value and dates come from one reading, so they belong together.
func (p *provider) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	name, err := p.api.application(t, "recover")
	if err != nil {
		return providers.Issued{}, err
	}
	seen, err := p.settled(ctx, "recover", name)
	if err != nil {
		return providers.Issued{}, err
	}
	return p.issued(t, seen, name), nil
}

// Check implements providers.Checker. It asks for an application that does not exist: an account with the right is told
// so, one without is refused. The right to rotate cannot be asked about without rotating.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	const nobody = "rotad-asks-for-nobody"
	_, err := p.api.status(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound, providers.ClassBusy:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, Refused: true, What: err.Error(), Hint: "is ROVER_TOKEN that of this group and team, and has its scope tardis:team:all?",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is the url that of the control plane's team API?"}}
	}
}
