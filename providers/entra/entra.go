package entra

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Fields of a client's ref: one of them.
const (
	refApp    = graph.RefApp
	refObject = graph.RefObject
)

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     "entra",
		Summary:  "Microsoft Entra ID: passwords of an application, side by side, through Microsoft Graph",
		Modes:    []string{string(credential.ModeTwoSlot)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refApp + "?", refObject + "?"},
		Rights:   "application permission Application.ReadWrite.OwnedBy, and ownership of each application",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "2 where personal accounts may log in, else many", Lists: true, Revokes: true, Walks: true, Instead: instead()},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is a connection to one tenant.
type provider struct {
	graph    graphAPI
	graphURL string          // without a slash at its end
	pages    *httpapi.Client // to the same Graph, for replies of a megabyte and more
	tokens   *httpapi.Tokens // of rotad's own application, for Graph
	own      string          // client id of rotad's own application
	verify   httpapi.Verifier
	scope    string // asked for when a secret is proved
	timing   providers.Timing
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
	path, err := p.object(t, "inspect")
	if err != nil {
		return providers.Snapshot{}, err
	}
	app, at, err := p.graph.application(ctx, "inspect", path)
	if err != nil {
		return providers.Snapshot{}, err
	}
	return providers.Snapshot{
		Caps: app.capabilities(), ClientID: app.AppID, Secrets: app.secrets(), Time: at,
	}, nil
}

// Create implements providers.Provider. The client id that goes into the bundle is known before anything is sent, so
// that nothing has to be asked while the new password is only in memory.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	path, err := p.object(t, "create")
	if err != nil {
		return providers.Issued{}, err
	}
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.graph.fault("create", providers.ClassUnsupported, errNoOwnValue)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timing.Deadline)
	defer cancel()
	clientID := t.Ref[refApp]
	if clientID == "" {
		app, _, lookErr := p.graph.application(ctx, "create", path)
		if lookErr != nil {
			return providers.Issued{}, lookErr
		}
		clientID = app.AppID
	}
	made, raw, err := p.graph.add(ctx, path, addRequest{DisplayName: label(r.Label), EndDateTime: optional(r.Expires)})
	if err != nil {
		return providers.Issued{Raw: raw}, err
	}
	return providers.Issued{
		Secret: made.secret(),
		Bundle: credential.Bundle{
			credential.FieldClientID:     credential.NewSensitive(clientID),
			credential.FieldClientSecret: credential.NewSensitive(made.SecretText),
		},
	}, nil
}

var errNoOwnValue = errors.New("the server chooses the value")

// maxLabel is how much of a label is sent. The limit of a password's name is not documented; that of a certificate's
// is 90 characters.
const maxLabel = 90

func label(s string) string { return s[:min(len(s), maxLabel)] }

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// Revoke implements providers.Revoker. Graph answers a key that does not exist like a malformed request, so a refusal
// is success only when the list confirms that the password is gone.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	path, err := p.object(t, "revoke")
	if err != nil {
		return err
	}
	refusal := p.graph.remove(ctx, path, id)
	class := providers.ClassOf(refusal)
	if class != providers.ClassRejected && class != providers.ClassNotFound {
		return refusal
	}
	app, _, err := p.graph.application(ctx, "revoke", path)
	if err != nil {
		return err
	}
	if app.has(id) {
		return refusal
	}
	return nil
}

// Check implements providers.Checker. It asks for an application that does not exist: an account with the right is
// told so, one without is refused.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	const nobody = "/applications(appId='00000000-0000-0000-0000-000000000000')"
	_, _, err := p.graph.application(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, Refused: true, What: err.Error(),
			Hint: "check tenant_id, client_id and its secret; grant Application.ReadWrite.OwnedBy with admin consent",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "check graph_url and login_url"}}
	}
}

// object is the path of the application that a ref names.
func (p *provider) object(t providers.Target, operation string) (string, error) {
	path, err := graph.Object(t.Ref)
	if err != nil {
		return "", p.graph.fault(operation, providers.ClassRejected, err)
	}
	return path, nil
}

// instead are the credentials of an application that are no passwords (learn.microsoft.com/graph/api/resources: keyCredential,
// federatedIdentityCredential).
func instead() []providers.Instead {
	return []providers.Instead{
		{Method: providers.InsteadFederation, How: "App registrations, the application, Certificates & secrets, Federated credentials; az ad app federated-credential create"},
		{Method: providers.InsteadKeys, How: "the kind entra-certificate; App registrations, the application, Certificates & secrets, Certificates"},
	}
}
