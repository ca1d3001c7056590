package graph

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Addresses of the worldwide cloud; the national clouds have others.
const (
	DefaultGraphURL = "https://graph.microsoft.com/v1.0"
	DefaultLoginURL = "https://login.microsoftonline.com"
)

// Tenant is where a tenant is, and who rotad is in it. Its secret is the secret setting "client_secret".
type Tenant struct {
	ID       string
	ClientID string // of rotad's own application
	GraphURL string // empty = DefaultGraphURL
	LoginURL string // empty = DefaultLoginURL
}

// Clients are what a tenant is spoken to with.
type Clients struct {
	Graph  *httpapi.Client
	Config httpapi.Config  // that Graph was made of, for another one with other limits
	Tokens *httpapi.Tokens // of rotad's own application, for Graph
	Login  *httpapi.Client // to the token service, anonymously
	Path   string          // of the tenant's token endpoint
	URL    string          // of that endpoint, whole
}

var errTenant = errors.New("tenant_id and client_id are required")

// Address returns a configured address without a slash at its end, or the usual one.
func Address(configured, usual string) string {
	if configured == "" {
		return usual
	}
	return strings.TrimRight(configured, "/")
}

// Open returns the clients of a tenant. Nothing is sent.
func Open(o providers.Opening, t Tenant) (Clients, error) {
	if t.ID == "" || t.ClientID == "" {
		return Clients{}, errTenant
	}
	loginURL, graphURL := Address(t.LoginURL, DefaultLoginURL), Address(t.GraphURL, DefaultGraphURL)
	login, err := httpapi.New(config(o, loginURL))
	if err != nil {
		return Clients{}, fmt.Errorf("login_url: %w", err)
	}
	origin, _, err := httpapi.Split(graphURL)
	if err != nil {
		return Clients{}, fmt.Errorf("graph_url: %w", err)
	}
	c := Clients{Login: login, Path: httpapi.Path(t.ID, "oauth2", "v2.0", "token"), Config: config(o, graphURL)}
	c.URL = loginURL + c.Path
	c.Config.Classify = Classify
	c.Tokens = httpapi.NewTokens(httpapi.ClientCredentials{
		Client: login, Path: c.Path, ClientID: t.ClientID, Auth: "post",
		Scope:  origin + "/.default", // everything that has been granted at this Graph
		Secret: func() (string, error) { return o.Secret("client_secret") },
	}.Login, o.Elapsed)
	c.Config.Tokens = c.Tokens
	if c.Graph, err = httpapi.New(c.Config); err != nil {
		return Clients{}, fmt.Errorf("graph_url: %w", err)
	}
	return c, nil
}

func config(o providers.Opening, base string) httpapi.Config {
	return httpapi.Config{
		Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline,
	}
}
