package awscognito

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sigv4"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	// Name of the kind.
	Name = "aws-cognito"
	// DefaultPropagation bounds how long a change takes to be known everywhere in a region; AWS states no number.
	DefaultPropagation = time.Minute

	// refClientID is the one field of a client's ref.
	refClientID = "client_id"
	// slots is how many secrets an app client may have; AWS does not raise it.
	slots = 2
)

// Settings of a provider of this kind: one user pool.
type Settings struct {
	// UserPool is its id; the region stands before the underscore.
	UserPool string `yaml:"user_pool" required:"true" doc:"Id of the user pool, for example eu-central-1_AbCdEf123. Its region stands before the underscore."`
	// TokenURL is the token endpoint at the pool's domain.
	TokenURL string `yaml:"token_url" required:"true" format:"url" doc:"Token endpoint at the pool's domain, where secrets are proved, for example https://corp.auth.eu-central-1.amazoncognito.com/oauth2/token."`
	// URL of the API. That of the region if empty.
	URL string `yaml:"url" format:"url" doc:"URL of the API; default: https://cognito-idp.REGION.amazonaws.com."`
	// CredentialsFile holds rotad's own access key; it is read for every request.
	CredentialsFile string `yaml:"credentials_file" required:"true" doc:"File with rotad's own access key, as AWS's credentials file has it; read for every request. Its first profile counts."`
	// CredentialsEnv is the environment variable that holds the same text.
	CredentialsEnv string `yaml:"credentials_env" doc:"The same from an environment variable."`
}

// Validate reports what the settings lack.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if s.UserPool != "" && s.region() == "" {
		report("user_pool", "is not the id of a user pool", "write its id and not its name, for example eu-central-1_AbCdEf123")
	}
}

// region is the one that a user pool lies in; empty = its id names none.
func (s *Settings) region() string {
	region, rest, ok := strings.Cut(s.UserPool, "_")
	odd := func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if !ok || rest == "" || strings.Count(region, "-") < 2 || strings.ContainsFunc(region, odd) {
		return ""
	}
	return region
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "secrets of an app client of an Amazon Cognito user pool, up to two side by side",
		Modes:    []string{string(credential.ModeTwoSlot)},
		Fields:   []string{credential.FieldClientID, credential.FieldClientSecret},
		Ref:      []string{refClientID},
		Rights:   "cognito-idp:ListUserPoolClientSecrets, cognito-idp:AddUserPoolClientSecret and cognito-idp:DeleteUserPoolClientSecret for that user pool; cognito-idp:ListUserPoolClients to walk it",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "2", Lists: true, Revokes: true, Walks: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is one user pool.
type provider struct {
	api    api
	verify httpapi.Verifier
	timing providers.Timing
}

var (
	_ providers.Revoker = (*provider)(nil)
	_ providers.Decoder = (*provider)(nil)
	_ providers.Checker = (*provider)(nil)
	_ providers.Timed   = (*provider)(nil)
	_ providers.Lister  = (*provider)(nil)

	_ providers.RightsReader = (*provider)(nil)
)

var errPool = errors.New("user_pool is not the id of a user pool")

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	region := s.region()
	if region == "" {
		return nil, fmt.Errorf("opening %s: %w", o.Name, errPool)
	}
	address := strings.TrimRight(cmp.Or(s.URL, "https://cognito-idp."+region+".amazonaws.com"), "/")
	config := httpapi.Config{Provider: o.Name, Base: address, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline}
	admin, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	base, path, err := httpapi.Split(s.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("opening %s: token_url: %w", o.Name, err)
	}
	config.Base = base
	public, err := httpapi.New(config)
	if err != nil {
		return nil, fmt.Errorf("opening %s: token_url: %w", o.Name, err)
	}
	return &provider{
		api: api{
			client: admin, address: address + "/", pool: s.UserPool, scope: sigv4.Scope{Service: "cognito-idp", Region: region}, now: o.Wall(),
			own: func() (sigv4.Key, error) { return ownKey(o) },
		},
		verify: httpapi.Verifier{Client: public, Token: path},
		timing: providers.Timing{Deadline: admin.Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
	}, nil
}

// ownKey reads rotad's own access key. Id and secret stand in one file, so that a new pair takes the old one's place at once.
func ownKey(o providers.Opening) (sigv4.Key, error) {
	text, err := o.Secret("credentials")
	if err != nil {
		return sigv4.Key{}, fmt.Errorf("reading rotad's own access key: %w", err)
	}
	return sigv4.Parse(text)
}

// Timing implements providers.Timed.
func (p *provider) Timing() providers.Timing { return p.timing }

var errPublic = errors.New("the app client has no secret: it is a public one, which Cognito lets have none")

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	return p.look(ctx, "inspect", t.Ref[refClientID])
}

func (p *provider) look(ctx context.Context, operation, clientID string) (providers.Snapshot, error) {
	list, at, err := p.api.secrets(ctx, operation, clientID)
	if err != nil {
		return providers.Snapshot{}, err
	}
	if len(list) == 0 {
		return providers.Snapshot{}, p.api.fault(operation, providers.ClassUnsupported, errPublic)
	}
	slices.SortStableFunc(list, func(a, b credential.Secret) int { return b.Start.Compare(a.Start) })
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeTwoSlot, Reason: "an app client has up to two secrets, each with an id", StartReadable: true, Slots: slots,
		},
		ClientID: clientID, Secrets: list, Time: at,
	}, nil
}

var errProposed = errors.New("the value is made by Cognito, whose answer says which one it is")

// Create implements providers.Provider. Cognito takes a value as well, and then does not repeat it: with its own, a lost answer is
// found in the list like any other.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errProposed)
	}
	resp, err := p.api.add(ctx, t.Ref[refClientID])
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	if err != nil {
		return providers.Issued{}, err
	}
	issued, err := issuedIn(resp.Raw(), t.Ref[refClientID])
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, resp.Failed(providers.ClassNotUnderstood, err)
	}
	return issued, nil
}

// Decode implements providers.Decoder.
func (p *provider) Decode(t providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	issued, err := issuedIn(raw, t.Ref[refClientID])
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, err)
	}
	return issued, nil
}

// Verify implements providers.Provider.
func (p *provider) Verify(ctx context.Context, t providers.Target, b credential.Bundle) (providers.Answer, error) {
	return p.verify.Verify(ctx, t.Verify, b)
}

// Revoke implements providers.Revoker. A secret that is gone is what was wanted.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	err := p.api.remove(ctx, t.Ref[refClientID], id)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	return err
}

// nobody is the id of an app client that does not exist, in the form of one.
const nobody = "rotadasksfornobody00000000"

// Check implements providers.Checker. It asks for the secrets of an app client that does not exist.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	_, _, err := p.api.secrets(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			Problem: true, What: err.Error(),
			Hint: "credentials_file has to be that of an active key with cognito-idp:ListUserPoolClientSecrets for the user pool; is this machine's clock right?",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is user_pool the pool's id, and the url that of its region?"}}
	}
}
