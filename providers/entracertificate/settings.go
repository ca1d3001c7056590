package entracertificate

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

const (
	// Name of the kind.
	Name = "entra-certificate"
	// FieldCertificate is the field of a bundle that holds the certificate, in PEM.
	FieldCertificate = "certificate"

	// defaultLife is how long a certificate is good for.
	defaultLife = 365 * 24 * time.Hour
	// defaultPropagation is how long some replicas may not know a new certificate. Seconds are usual for passwords; two minutes have
	// been seen.
	defaultPropagation = 2 * time.Minute
	// defaultVerifyScope asks for a token for the application itself: that needs no right at any other application.
	defaultVerifyScope = "{client_id}/.default"
)

// Settings are the block of a provider of this kind.
type Settings struct {
	TenantID         string        `yaml:"tenant_id" required:"true" doc:"Directory (tenant) id."`
	ClientID         string        `yaml:"client_id" required:"true" doc:"Application (client) id of rotad's own application."`
	ClientSecretFile string        `yaml:"client_secret_file" required:"true" doc:"File with the secret of rotad's own application; read again for every login."`
	ClientSecretEnv  string        `yaml:"client_secret_env" doc:"The same from an environment variable."`
	GraphURL         string        `yaml:"graph_url" default:"https://graph.microsoft.com/v1.0" format:"url" doc:"Microsoft Graph, with its version."`
	LoginURL         string        `yaml:"login_url" default:"https://login.microsoftonline.com" format:"url" doc:"Token service, without the tenant."`
	VerifyScope      string        `yaml:"verify_scope" default:"{client_id}/.default" doc:"Scope asked for when a key is proved; {client_id} stands for the client's own id."`
	Life             time.Duration `yaml:"life" default:"365d" doc:"How long a new certificate is good for; a policy's lifetime may end it earlier."`
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if scope := cmp.Or(s.VerifyScope, defaultVerifyScope); !strings.HasSuffix(scope, "/.default") {
		report("verify_scope", "is no scope for client credentials", "it ends in /.default")
	}
	if s.Life < 0 {
		report("life", "is negative", "")
	}
}

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     Name,
		Summary:  "Microsoft Entra ID: certificates of an application, side by side; rotad makes the keys",
		Modes:    []string{string(credential.ModeKeySet)},
		Fields:   []string{credential.FieldClientID, credential.FieldKeyID, credential.FieldPrivateKey, FieldCertificate},
		Ref:      []string{graph.RefApp},
		Rights:   "application permission Application.ReadWrite.OwnedBy, and ownership of each application",
		Traits:   providers.Traits{Value: providers.ChosenByRotad, Live: "many", Lists: true, Revokes: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

var errSettings = errors.New("the settings are not those of this kind")

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	c, err := graph.Open(o, graph.Tenant{ID: s.TenantID, ClientID: s.ClientID, GraphURL: s.GraphURL, LoginURL: s.LoginURL})
	if err != nil {
		return nil, err
	}
	return &provider{
		client: c.Graph, audience: c.URL, scope: cmp.Or(s.VerifyScope, defaultVerifyScope), life: cmp.Or(s.Life, defaultLife), now: o.Wall(),
		rights: graph.Rights{Graph: c.Graph, Tokens: c.Tokens, Own: s.ClientID, Keeps: "certificates"},
		verify: httpapi.Verifier{Client: c.Login, Token: c.Path},
		timing: providers.Timing{Deadline: c.Graph.Deadline(), Propagation: cmp.Or(o.Propagation, defaultPropagation)},
	}, nil
}
