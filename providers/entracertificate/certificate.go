package entracertificate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// provider is a connection to one tenant.
type provider struct {
	client   *httpapi.Client // to Graph
	rights   graph.Rights
	verify   httpapi.Verifier
	audience string // of a proof: the tenant's token endpoint
	scope    string // asked for when a key is proved
	life     time.Duration
	now      func() time.Time
	timing   providers.Timing

	mu sync.Mutex // a list is read, changed and written back by one at a time
}

var (
	_ providers.Revoker   = (*provider)(nil)
	_ providers.Generator = (*provider)(nil)
	_ providers.Checker   = (*provider)(nil)
	_ providers.Timed     = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

// Timing implements providers.Timed. Its Propagation is how long a new certificate waits before it is used.
func (p *provider) Timing() providers.Timing { return p.timing }

func (p *provider) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: p.client.Provider(), Operation: operation, Err: cause}
}

func (p *provider) path(operation string, t providers.Target) (string, error) {
	path, err := graph.Object(t.Ref)
	if err != nil {
		return "", p.fault(operation, providers.ClassRejected, err)
	}
	return path, nil
}

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	path, err := p.path("inspect", t)
	if err != nil {
		return providers.Snapshot{}, err
	}
	l, err := p.look(ctx, "inspect", path)
	if err != nil {
		return providers.Snapshot{}, err
	}
	snap := providers.Snapshot{ClientID: l.appID, Time: l.at, Caps: credential.Capabilities{
		Mode: credential.ModeKeySet, Reason: "an application has several certificates, each of which it may sign with",
		Labels: true, StartReadable: true, SetsExpiry: true, Repeatable: true,
	}}
	for _, one := range l.parsed {
		if one.login() {
			snap.Secrets = append(snap.Secrets, one.secret())
		}
	}
	return snap, nil
}

var (
	errNoRef  = errors.New("the client's ref names no app_id")
	errNoPair = errors.New("a key pair of this client is made before its certificate is given to Entra")
)

// Generate implements providers.Generator.
func (p *provider) Generate(t providers.Target) (credential.Bundle, error) {
	app := t.Ref[graph.RefApp]
	if app == "" {
		return nil, p.fault("generate", providers.ClassNotFound, errNoRef)
	}
	made, err := makePair(app, p.now(), p.life)
	if err != nil {
		return nil, p.fault("generate", providers.ClassRejected, err)
	}
	return made.bundle(app)
}

// maxLabel is how much of a label is sent: the limit of a certificate's name.
const maxLabel = 90

// Create implements providers.Provider: it adds the certificate of a pair to the list. One that is there already changes nothing.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	path, err := p.path("create", t)
	if err != nil {
		return providers.Issued{}, err
	}
	if len(r.Proposed) == 0 {
		return providers.Issued{}, p.fault("create", providers.ClassUnsupported, errNoPair)
	}
	own, err := pairOf(r.Proposed)
	if err != nil {
		return providers.Issued{}, p.fault("create", providers.ClassRejected, err)
	}
	fresh := added{
		DisplayName: r.Label[:min(len(r.Label), maxLabel)], Key: own.certificate.Raw, Type: typeCertificate, Usage: usageVerify,
		StartDateTime: own.certificate.NotBefore.UTC(), EndDateTime: own.certificate.NotAfter.UTC(),
	}
	if !r.Expires.IsZero() && r.Expires.Before(fresh.EndDateTime) {
		fresh.EndDateTime = r.Expires.UTC().Truncate(time.Second)
	}
	made, raw, err := p.add(ctx, path, fresh)
	if err != nil {
		return providers.Issued{Raw: raw}, err
	}
	return providers.Issued{Secret: made, Bundle: r.Proposed}, nil
}

func (p *provider) add(ctx context.Context, path string, fresh added) (made credential.Secret, raw credential.Sensitive, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.look(ctx, "create", path)
	if err != nil {
		return credential.Secret{}, credential.Sensitive{}, err
	}
	if i := l.find(thumbprint(fresh.Key)); i >= 0 {
		return l.parsed[i].secret(), credential.Sensitive{}, nil
	}
	entries := make([]any, 0, len(l.entries)+1)
	for _, e := range l.entries {
		entries = append(entries, e.kept())
	}
	raw, err = p.replace(ctx, "create", path, append(entries, fresh))
	return parsed{
		DisplayName: fresh.DisplayName, StartDateTime: fresh.StartDateTime, EndDateTime: fresh.EndDateTime, Key: fresh.Key,
	}.secret(), raw, err
}

// Revoke implements providers.Revoker: it writes the list without one certificate. One that is gone, or whose application is, is what
// was wanted.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	path, err := p.path("revoke", t)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.look(ctx, "revoke", path)
	if err != nil {
		if providers.ClassOf(err) == providers.ClassNotFound {
			return nil
		}
		return err
	}
	i := l.find(id)
	if i < 0 {
		return nil
	}
	entries := make([]any, 0, len(l.entries))
	for j, e := range l.entries {
		if j != i {
			entries = append(entries, e.kept())
		}
	}
	_, err = p.replace(ctx, "revoke", path, entries)
	return err
}

// Check implements providers.Checker. It asks for an application that does not exist: an account with the right is
// told so, one without is refused.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	const nobody = "/applications(appId='00000000-0000-0000-0000-000000000000')"
	_, err := p.look(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, What: err.Error(),
			Hint: "check tenant_id, client_id and its secret; grant Application.ReadWrite.OwnedBy with admin consent",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "check graph_url and login_url"}}
	}
}
