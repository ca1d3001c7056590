package snowflake

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "snowflake"

// DefaultPropagation bounds how long a refresh may take to be seen everywhere. Nothing is documented, so it is generous.
const DefaultPropagation = time.Minute

// refIntegration is the one field of a client's ref.
const refIntegration = "integration"

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "OAuth integrations of Snowflake: two secrets in fixed slots, each refreshed by itself",
		Modes:    []string{string(credential.ModeTwoSlot)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refIntegration},
		Rights:   "OWNERSHIP of the integrations, for the role of a user of rotad's own",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "2", Lists: true, Revokes: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is one account.
type provider struct {
	api    api
	verify httpapi.Verifier
	timing providers.Timing
}

var (
	_ providers.Recoverer = (*provider)(nil)
	_ providers.Revoker   = (*provider)(nil)
	_ providers.Decoder   = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)
)

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	config := httpapi.Config{
		Provider: o.Name, Base: strings.TrimRight(s.URL, "/"), Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	}
	anonymous, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	config.Tokens, config.Authorize = httpapi.NewTokens(s.login(o), o.Elapsed), s.authorize
	own, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	return &provider{
		api:    api{client: own, role: strings.ToUpper(s.Role)},
		verify: httpapi.Verifier{Client: anonymous, Token: tokenPath, Auto: credential.VerifyAuthCode},
		timing: providers.Timing{Deadline: own.Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
	}, nil
}

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

var (
	errProposed = errors.New("the server makes the value itself")
	errVault    = errors.New("neither of the integration's two secrets is the one that Vault holds, so nobody can tell which slot consumers use: " +
		"put the one that they have into Vault first; nothing was sent")
	errNoVault = errors.New("reading what Vault holds failed, and without it nobody can tell which slot consumers use; nothing was sent")
)

// Inspect implements providers.Provider. Both secrets are always there; the one that Vault holds is the current one. The other one stands in
// the slot of the previous one: in an overlap it is that, else it is the spare one, which nobody was given.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	i, err := p.api.show(ctx, "inspect", t.Ref[refIntegration])
	if err != nil {
		return providers.Snapshot{}, err
	}
	list := make([]credential.Secret, slots)
	for at := range list {
		list[at] = i.issued(at).Secret
	}
	if at, err := i.held(ctx, t); err == nil {
		list[at].Slot, list[slots-1-at].Slot = providers.SlotCurrent, providers.SlotPrevious
		list[0], list[at] = list[at], list[0]
	}
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeTwoSlot, Reason: "an integration has two secrets; the one that Vault does not hold is refreshed", Readable: true, StartReadable: true,
		},
		ClientID: i.clientID, Secrets: list, Time: i.time,
	}, nil
}

// held returns the slot with the value that Vault holds.
func (i integration) held(ctx context.Context, t providers.Target) (at int, err error) {
	if t.Held == nil {
		return 0, errNoVault
	}
	b, err := t.Held(ctx)
	if err != nil {
		return 0, errNoVault
	}
	at, ok := i.find(func(at int) bool { return i.values[at].Equal(b.Secret()) })
	if !ok {
		return 0, errVault
	}
	return at, nil
}

// classOfHeld says what not finding the slot means.
func classOfHeld(err error) providers.Class {
	if errors.Is(err, errVault) {
		return providers.ClassConflict
	}
	return providers.ClassUnavailable
}

// Create implements providers.Provider. The looks at Snowflake and at Vault and the refresh share one deadline, so that the refresh is
// never sent later than the deadline after the call.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errProposed)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	i, err := p.api.show(ctx, "create", t.Ref[refIntegration])
	if err != nil {
		return providers.Issued{}, err
	}
	used, err := i.held(ctx, t)
	if err != nil {
		return providers.Issued{}, p.api.fault("create", classOfHeld(err), err)
	}
	resp, err := p.api.refresh(ctx, "create", t.Ref[refIntegration], slots-used)
	if err != nil {
		return unread(resp, err)
	}
	var answer refreshed
	if err = row(resp, &answer); err != nil {
		return unread(resp, resp.Failed(providers.ClassNotUnderstood, err))
	}
	issued, err := answer.issued()
	if err != nil {
		return unread(resp, resp.Failed(providers.ClassNotUnderstood, err))
	}
	return issued, nil
}

// unread keeps the body of an answer that could not be read.
func unread(resp *httpapi.Response, err error) (providers.Issued, error) {
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	return providers.Issued{}, err
}

// Decode implements providers.Decoder.
func (p *provider) Decode(_ providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	var r result
	var answer refreshed
	if httpapi.Unmarshal(raw, &r) != nil || r.field(&answer) != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, errRow)
	}
	issued, err := answer.issued()
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, errRow)
	}
	return issued, nil
}

// Recover implements providers.Recoverer: the secret that Vault holds, as Snowflake shows it.
func (p *provider) Recover(ctx context.Context, t providers.Target) (providers.Issued, error) {
	i, err := p.api.show(ctx, "recover", t.Ref[refIntegration])
	if err != nil {
		return providers.Issued{}, err
	}
	at, err := i.held(ctx, t)
	if err != nil {
		return providers.Issued{}, p.api.fault("recover", classOfHeld(err), err)
	}
	issued := i.issued(at)
	issued.Secret.Slot = providers.SlotCurrent
	return issued, nil
}

// Revoke implements providers.Revoker. A secret cannot be taken away, only replaced by another one: its slot gets a value that nobody is
// given. It looks right before, so the slot that is refreshed holds the secret with this id.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	i, err := p.api.show(ctx, "revoke", t.Ref[refIntegration])
	if err != nil {
		return err
	}
	at, listed := i.find(func(at int) bool { return i.id(at) == id })
	if !listed {
		return nil
	}
	_, err = p.api.refresh(ctx, "revoke", t.Ref[refIntegration], at+1)
	return err
}

// Verify implements providers.Provider.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	id, auth := b[credential.FieldClientID].Reveal(), t.Verify.WithDefaults().Auth
	return p.verify.VerifyAs(ctx, t.Verify, func(r *httpapi.Request) {
		httpapi.Authenticate(r, auth, id, b.Secret())
		if auth != "post" {
			basic(r.Header, id, b.Secret())
		}
	})
}

// basic shows the pair as it stands: ids and secrets are Base64, and Snowflake's own examples do not encode them for the header.
func basic(h http.Header, id string, secret credential.Sensitive) {
	h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret.Reveal())))
}

// nothing is the handle of a statement that nobody has sent.
const nothing = "/00000000-0000-0000-0000-000000000000"

// Check implements providers.Checker. It asks for the result of a statement that does not exist: who may log in is told so.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	resp, err := p.api.client.Do(ctx, httpapi.Request{Operation: "check", Method: http.MethodGet, Path: statementsPath + nothing})
	switch {
	case err == nil, resp != nil && (resp.Status == http.StatusNotFound || resp.Status == http.StatusUnprocessableEntity):
		return nil
	case providers.ClassOf(err) == providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, What: err.Error(), Hint: "is the token alive, or the public key set for the user, and may the user come from this network?",
		}}
	}
	return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is the url that of the account?"}}
}
