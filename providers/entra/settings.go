package entra

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Addresses of the worldwide cloud; the national clouds have others.
const (
	defaultGraphURL = "https://graph.microsoft.com/v1.0"
	defaultLoginURL = "https://login.microsoftonline.com"
)

// defaultVerifyScope asks for a token for the application itself: that needs no right at any other application.
const defaultVerifyScope = "{client_id}/.default"

// defaultPropagation is how long a new password may be refused by some replicas. Seconds are usual; two minutes have
// been seen.
const defaultPropagation = 2 * time.Minute

// Settings are the block of a provider of this kind.
type Settings struct {
	TenantID         string `yaml:"tenant_id" required:"true" doc:"Directory (tenant) id."`
	ClientID         string `yaml:"client_id" required:"true" doc:"Application (client) id of rotad's own application."`
	ClientSecretFile string `yaml:"client_secret_file" required:"true" doc:"File with the secret of rotad's own application; read again for every login."`
	ClientSecretEnv  string `yaml:"client_secret_env" doc:"The same from an environment variable."`
	GraphURL         string `yaml:"graph_url" default:"https://graph.microsoft.com/v1.0" format:"url" doc:"Microsoft Graph, with its version."`
	LoginURL         string `yaml:"login_url" default:"https://login.microsoftonline.com" format:"url" doc:"Token service, without the tenant."`
	VerifyScope      string `yaml:"verify_scope" default:"{client_id}/.default" doc:"Scope asked for when a secret is proved; {client_id} stands for the client's own id."`
}

// withDefaults fills what an empty setting means, for callers that decode no tags.
func (s Settings) withDefaults() Settings {
	or := func(value, usual string) string {
		if value == "" {
			return usual
		}
		return strings.TrimRight(value, "/")
	}
	s.GraphURL = or(s.GraphURL, defaultGraphURL)
	s.LoginURL = or(s.LoginURL, defaultLoginURL)
	s.VerifyScope = or(s.VerifyScope, defaultVerifyScope)
	return s
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if scope := s.withDefaults().VerifyScope; !strings.HasSuffix(scope, "/.default") {
		report("verify_scope", "is no scope for client credentials", "it ends in /.default")
	}
}

var (
	errSettings = errors.New("the settings are not those of this kind")
	errTenant   = errors.New("tenant_id and client_id are required")
)

func open(o providers.Opening) (providers.Provider, error) {
	given, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	s := given.withDefaults()
	if s.TenantID == "" || s.ClientID == "" {
		return nil, errTenant
	}
	login, err := httpapi.New(config(o, s.LoginURL))
	if err != nil {
		return nil, fmt.Errorf("login_url: %w", err)
	}
	path := httpapi.Path(s.TenantID, "oauth2", "v2.0", "token")
	scope, err := graphScope(s.GraphURL)
	if err != nil {
		return nil, fmt.Errorf("graph_url: %w", err)
	}
	graph := config(o, s.GraphURL)
	graph.Classify = classify
	graph.Tokens = httpapi.NewTokens(httpapi.ClientCredentials{
		Client: login, Path: path, ClientID: s.ClientID, Scope: scope, Auth: "post",
		Secret: func() (string, error) { return o.Secret("client_secret") },
	}.Login, o.Elapsed)
	client, err := httpapi.New(graph)
	if err != nil {
		return nil, fmt.Errorf("graph_url: %w", err)
	}
	graph.Limit, graph.Timeout = pageLimit, listTimeout
	pages, err := httpapi.New(graph)
	if err != nil {
		return nil, fmt.Errorf("graph_url: %w", err)
	}
	timing := providers.Timing{Deadline: client.Deadline(), Propagation: o.Propagation}
	if timing.Propagation == 0 {
		timing.Propagation = defaultPropagation
	}
	return &provider{
		graph: graphAPI{client: client}, graphURL: s.GraphURL, pages: pages, tokens: graph.Tokens, own: s.ClientID, timing: timing,
		scope:  s.VerifyScope,
		verify: httpapi.Verifier{Client: login, Token: path, Auto: credential.VerifyClientCredentials},
	}, nil
}

func config(o providers.Opening, base string) httpapi.Config {
	return httpapi.Config{
		Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	}
}

// graphScope is the scope of rotad's own token: everything that has been granted at this Graph.
func graphScope(graph string) (string, error) {
	origin, _, err := httpapi.Split(graph)
	if err != nil {
		return "", err
	}
	return origin + "/.default", nil
}
