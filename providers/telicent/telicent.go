package telicent

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

// defaultPropagation is how long a change may take to be seen by every replica, where nobody configured it.
const defaultPropagation = 10 * time.Second

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     "telicent",
		Summary:  "Telicent Auth Server: rotates in place, the previous secret stays valid for a grace window",
		Modes:    []string{string(credential.ModeGraceWindow)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClient},
		Rights:   "permission client.write; client.read as well, to tell a client without a secret from a missing one",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "2", Lists: true, Revokes: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is a connection to one auth server.
type provider struct {
	api    api
	paths  paths
	verify httpapi.Verifier
	timing providers.Timing
}

var (
	_ providers.Revoker = (*provider)(nil)
	_ providers.Decoder = (*provider)(nil)
	_ providers.Checker = (*provider)(nil)
	_ providers.Timed   = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	id, err := p.clientID(t, "inspect")
	if err != nil {
		return providers.Snapshot{}, err
	}
	seen, err := p.api.status(ctx, "inspect", id)
	if err != nil {
		return providers.Snapshot{}, err
	}
	return providers.Snapshot{
		Caps: seen.capabilities(t.Grace), ClientID: id, Secrets: seen.secrets(), Time: seen.time,
	}, nil
}

// Create implements providers.Provider. It issues the first secret, or rotates the current one: which of the two is
// decided from a status read right before, never from what was seen earlier. That read and the change share one
// deadline, so that the change is never sent later than the deadline after the call.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	id, err := p.clientID(t, "create")
	if err != nil {
		return providers.Issued{}, err
	}
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errNoOwnValue)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	seen, err := p.api.status(ctx, "create", id)
	if err != nil {
		return providers.Issued{}, err
	}
	resp, err := p.api.change(ctx, id, seen.current != nil)
	switch {
	case providers.ClassOf(err) == providers.ClassNotUnderstood:
		return providers.Issued{Raw: resp.Raw()}, err
	case err != nil:
		return providers.Issued{}, err
	}
	issued, err := p.issued(t, id, resp.Raw())
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, resp.Failed(providers.ClassNotUnderstood, err)
	}
	if seen.current == nil {
		issued.OldDies = time.Time{} // there was nothing before it
	}
	if issued.Secret.ID == "" {
		issued.Secret = p.named(ctx, id, seen, issued.Secret)
	}
	return issued, nil
}

// namingTime bounds how long a new secret that is only in memory may wait for its name.
const namingTime = 3 * time.Second

// named looks once for the start of a new secret whose reply does not say it, because that start is its id. Whatever
// goes wrong here, the secret itself is handed on.
func (p *provider) named(ctx context.Context, id string, before status, s credential.Secret) credential.Secret {
	ctx, cancel := context.WithTimeout(ctx, namingTime)
	defer cancel()
	seen, err := p.api.status(ctx, "create", id)
	if err != nil || seen.current == nil || (before.current != nil && seen.current.id() == before.current.id()) {
		return s
	}
	return seen.current.secret(providers.SlotCurrent)
}

var errNoOwnValue = errors.New("the server chooses the value")

// issued reads the reply of a change.
func (p *provider) issued(t providers.Target, id string, raw credential.Sensitive) (providers.Issued, error) {
	reply, err := p.paths.reply(raw)
	if err != nil {
		return providers.Issued{}, err
	}
	issued := providers.Issued{
		Secret:  slot{start: reply.start, expires: reply.expires}.secret(providers.SlotCurrent),
		OldDies: reply.previousExpires,
		Bundle: credential.Bundle{
			credential.FieldClientID:     credential.NewSensitive(id),
			credential.FieldClientSecret: reply.secret,
		},
	}
	if issued.OldDies.IsZero() && t.Grace > 0 && !reply.start.IsZero() {
		issued.OldDies = reply.start.Add(t.Grace)
	}
	return issued, nil
}

// Decode implements providers.Decoder: a stored reply, with field paths that have been corrected since.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	id, err := p.clientID(t, "decode")
	if err != nil {
		return providers.Issued{}, err
	}
	issued, err := p.issued(t, id, raw)
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, err)
	}
	return issued, nil
}

// Verify implements providers.Provider.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	return p.verify.Verify(ctx, t.Verify, b)
}

var (
	errCurrent     = errors.New("this secret is the current one")
	errOtherSecret = errors.New("the slot of the previous secret holds another one")
	errWhichSecret = errors.New("the server does not show which secret the slot of the previous one holds; " +
		"its own timer ends it")
)

// Revoke implements providers.Revoker. The call addresses a slot, so it looks right before whether the slot holds the
// secret with this id. It only ever ends the previous secret.
func (p *provider) Revoke(ctx context.Context, t providers.Target, secret string) error {
	id, err := p.clientID(t, "revoke")
	if err != nil {
		return err
	}
	seen, err := p.api.status(ctx, "revoke", id)
	if err != nil {
		return err
	}
	switch {
	case seen.current != nil && seen.current.id() == secret:
		return p.api.fault("revoke", providers.ClassConflict, errCurrent)
	case seen.previous == nil:
		return nil
	case seen.previous.id() == "":
		return p.api.fault("revoke", providers.ClassUnsupported, errWhichSecret)
	case seen.previous.id() != secret:
		return p.api.fault("revoke", providers.ClassConflict, errOtherSecret)
	}
	return p.api.endPrevious(ctx, id)
}

// Check implements providers.Checker. It asks for the secret of a client that does not exist: an account with the
// right is told so, one without is refused.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	const nobody = "rotad-asks-for-nobody"
	_, err := p.api.status(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, Refused: true, What: err.Error(), Hint: "give rotad's account the permission client.write",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is the url that of the auth server?"}}
	}
}

func (p *provider) clientID(t providers.Target, operation string) (string, error) {
	if id := t.Ref[refClient]; id != "" {
		return id, nil
	}
	return "", p.api.fault(operation, providers.ClassRejected, fmt.Errorf("the client's ref has no %s", refClient))
}
