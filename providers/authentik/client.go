package authentik

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Paths below the address of the server.
const (
	listPath       = "/api/v3/providers/oauth2/"
	tokenPath      = "/application/o/token/"
	introspectPath = "/application/o/introspect/" // RFC 7662
)

// api is the protocol: which call is made for what.
type api struct{ client *httpapi.Client }

// client is what matters of an OAuth2 provider.
type client struct {
	pk       int
	clientID string
	secret   credential.Sensitive
	time     time.Time // the server's clock; zero = not known
}

// representation is an OAuth2 provider on the wire. It never leaves this file, because it holds a secret in clear.
type representation struct {
	PK       int    `json:"pk"`
	ClientID string `json:"client_id"`
	Type     string `json:"client_type"` // confidential | public
	Secret   string `json:"client_secret"`
}

var (
	errUnknown = errors.New("no OAuth2 provider with this client_id exists or may be seen")
	errPublic  = errors.New("the client is public, so it has no secret that anybody checks")
	errHidden  = errors.New("the answer does not show the secret of this client")
)

// find looks a client up by the client_id that OAuth knows.
func (a api) find(ctx context.Context, operation, clientID string) (client, error) {
	var page struct {
		Results []representation `json:"results"`
	}
	resp, err := a.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: listPath, Query: url.Values{"client_id": {clientID}},
	}, &page)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return client{}, resp.Failed(providers.ClassRejected, errUnknown) // an unknown client is an empty list
	}
	if err != nil {
		return client{}, err
	}
	for _, r := range page.Results {
		if r.ClientID != clientID || clientID == "" || r.PK <= 0 {
			continue
		}
		switch {
		case r.Type == "public":
			return client{}, resp.Failed(providers.ClassUnsupported, errPublic)
		case r.Secret == "":
			return client{}, resp.Failed(providers.ClassAuth, errHidden)
		}
		return client{pk: r.PK, clientID: clientID, secret: credential.NewSensitive(r.Secret), time: resp.Time}, nil
	}
	return client{}, resp.Failed(providers.ClassNotFound, errUnknown)
}

// set replaces the secret. It is the one request of this package that creates, and is sent once.
func (a api) set(ctx context.Context, pk int, value credential.Sensitive) (*httpapi.Response, error) {
	return a.client.Do(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPatch, Path: listPath + strconv.Itoa(pk) + "/",
		JSON: map[string]string{"client_secret": value.Reveal()}, Mutates: true,
	})
}

// decode reads the answer to an update: the whole provider.
func decode(raw credential.Sensitive, clientID string) (client, error) {
	var r representation
	if err := httpapi.Unmarshal(raw, &r); err != nil {
		return client{}, err
	}
	if r.Secret == "" || clientID == "" || r.ClientID != clientID {
		return client{}, errHidden
	}
	return client{pk: r.PK, clientID: clientID, secret: credential.NewSensitive(r.Secret)}, nil
}

// issued is the secret of a client as rotad knows it. authentik notes no dates, and its secrets never expire.
func (c client) issued() providers.Issued {
	return providers.Issued{
		Secret: credential.Secret{ID: versionID(c.clientID, c.secret), Slot: providers.SlotCurrent, Never: true},
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(c.clientID), credential.FieldClientSecret: c.secret,
		},
	}
}

// versionRounds makes guessing a weak, hand-made secret from its id as slow as it can be without slowing a scan down.
const versionRounds = 4096

// versionID names a secret that has no id: a slow fingerprint, salted with the client, that nobody can turn back.
func versionID(clientID string, value credential.Sensitive) string {
	sum, err := pbkdf2.Key(sha256.New, value.Reveal(), []byte("rotad authentik\x00"+clientID), versionRounds, 8)
	if err != nil { // the length is constant
		return ""
	}
	return "v-" + hex.EncodeToString(sum)
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}
