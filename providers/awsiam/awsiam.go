package awsiam

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
	Name = "aws-iam"
	// FieldSecretAccessKey is the field of a bundle that holds the secret; credential.FieldAccessKeyID has its id.
	FieldSecretAccessKey = "secret_access_key"

	// DefaultURL, DefaultSTSURL and DefaultRegion are those of the ordinary partition, where IAM has one address and one region.
	DefaultURL    = "https://iam.amazonaws.com"
	DefaultSTSURL = "https://sts.amazonaws.com"
	DefaultRegion = "us-east-1"
	// DefaultPropagation bounds how long a change takes to reach every region; AWS states no number.
	DefaultPropagation = time.Minute

	// refUser is the one field of a client's ref.
	refUser = "user"
	// slots is how many keys a user may have; AWS does not raise it.
	slots = 2
)

// Settings of a provider of this kind.
type Settings struct {
	// URL of IAM, without a path of its own. DefaultURL if empty.
	URL string `yaml:"url" implied:"https://iam.amazonaws.com" format:"url" doc:"URL of IAM; other partitions than the ordinary one have their own."`
	// STSURL of STS, where keys are proved. DefaultSTSURL if empty.
	STSURL string `yaml:"sts_url" implied:"https://sts.amazonaws.com" format:"url" doc:"URL of STS, where keys are proved."`
	// Region that requests to both are signed for. DefaultRegion if empty.
	Region string `yaml:"region" implied:"us-east-1" doc:"Region that requests are signed for; that of the two addresses."`
	// CredentialsFile holds rotad's own access key; it is read for every request.
	CredentialsFile string `yaml:"credentials_file" required:"true" doc:"File with rotad's own access key, as AWS's credentials file has it; read for every request. Its first profile counts."`
	// CredentialsEnv is the environment variable that holds the same text.
	CredentialsEnv string `yaml:"credentials_env" doc:"The same from an environment variable."`
}

// Kind describes the kind to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "access keys of an AWS IAM user, up to two side by side",
		Modes:    []string{string(credential.ModeTwoSlot)},
		Fields:   []string{credential.FieldAccessKeyID, FieldSecretAccessKey},
		Ref:      []string{refUser},
		Rights:   "iam:ListAccessKeys, iam:CreateAccessKey, iam:DeleteAccessKey for those users; iam:GetAccessKeyLastUsed to see when a key was used; iam:ListUsers to walk the account",
		Traits:   providers.Traits{Value: providers.ChosenByProvider, Live: "2", Lists: true, Revokes: true, Usage: true, Walks: true, Instead: instead()},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

// provider is one account of AWS.
type provider struct {
	api    api
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

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("opening %s: the settings are a %T", o.Name, o.Settings)
	}
	region := cmp.Or(s.Region, DefaultRegion)
	iam, err := endpointOf(o, "iam", region, cmp.Or(s.URL, DefaultURL))
	if err != nil {
		return nil, fmt.Errorf("opening %s: url: %w", o.Name, err)
	}
	sts, err := endpointOf(o, "sts", region, cmp.Or(s.STSURL, DefaultSTSURL))
	if err != nil {
		return nil, fmt.Errorf("opening %s: sts_url: %w", o.Name, err)
	}
	p := &provider{
		api:    api{iam: iam, sts: sts, own: func() (sigv4.Key, error) { return ownKey(o) }},
		timing: providers.Timing{Deadline: iam.client.Deadline(), Propagation: cmp.Or(o.Propagation, DefaultPropagation)},
	}
	return p, nil
}

func endpointOf(o providers.Opening, service, region, address string) (endpoint, error) {
	address = strings.TrimRight(address, "/")
	client, err := httpapi.New(httpapi.Config{
		Provider: o.Name, Base: address, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	})
	return endpoint{client: client, address: address + "/", scope: sigv4.Scope{Service: service, Region: region}, now: o.Wall()}, err
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

// Inspect implements providers.Provider.
func (p *provider) Inspect(ctx context.Context, t providers.Target) (providers.Snapshot, error) {
	return p.look(ctx, "inspect", t.Ref[refUser])
}

// look lists the keys of a user. One that was switched off is listed as well: it takes one of the two places.
func (p *provider) look(ctx context.Context, operation, name string) (providers.Snapshot, error) {
	keys, at, err := p.api.keys(ctx, operation, name)
	if err != nil {
		return providers.Snapshot{}, err
	}
	list := make([]credential.Secret, 0, len(keys))
	for _, k := range keys {
		secret := k.secret()
		if secret.LastUse, err = p.api.lastUse(ctx, operation, k.ID); err != nil {
			return providers.Snapshot{}, err
		}
		list = append(list, secret)
	}
	slices.SortStableFunc(list, func(a, b credential.Secret) int { return b.Start.Compare(a.Start) })
	return providers.Snapshot{
		Caps: credential.Capabilities{
			Mode: credential.ModeTwoSlot, Reason: "a user has up to two access keys, each with an id", StartReadable: true, Slots: slots,
		},
		Secrets: list, Time: at,
	}, nil
}

var errProposed = errors.New("AWS makes its access keys itself")

// Create implements providers.Provider.
func (p *provider) Create(ctx context.Context, t providers.Target, r providers.Request) (providers.Issued, error) {
	if len(r.Proposed) > 0 {
		return providers.Issued{}, p.api.fault("create", providers.ClassUnsupported, errProposed)
	}
	resp, err := p.api.create(ctx, t.Ref[refUser])
	if providers.ClassOf(err) == providers.ClassNotUnderstood {
		return providers.Issued{Raw: resp.Raw()}, err
	}
	if err != nil {
		return providers.Issued{}, err
	}
	issued, err := issuedIn(resp.Raw())
	if err != nil {
		return providers.Issued{Raw: resp.Raw()}, resp.Failed(providers.ClassNotUnderstood, err)
	}
	return issued, nil
}

// Decode implements providers.Decoder.
func (p *provider) Decode(_ providers.Target, raw credential.Sensitive) (providers.Issued, error) {
	issued, err := issuedIn(raw)
	if err != nil {
		return providers.Issued{}, p.api.fault("decode", providers.ClassNotUnderstood, err)
	}
	return issued, nil
}

// Verify implements providers.Provider.
func (p *provider) Verify(ctx context.Context, _ providers.Target, b credential.Bundle) (providers.Answer, error) {
	return p.api.prove(ctx, sigv4.Key{ID: b[credential.FieldAccessKeyID].Reveal(), Secret: b[FieldSecretAccessKey]})
}

// Revoke implements providers.Revoker. A key that is gone, or whose user is, is what was wanted.
func (p *provider) Revoke(ctx context.Context, t providers.Target, id string) error {
	err := p.api.remove(ctx, t.Ref[refUser], id)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	return err
}

// nobody is a user that does not exist.
const nobody = "rotad-asks-for-nobody"

// Check implements providers.Checker. It proves rotad's own key, and asks for the keys of a user that does not exist. That is refused
// to an account whose rights name its users, which is no mistake.
func (p *provider) Check(ctx context.Context) []providers.Finding {
	if _, err := p.api.whoAmI(ctx, "check"); err != nil {
		return []providers.Finding{{
			Problem: true, What: err.Error(),
			Hint: "is credentials_file that of an active key, are the addresses and the region of one partition, and is this machine's clock right?",
		}}
	}
	_, _, err := p.api.keys(ctx, "check", nobody)
	switch providers.ClassOf(err) {
	case "", providers.ClassNotFound:
		return nil
	case providers.ClassAuth:
		return []providers.Finding{{
			What: "rotad's key is accepted, and may not look at the keys of every user: " + err.Error(),
			Hint: "fine where its policy names the users that rotad rotates; the first look at each shows the rest",
		}}
	default:
		return []providers.Finding{{Problem: true, What: err.Error(), Hint: "is the url that of IAM?"}}
	}
}

// instead is how a workload comes to AWS without a key of its own (docs.aws.amazon.com/IAM: identity providers and federation).
func instead() []providers.Instead {
	return []providers.Instead{{
		Method: providers.InsteadFederation, How: "a role in place of the user: AssumeRoleWithWebIdentity with the token of where the workload runs, or IAM Roles Anywhere",
	}}
}
