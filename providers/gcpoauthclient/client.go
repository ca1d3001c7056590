package gcpoauthclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/gcp"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api is the protocol of IAM v1 (docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.oauthClients).
type api struct {
	account *gcp.Account
	at      string // path of the collection of OAuth clients
}

// oauthClient is what is read of an OAuth client.
type oauthClient struct {
	Name     string `json:"name"`
	ClientID string `json:"clientId"`
	Type     string `json:"clientType"`
	Title    string `json:"displayName"`
	Disabled bool   `json:"disabled"`
}

// clientPublic is the type of clients without a secret.
const clientPublic = "PUBLIC_CLIENT"

// made is the answer to a create. A look never reads the secret, which Google shows in every answer.
type made struct {
	Name   string `json:"name"`
	Secret string `json:"clientSecret"`
}

var errNoClient = errors.New("the client's ref names no oauth_client")

// client reads an OAuth client.
func (a api) client(ctx context.Context, operation, id string) (oauthClient, time.Time, error) {
	if id == "" {
		return oauthClient{}, time.Time{}, a.account.Fault(operation, providers.ClassNotFound, errNoClient)
	}
	var c oauthClient
	resp, err := a.account.Into(ctx, httpapi.Request{Operation: operation, Method: http.MethodGet, Path: a.at + httpapi.Path(id)}, &c)
	switch {
	case err != nil:
		return oauthClient{}, time.Time{}, err
	case c.ClientID == "":
		return oauthClient{}, time.Time{}, resp.Missing("clientId")
	}
	return c, resp.Time, nil
}

// credentials lists what a client logs in with, disabled ones too.
func (a api) credentials(ctx context.Context, operation, id string) ([]credential.Secret, error) {
	var body struct {
		List []struct {
			Name string `json:"name"`
		} `json:"oauthClientCredentials"`
	}
	resp, err := a.account.Into(ctx, httpapi.Request{Operation: operation, Method: http.MethodGet, Path: a.at + httpapi.Path(id, "credentials")}, &body)
	if err != nil {
		return nil, err
	}
	if body.List == nil && !empty(resp) {
		return nil, resp.Missing("oauthClientCredentials")
	}
	list := make([]credential.Secret, 0, len(body.List))
	for _, one := range body.List {
		if one.Name == "" {
			return nil, resp.Missing("name of a credential")
		}
		list = append(list, secret(one.Name))
	}
	return list, nil
}

// empty says whether a reply is an empty object, which is an empty list: one that holds anything else is no list.
func empty(resp *httpapi.Response) bool {
	var members map[string]any
	return httpapi.Unmarshal(resp.Raw(), &members) == nil && members != nil && len(members) == 0
}

func secret(name string) credential.Secret {
	id := path.Base(name)
	return credential.Secret{ID: id, Label: labelOf(id), Never: true}
}

// displayName is what people see of a credential that rotad made; it has at most 32 characters.
const displayName = "made by rotad"

// create makes a credential of this id. It is the one request of this package that creates, and is sent once.
func (a api) create(ctx context.Context, client, id string) (*httpapi.Response, error) {
	return a.account.Do(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: a.at + httpapi.Path(client, "credentials"), Mutates: true,
		Query: url.Values{"oauthClientCredentialId": {id}}, JSON: map[string]string{"displayName": displayName},
	})
}

// disable is the first half of a revoke. It may be repeated.
func (a api) disable(ctx context.Context, client, id string) error {
	_, err := a.account.Do(ctx, httpapi.Request{
		Operation: "revoke", Method: http.MethodPatch, Path: a.at + httpapi.Path(client, "credentials", id), Mutates: true,
		Query: url.Values{"updateMask": {"disabled"}}, JSON: map[string]bool{"disabled": true},
	})
	return err
}

func (a api) remove(ctx context.Context, client, id string) error {
	_, err := a.account.Do(ctx, httpapi.Request{
		Operation: "revoke", Method: http.MethodDelete, Path: a.at + httpapi.Path(client, "credentials", id), Mutates: true,
	})
	return err
}

// clients reads one page of the OAuth clients of the project.
func (a api) clients(ctx context.Context, operation, cursor string, size int) (page clientPage, at time.Time, err error) {
	query := url.Values{"pageSize": {strconv.Itoa(size)}}
	if cursor != "" {
		query.Set("pageToken", cursor)
	}
	resp, err := a.account.Into(ctx, httpapi.Request{Operation: operation, Method: http.MethodGet, Path: a.at, Query: query}, &page)
	if err != nil {
		return clientPage{}, at, err
	}
	if page.Clients == nil && !empty(resp) { // what is neither a list nor empty must not end a walk
		return clientPage{}, at, resp.Missing("oauthClients")
	}
	for _, c := range page.Clients {
		if c.Name == "" || c.ClientID == "" {
			return clientPage{}, at, resp.Missing("name and clientId")
		}
	}
	return page, resp.Time, nil
}

// clientPage is one reply of the collection.
type clientPage struct {
	Clients []oauthClient `json:"oauthClients"`
	Next    string        `json:"nextPageToken"`
}
