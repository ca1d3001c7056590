package lightapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Name of the kind.
const Name = "lightapi"

// Fields of a client's ref.
const (
	refClient   = "client_id"
	refHost     = "host_id"
	refPosition = "owner_position_id"
)

// defaultPropagation is how long an event may take to reach every OAuth server, and a verifier to leave their caches,
// where nobody configured it. The portal's own OAuth server keeps no cache.
const defaultPropagation = time.Minute

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "light-portal (lightapi.net): regenerates the one secret of a client",
		Modes:    []string{string(credential.ModeHardCutover)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClient, refHost + "?", refPosition + "?"},
		Rights:   "owner of the clients, or the role oauth-client-admin; write scope of the oauth commands",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "1", Lists: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is a connection to one portal and its OAuth server.
type provider struct {
	api    api
	hostID string
	verify httpapi.Verifier
	timing providers.Timing
	doubts *doubts
}

var (
	_ providers.Decoder = (*provider)(nil)
	_ providers.Checker = (*provider)(nil)
	_ providers.Timed   = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider. The version of the client is no name of its secret: every change raises it.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	w, err := p.who(t, "inspect")
	if err != nil {
		return providers.Snapshot{}, err
	}
	c, err := p.api.fresh(ctx, "inspect", w)
	if err != nil {
		return providers.Snapshot{}, err
	}
	if c.public {
		return providers.Snapshot{}, p.api.fault("inspect", providers.ClassUnsupported, errPublic)
	}
	snapshot := providers.Snapshot{
		Caps: credential.Capabilities{
			Mode:   credential.ModeHardCutover,
			Reason: "the portal keeps one secret per client: the old one dies when the new one is made",
			Slots:  1, Disabled: !c.active,
		},
		ClientID: w.client, Time: c.time,
	}
	if c.hasSecret {
		snapshot.Secrets = []credential.Secret{{Slot: providers.SlotCurrent, Never: true}}
	}
	return snapshot, nil
}

var (
	errPublic   = errors.New("the client is public, so it has no secret")
	errInactive = errors.New("the client is not active, and the portal regenerates secrets of active clients only")
	errNoOwn    = errors.New("the portal chooses the value")
	errStale    = errors.New("somebody changed the client at the same moment, and the portal does not show that it was " +
		"not its secret: nothing was made, and nothing will be until Vault's value has been accepted again; " +
		"rotad resume ID --abort lets rotad look")
)

// Create implements providers.Provider. The version that the command names is read right before. One that the portal
// refuses as stale is read once more, and the command is sent again only if nobody else has regenerated the secret. All
// requests share one deadline, so that the command is never sent later than the deadline after the call.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	w, err := p.who(t, "create")
	switch {
	case err != nil:
		return providers.Issued{}, err
	case len(r.Proposed) > 0:
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errNoOwn)
	case p.doubts.about(w):
		return providers.Issued{}, p.api.fault("create", providers.ClassConflict, errStale)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	resp, err := p.regenerate(ctx, w, r)
	if err == nil {
		var out providers.Issued
		if out, err = issued(resp.Raw(), w); err == nil {
			p.doubts.created(w, false)
			return out, nil
		}
		err = resp.Failed(providers.ClassNotUnderstood, err)
	}
	if !providers.Definite(err) {
		p.doubts.created(w, true)
	}
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	return providers.Issued{}, err
}

// regenerate sends the command, and a second one after a look that has shown that the first was refused for a change of
// something else.
func (p *provider) regenerate(ctx context.Context, w who, r providers.Request) (*httpapi.Response, error) {
	before, err := p.api.fresh(ctx, "create", w)
	switch {
	case err != nil:
		return nil, err
	case before.public:
		return nil, p.api.fault("create", providers.ClassUnsupported, errPublic)
	case !before.active:
		return nil, p.api.fault("create", providers.ClassRejected, errInactive)
	}
	resp, err := p.api.regenerate(ctx, w, before, r.Label, r.Reason)
	if providers.ClassOf(err) != providers.ClassConflict {
		return resp, err
	}
	after, unchanged := p.sameSecret(ctx, w, before)
	if !unchanged {
		p.doubts.begin(w)
		return nil, because(err, errStale)
	}
	resp, err = p.api.regenerate(ctx, w, after, r.Label+"/again", r.Reason)
	if providers.ClassOf(err) == providers.ClassConflict {
		p.doubts.begin(w)
		return nil, because(err, errStale)
	}
	return resp, err
}

// sameSecret looks again after a stale version. Only what was read from a projection that has come to the new version
// says anything about the secret at that version: one that is behind would show the old secret.
func (p *provider) sameSecret(ctx context.Context, w who, before client) (after client, ok bool) {
	now, err := p.api.fresh(ctx, "create", w)
	if err != nil || now.version == before.version {
		return client{}, false
	}
	row, err := p.api.listed(ctx, "create", w)
	if err != nil || row.version != now.version {
		return client{}, false
	}
	return now, before.marks.same(row.marks)
}

// Decode implements providers.Decoder.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	w, err := p.who(t, "decode")
	if err != nil {
		return providers.Issued{}, err
	}
	out, err := issued(raw, w)
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, err)
	}
	return out, nil
}

// Verify implements providers.Provider.
func (p *provider) Verify(
	ctx context.Context, t providers.Target, b credential.Bundle,
) (providers.Answer, error) {
	got, err := p.verify.Verify(ctx, t.Verify, b)
	if w, failed := p.who(t, "verify"); failed == nil && got == providers.Accepted {
		p.doubts.accepted(w)
	}
	return got, err
}

// nobody is a client id that no portal gives.
const nobody = "00000000-0000-0000-0000-000000000000"

// Check implements providers.Checker. It asks for a client that does not exist: an account that may ask is told so.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, err := p.api.fresh(ctx, "check", who{host: p.hostID, client: nobody})
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, Refused: true, What: err.Error(),
			Hint: "the token has to be one of a person or service with the role oauth-client-admin, or of the owner of the clients",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is the url that of the portal, and host_id one of its hosts?"}}
	}
}

func (p *provider) who(t providers.Target, operation string) (who, error) {
	w := who{host: t.Ref[refHost], client: t.Ref[refClient], position: t.Ref[refPosition]}
	if w.host == "" {
		w.host = p.hostID
	}
	if w.client == "" {
		return w, p.api.fault(operation, providers.ClassRejected, fmt.Errorf("the client's ref has no %s", refClient))
	}
	return w, nil
}
