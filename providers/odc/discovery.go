package odc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// discoveryPath is where ODC says where its token endpoint is. It is asked, never guessed: an organisation has a realm of
// its own, and another one refuses every secret with invalid_client.
const discoveryPath = "/identity/.well-known/openid-configuration"

// keepEndpoint is how long a discovered endpoint is used.
const keepEndpoint = time.Hour

// tokenEndpoint is a token endpoint and the client that speaks to its server.
type tokenEndpoint struct {
	client  *httpapi.Client
	path    string
	address string
}

// discovery finds the token endpoint (OpenID Connect Discovery 1.0 section 4) and remembers it for a while.
type discovery struct {
	client  *httpapi.Client // of the organisation, anonymous
	secure  bool            // the organisation is asked by https, so its token endpoint has to be, too
	connect func(origin string) (*httpapi.Client, error)
	elapsed func() time.Duration

	mu    sync.Mutex
	last  tokenEndpoint
	until time.Duration // on elapsed
}

// get returns the token endpoint; fresh says that it was not taken from memory.
func (d *discovery) get(ctx context.Context, operation string) (at tokenEndpoint, fresh bool, err error) {
	d.mu.Lock()
	at, known := d.last, d.elapsed() < d.until
	d.mu.Unlock()
	if known {
		return at, false, nil
	}
	at, err = d.discover(ctx, operation)
	return at, true, err
}

// discover asks anew.
func (d *discovery) discover(ctx context.Context, operation string) (tokenEndpoint, error) {
	var found struct {
		TokenEndpoint string `json:"token_endpoint"`
	}
	resp, err := d.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: discoveryPath, Anonymous: true,
	}, &found)
	if err != nil {
		return tokenEndpoint{}, wrongPlace(err)
	}
	at, err := d.endpoint(found.TokenEndpoint)
	if err != nil {
		return tokenEndpoint{}, resp.Failed(providers.ClassRejected, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last, d.until = at, d.elapsed()+keepEndpoint
	return at, nil
}

var (
	errNoDiscovery = errors.New("the organisation does not tell its token endpoint at " + discoveryPath + "; is url its address?")
	errNoEndpoint  = errors.New("the discovery document names no usable token_endpoint")
	errInsecure    = errors.New("the discovery document names a token_endpoint without https; no secret is sent there")
)

// wrongPlace explains a 404: it is about the address that was configured, never about a client.
func wrongPlace(err error) error {
	if providers.ClassOf(err) == providers.ClassNotFound {
		return because(err, providers.ClassRejected, errNoDiscovery)
	}
	return err
}

func (d *discovery) endpoint(address string) (tokenEndpoint, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
		return tokenEndpoint{}, errNoEndpoint
	case d.secure && u.Scheme != "https":
		return tokenEndpoint{}, errInsecure
	}
	origin, path, err := httpapi.Split(address)
	if err != nil {
		return tokenEndpoint{}, errNoEndpoint
	}
	client, err := d.connect(origin)
	if err != nil {
		return tokenEndpoint{}, errNoEndpoint
	}
	return tokenEndpoint{client: client, path: path, address: address}, nil
}
