package dcr

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api speaks to the client configuration endpoints of one server (RFC 7592 section 2).
type api struct {
	http     *httpapi.Client // its base is the server alone, without a path
	url      string          // of the registration endpoint
	endpoint string          // its path
}

// key opens one client's registration. It comes from Vault, and goes back there when the server replaces it.
type key struct {
	clientID string
	token    credential.Sensitive
	uri      string               // as Vault holds it; empty = the server has never said it
	secret   credential.Sensitive // that Vault holds beside it; empty = none
}

// renewed returns the key as a reply leaves it.
func (k key) renewed(r registration) key {
	if !r.token.Empty() {
		k.token = r.token
	}
	if r.uri != "" {
		k.uri = r.uri
	}
	return k
}

// What stands in errors for a person, and what to do.
var (
	errToken = errors.New("the server refuses the registration access token that Vault holds: the client was deleted there, or the token " +
		"was replaced. If the answer to an update was lost, the new token is lost with it, and perhaps a new secret. Have the server's " +
		"administrator make a new token for this client and write it to registration_access_token in Vault; rotad then goes on by " +
		"itself, and reads the secret back where the server shows it")
	errForbidden = errors.New("the server does not let this client manage its registration (it may be a static one)")
	errNoUpdate  = errors.New("the server knows no such request: it may offer registration without management (RFC 7591 without RFC 7592)")
	errNowhere   = errors.New("nothing is registered at this address: the client was deleted, or url or registration_client_uri is wrong")
	errElsewhere = errors.New("registration_client_uri in Vault names another server than url, so nothing was sent there: " +
		"correct it, or delete it from Vault if the registration is at url/client_id")
	errOther     = errors.New("the registration at this address is that of another client: correct registration_client_uri in Vault")
	errReplacing = errors.New("the server replaces the registration access token with every read, so looking at this client takes its key " +
		"away: a new token has to be made by hand, and rotad cannot look after clients of this server (kind: manual can)")
)

// request builds a request for a client's own registration.
func (a api) request(operation, method string, k key) (httpapi.Request, error) {
	path := a.endpoint + httpapi.Path(k.clientID)
	if k.uri != "" {
		var err error
		if path, err = a.path(k.uri); err != nil {
			return httpapi.Request{}, a.fault(operation, providers.ClassRejected, err)
		}
	}
	return httpapi.Request{
		Operation: operation, Method: method, Path: path, Header: http.Header{"Authorization": {"Bearer " + k.token.Reveal()}},
	}, nil
}

// path returns where a registration is at the configured server. It may be a path of any form, or a query (RFC 7592
// appendix B).
func (a api) path(address string) (string, error) {
	own, err := url.Parse(address)
	configured, bad := url.Parse(a.url)
	if err != nil || bad != nil || own.User != nil || !strings.EqualFold(own.Scheme, configured.Scheme) || !strings.EqualFold(own.Host, configured.Host) {
		return "", errElsewhere
	}
	if own.RawQuery != "" {
		return own.EscapedPath() + "?" + own.RawQuery, nil
	}
	return own.EscapedPath(), nil
}

// read reads a registration, and makes sure that it is the client's and that its key still is one.
func (a api) read(ctx context.Context, operation string, k key) (registration, error) {
	got, resp, err := a.readOnce(ctx, operation, k)
	if err != nil || got.token.Empty() || got.token.Equal(k.token) {
		return got, err
	}
	// Another token came with it. Some servers sign the same one anew, some replace it: the old one tells.
	if _, _, err = a.readOnce(ctx, operation, k); providers.ClassOf(err) == providers.ClassAuth {
		return registration{}, resp.Failed(providers.ClassAuth, errReplacing)
	}
	return got, nil
}

func (a api) readOnce(ctx context.Context, operation string, k key) (registration, *httpapi.Response, error) {
	r, err := a.request(operation, http.MethodGet, k)
	if err != nil {
		return registration{}, nil, err
	}
	resp, err := a.http.Do(ctx, r)
	if err != nil {
		return registration{}, resp, explained(resp, err)
	}
	got, err := a.decode(resp, providers.ClassUnavailable)
	if err != nil {
		return registration{}, resp, err
	}
	if got.clientID != k.clientID {
		return registration{}, resp, resp.Failed(providers.ClassRejected, errOther)
	}
	return got, resp, nil
}

// update sends a registration back. It is the one request of this package that creates, and is sent once.
func (a api) update(ctx context.Context, k key, metadata any) (*httpapi.Response, error) {
	r, err := a.request("create", http.MethodPut, k)
	if err != nil {
		return nil, err
	}
	r.JSON, r.Mutates = metadata, true
	resp, err := a.http.Do(ctx, r)
	return resp, explained(resp, err)
}

// decode reads a reply that arrived whole. Class is that of one that cannot be read.
func (a api) decode(resp *httpapi.Response, class providers.Class) (registration, error) {
	var object map[string]any
	if err := resp.Decode(&object); err != nil { // it knows what is no answer of an API
		return registration{}, err
	}
	got, err := parse(resp.Raw())
	if err != nil {
		return registration{}, resp.Failed(class, err)
	}
	got.time = resp.Time
	return a.trusted(got), nil
}

// trusted forgets an address at another server than the configured one: behind a careless proxy a server may name itself
// by an inner name, and the next key must not be sent to whoever a reply names.
func (a api) trusted(r registration) registration {
	if _, err := a.path(r.uri); err != nil {
		r.uri = ""
	}
	return r
}

// explained says what a refusal means here. RFC 7592 answers an unknown client like a wrong token.
func explained(resp *httpapi.Response, err error) error {
	if resp == nil || err == nil {
		return err
	}
	class := providers.ClassOf(err)
	switch {
	case class == providers.ClassAuth && resp.Status == http.StatusUnauthorized:
		return resp.Failed(class, errToken)
	case class == providers.ClassAuth:
		return resp.Failed(class, errForbidden)
	case class == providers.ClassNotFound:
		return resp.Failed(class, errNowhere)
	case class == providers.ClassUnsupported:
		return resp.Failed(class, errNoUpdate)
	}
	return err
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.http.Provider(), Operation: operation, Err: cause}
}
