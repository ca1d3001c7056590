package auth0keys

import (
	"context"
	"crypto"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/keypair"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// publicType is the sort of credentials that are public keys.
const publicType = "public_key"

// api is the protocol: which call is made for what.
type api struct{ client *httpapi.Client }

var (
	errUnknown = errors.New("no application with this client id exists")
	errMethod  = errors.New("the application does not log in with private_key_jwt: switch it over with a first key " +
		"(Applications, the application, Credentials: Private Key JWT), and put that key into Vault")
)

// listedKey is a key as Auth0 lists it.
type listedKey struct {
	ID      string    `json:"id"` // of Auth0's own, by which it is deleted
	Name    string    `json:"name"`
	KeyID   string    `json:"kid"`
	Type    string    `json:"credential_type"`
	Created time.Time `json:"created_at"`
	Expires time.Time `json:"expires_at"` // zero = never
}

// secret is named by the kid, which the bundle has as well.
func (k listedKey) secret() credential.Secret {
	return credential.Secret{ID: k.KeyID, Label: k.Name, Start: k.Created.UTC(), Expires: k.Expires.UTC(), Never: k.Expires.IsZero()}
}

// unfinished says whether rotad has uploaded the key and died before it was taken into use: nobody can log in with it.
func (k listedKey) unfinished(used []string) bool {
	_, _, ours := credential.ParseLabel(k.Name)
	return ours && !slices.Contains(used, k.ID)
}

func find(keys []listedKey, kid string) (listedKey, bool) {
	i := slices.IndexFunc(keys, func(k listedKey) bool { return k.KeyID == kid })
	if i < 0 {
		return listedKey{}, false
	}
	return keys[i], true
}

// upload is the body of the request that adds a public key.
type upload struct {
	Type    string `json:"credential_type"`
	Name    string `json:"name,omitempty"`
	PEM     string `json:"pem"`
	Alg     string `json:"alg"`
	KeyID   string `json:"kid"`
	Expires string `json:"expires_at,omitempty"` // RFC 3339; empty = never
}

func publicKey(signer crypto.Signer, algorithm keypair.Algorithm, r providers.Request) (upload, error) {
	kid, err := keypair.Thumbprint(signer.Public())
	if err != nil {
		return upload{}, err
	}
	text, err := keypair.PublicPEM(signer.Public())
	out := upload{Type: publicType, Name: r.Label, PEM: text, Alg: string(algorithm), KeyID: kid}
	if !r.Expires.IsZero() {
		out.Expires = r.Expires.UTC().Format(time.RFC3339)
	}
	return out, err
}

func clientPath(id string, more ...string) string {
	return httpapi.Path(append([]string{"api", "v2", "clients", id}, more...)...)
}

// keys lists the public keys of an application, with the server's clock.
func (a api) keys(ctx context.Context, operation, id string) ([]listedKey, time.Time, error) {
	if id == "" {
		return nil, time.Time{}, a.fault(operation, providers.ClassNotFound, errUnknown)
	}
	var all []listedKey
	resp, err := a.client.Into(ctx, httpapi.Request{Operation: operation, Method: http.MethodGet, Path: clientPath(id, "credentials")}, &all)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil, time.Time{}, resp.Failed(providers.ClassNotFound, errUnknown)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	if all == nil || slices.ContainsFunc(all, func(k listedKey) bool { return k.ID == "" || k.Type == publicType && k.KeyID == "" }) {
		return nil, time.Time{}, resp.Missing("a list of credentials with id and kid")
	}
	all = slices.DeleteFunc(all, func(k listedKey) bool { return k.Type != publicType })
	return all, resp.Time, nil
}

// named is a credential by its id, as an application refers to it.
type named struct {
	ID string `json:"id"`
}

// application is the part of an application that says how it logs in.
type application struct {
	ClientID string `json:"client_id,omitempty"`
	Methods  struct {
		Keys *struct {
			Credentials []named `json:"credentials"`
		} `json:"private_key_jwt"`
	} `json:"client_authentication_methods"`
}

// inUse returns the ids of the credentials that an application logs in with.
func (a api) inUse(ctx context.Context, operation, id string) ([]string, error) {
	if id == "" {
		return nil, a.fault(operation, providers.ClassNotFound, errUnknown)
	}
	var app application
	resp, err := a.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: clientPath(id),
		Query: url.Values{"fields": {"client_id,client_authentication_methods"}, "include_fields": {"true"}},
	}, &app)
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound:
		return nil, resp.Failed(providers.ClassNotFound, errUnknown)
	case err != nil:
		return nil, err
	case app.ClientID != id:
		return nil, resp.Missing("client_id")
	case app.Methods.Keys == nil:
		return nil, resp.Failed(providers.ClassUnsupported, errMethod)
	}
	ids := make([]string, 0, slots)
	for _, one := range app.Methods.Keys.Credentials {
		ids = append(ids, one.ID)
	}
	return ids, nil
}

// upload adds a public key. The application does not log in with it yet.
func (a api) upload(ctx context.Context, id string, key upload) (listedKey, error) {
	var made listedKey
	resp, err := a.client.Into(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: clientPath(id, "credentials"), JSON: key, Mutates: true,
	}, &made)
	if err == nil && (made.ID == "" || made.KeyID != key.KeyID) {
		err = resp.Missing("id and kid")
	}
	return made, err
}

// use says which credentials an application logs in with. Auth0 takes the whole list.
func (a api) use(ctx context.Context, operation, id string, ids []string) (*httpapi.Response, error) {
	list := make([]named, 0, len(ids))
	for _, one := range ids {
		list = append(list, named{one})
	}
	var app application
	resp, err := a.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPatch, Path: clientPath(id), Mutates: true,
		JSON: map[string]any{"client_authentication_methods": map[string]any{"private_key_jwt": map[string]any{"credentials": list}}},
	}, &app)
	if err == nil && app.ClientID != id {
		err = resp.Missing("client_id")
	}
	return resp, err
}

// remove deletes a credential that is not in use. One that is gone already is what was wanted.
func (a api) remove(ctx context.Context, operation, id, key string) error {
	_, err := a.client.Do(ctx, httpapi.Request{Operation: operation, Method: http.MethodDelete, Path: clientPath(id, "credentials", key), Mutates: true})
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	return err
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}

// answer reads a reply of the token endpoint: a proof that is refused is access_denied or invalid_client with 401. access_denied with 403 is
// about the audience, and proves nothing.
func answer(r httpapi.VerifyReply) (providers.Answer, bool) {
	switch {
	case r.Status == http.StatusUnauthorized && (r.Code == "access_denied" || r.Code == "invalid_client"):
		return providers.Refused, true
	case r.Code == "access_denied":
		return providers.Unknown, true
	}
	return providers.Unknown, false
}
