package gcpoauthclient

import (
	"context"
	"errors"
	"net/http"
	"path"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// provider is the OAuth clients of one project.
type provider struct {
	api    api
	verify httpapi.Verifier
	timing providers.Timing
}

var (
	_ providers.Revoker = (*provider)(nil)
	_ providers.Checker = (*provider)(nil)
	_ providers.Lister  = (*provider)(nil)
	_ providers.Timed   = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	c, at, err := p.api.client(ctx, "inspect", t.Ref[refClient])
	if err != nil {
		return providers.Snapshot{}, err
	}
	list, err := p.api.credentials(ctx, "inspect", t.Ref[refClient])
	if err != nil {
		return providers.Snapshot{}, err
	}
	return snapshot(c, list, at), nil
}

func snapshot(c oauthClient, list []credential.Secret, at time.Time) providers.Snapshot {
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeTwoSlot, Reason: "an OAuth client has up to two credentials, each with an id that rotad chooses",
			StartReadable: true, Labels: true, Slots: slots, Disabled: c.Disabled,
		},
		ClientID: c.ClientID, Secrets: list, Time: at,
	}
}

var (
	errProposed = errors.New("Google makes these secrets itself") //nolint:staticcheck // a name begins it
	errPublic   = errors.New("it is a public client, which has no secret")
	errLanded   = errors.New("a credential of this name is there already: this very request has arrived twice")
	errNoSecret = errors.New("the reply shows no credential with its secret")
)

// Create implements providers.Provider. The id that goes into the bundle is read before anything is sent, so that nothing has to be
// asked while the new secret is only in memory.
//
// No two attempts have the same label. So a credential of this name that is there already was made by this very request, which
// something on the way has sent twice: its secret is lost, and it is not true that nothing happened.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.account.Fault("create", providers.ClassUnsupported, errProposed)
	}
	c, _, err := p.api.client(ctx, "create", t.Ref[refClient])
	switch {
	case err != nil:
		return providers.Issued{}, err
	case c.Type == clientPublic:
		return providers.Issued{}, p.api.account.Fault("create", providers.ClassUnsupported, errPublic)
	}
	return p.issue(ctx, t.Ref[refClient], nameOf(r.Label), c.ClientID)
}

// issue sends the create, and reads what comes of it.
func (p *provider) issue(ctx context.Context, client, id, clientID string) (providers.Issued, error) {
	resp, err := p.api.create(ctx, client, id)
	switch {
	case providers.ClassOf(err) == providers.ClassNotUnderstood:
		return providers.Issued{Raw: resp.Raw()}, err
	case err != nil && resp != nil && resp.Status == http.StatusConflict:
		return providers.Issued{}, resp.Failed(providers.ClassIndeterminate, errLanded)
	case err != nil:
		return providers.Issued{}, p.orFull(ctx, client, err)
	}
	var answer made
	if err = resp.Decode(&answer); err == nil && (answer.Secret == "" || path.Base(answer.Name) != id) {
		err = resp.Failed(providers.ClassNotUnderstood, errNoSecret)
	}
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	return providers.Issued{
		Secret: secret(answer.Name),
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(clientID), credential.FieldClientSecret: credential.NewSensitive(answer.Secret),
		},
	}, nil
}

var errFull = errors.New("the OAuth client has two credentials, which is all that it may have")

// orFull finds out whether a create was refused because there are two credentials already: which of its errors Google has for that is
// not documented.
func (p *provider) orFull(ctx context.Context, client string, refusal error) error {
	e, ok := errors.AsType[*providers.Error](refusal)
	if !ok || e.Code != "FAILED_PRECONDITION" && e.Code != "RESOURCE_EXHAUSTED" {
		return refusal
	}
	if list, err := p.api.credentials(ctx, "create", client); err != nil || len(list) < slots {
		return refusal
	}
	e.Class, e.Err, e.After = providers.ClassQuota, errFull, 0
	return e
}

// Verify implements providers.Provider: a login with a code that never was. Google says which errors its endpoint has by pointing at
// RFC 6749, and no more: invalid_client refutes a secret, invalid_grant proves it, and nothing else says anything. That a secret is
// looked at before a code is what the proof with a random value shows, without which no rotation begins.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	verifier := p.verify
	verifier.Classify = func(r httpapi.VerifyReply) (providers.Answer, bool) {
		known := r.Status == http.StatusOK || r.Code == "invalid_client" || r.Code == "invalid_grant"
		return providers.Unknown, !known
	}
	return verifier.Verify(ctx, t.Verify, b)
}

// Revoke implements providers.Revoker. Google deletes only what is disabled, so it takes two requests; whoever dies between them repeats
// both. A credential that is gone, or whose client is, is what was wanted.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	client := t.Ref[refClient]
	if client == "" || id == "" {
		return p.api.account.Fault("revoke", providers.ClassRejected, errNoClient)
	}
	err := p.api.disable(ctx, client, id)
	if err == nil {
		err = p.api.remove(ctx, client, id)
	}
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	return err
}

// Check implements providers.Checker: it logs in, and asks for one OAuth client of the project.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	if err := p.api.account.Login(ctx); err != nil {
		return []providers.Finding{{
			Problem: true, What: err.Error(),
			Hint: "is the key of rotad's own service account active, is login_url right, and is this machine's clock?",
		}}
	}
	_, _, err := p.api.clients(ctx, "check", "", 1)
	switch providers.ClassOf(err) {
	case "":
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			What: "rotad's account may not list the OAuth clients of the project: " + err.Error(),
			Hint: "rotad discover needs iam.oauthClients.list; whether it may rotate, the first look at each client shows",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "check project, location and url"}}
	}
}

// pageSize is how many OAuth clients a page has. The credentials of each take a request of their own, so a page is kept short.
const pageSize = 20

// List implements providers.Lister. Where rotad may not list the credentials of a client, that is listed without them.
func (p *provider) List(ctx context.Context, cursor string) (providers.Page, error) {
	page, at, err := p.api.clients(ctx, "list", cursor, pageSize)
	if err != nil {
		return providers.Page{}, err
	}
	out := providers.Page{Next: page.Next, Time: at, Requests: 1 + len(page.Clients)}
	for _, c := range page.Clients {
		listed := providers.Listed{Ref: credential.Ref{refClient: path.Base(c.Name)}, Name: c.Title}
		list, err := p.api.credentials(ctx, "list", path.Base(c.Name))
		switch providers.ClassOf(err) {
		case "":
			listed.Whole = true
		case providers.ClassAuth:
		case providers.ClassNotFound: // it went away meanwhile
			continue
		default:
			return providers.Page{}, err
		}
		listed.Snapshot = snapshot(c, list, at)
		if c.Type == clientPublic {
			listed.Unusable = errPublic.Error()
		}
		out.Clients = append(out.Clients, listed)
	}
	return out, nil
}
