package gcpserviceaccount

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// provider is the service accounts of one project.
type provider struct {
	api    api
	verify httpapi.Verifier
	now    func() time.Time
	timing providers.Timing
}

var (
	_ providers.Revoker = (*provider)(nil)
	_ providers.Decoder = (*provider)(nil)
	_ providers.Checker = (*provider)(nil)
	_ providers.Lister  = (*provider)(nil)
	_ providers.Timed   = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider. A key that was disabled is listed as well: it takes one of the ten places.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	list, at, err := p.api.keys(ctx, "inspect", t.Ref[refAccount])
	if err != nil {
		return providers.Snapshot{}, err
	}
	return snapshot(list, at), nil
}

func snapshot(list []credential.Secret, at time.Time) providers.Snapshot {
	slices.SortStableFunc(list, func(a, b credential.Secret) int { return b.Start.Compare(a.Start) })
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeTwoSlot, Reason: "a service account has up to ten keys, each with an id", StartReadable: true, Slots: slots,
		},
		Secrets: list, Time: at,
	}
}

var (
	errProposed = errors.New("Google makes these keys itself") //nolint:staticcheck // a name begins it
	errFull     = errors.New("the service account has ten keys, which is all that it may have")
)

// Create implements providers.Provider.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.account.Fault("create", providers.ClassUnsupported, errProposed)
	}
	resp, err := p.api.create(ctx, t.Ref[refAccount])
	switch providers.ClassOf(err) {
	case "":
	case providers.ClassNotUnderstood:
		return providers.Issued{Raw: resp.Raw()}, err
	case providers.ClassRejected:
		return providers.Issued{}, p.orFull(ctx, t.Ref[refAccount], err)
	default:
		return providers.Issued{}, err
	}
	issued, err := issuedIn(resp.Raw())
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, resp.Failed(providers.ClassNotUnderstood, err)
	}
	return issued, nil
}

// orFull finds out whether a create was refused because there are ten keys already: Google says FAILED_PRECONDITION to that, and no more.
func (p *provider) orFull(ctx context.Context, account string, refusal error) error {
	e, ok := errors.AsType[*providers.Error](refusal)
	if !ok || e.Code != "FAILED_PRECONDITION" {
		return refusal
	}
	if list, _, err := p.api.keys(ctx, "create", account); err != nil || len(list) < slots {
		return refusal
	}
	e.Class, e.Err = providers.ClassQuota, errFull
	return e
}

// Decode implements providers.Decoder.
func (p *provider) Decode(_ providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	issued, err := issuedIn(raw)
	if err != nil {
		return providers.Issued{}, p.api.account.Fault("decode", providers.ClassNotUnderstood, err)
	}
	return issued, nil
}

// Revoke implements providers.Revoker. A key that is gone, or whose service account is, is what was wanted. Tokens that were had with
// it live on for up to an hour: no call ends those.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	err := p.api.remove(ctx, t.Ref[refAccount], id)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	return err
}

// Check implements providers.Checker: it logs in, and asks for one service account of the project. That is refused to an account
// whose roles stand at single service accounts, which is no mistake.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	if err := p.api.account.Login(ctx); err != nil {
		return []providers.Finding{{
			Problem: true, What: err.Error(),
			Hint: "is the key of rotad's own service account active, is token_url right, and is this machine's clock?",
		}}
	}
	_, _, err := p.api.accounts(ctx, "check", "", 1)
	switch providers.ClassOf(err) {
	case "":
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			What: "rotad's account may not list the service accounts of the project: " + err.Error(),
			Hint: "fine where its roles stand at the service accounts themselves; rotad discover needs iam.serviceAccounts.list",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "check project and url"}}
	}
}
