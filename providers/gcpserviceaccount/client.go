package gcpserviceaccount

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/gcp"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api is the protocol of IAM v1 (docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys).
type api struct {
	account *gcp.Account
	project string
}

// key is a key as it is listed, and in the answer to a create with its file.
type key struct {
	Name   string    `json:"name"` // projects/P/serviceAccounts/A/keys/ID
	After  time.Time `json:"validAfterTime"`
	Before time.Time `json:"validBeforeTime"`
	Data   string    `json:"privateKeyData"` // base64 of the credentials file
}

// lastYear is the year in which keys end that do not: Google writes 9999-12-31T23:59:59Z.
const lastYear = 9999

func (k key) secret() credential.Secret {
	s := credential.Secret{ID: path.Base(k.Name), Start: k.After.UTC()}
	switch {
	case k.Before.IsZero() || k.Before.Year() >= lastYear:
		s.Never = true
	default:
		s.Expires = k.Before.UTC()
	}
	return s
}

func (a api) path(account string) string {
	return httpapi.Path("v1", "projects", a.project, "serviceAccounts", account)
}

var errNoAccount = errors.New("the client's ref names no service_account")

// keys lists the keys that people and programs have made; those that Google makes for itself are none of anybody's business.
func (a api) keys(ctx context.Context, operation, account string) (list []credential.Secret, at time.Time, err error) {
	if account == "" {
		return nil, at, a.account.Fault(operation, providers.ClassNotFound, errNoAccount)
	}
	var body struct {
		Keys []key `json:"keys"`
	}
	resp, err := a.account.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: a.path(account) + "/keys", Query: url.Values{"keyTypes": {"USER_MANAGED"}},
	}, &body)
	if err != nil {
		return nil, at, err
	}
	if !listing(resp) {
		return nil, at, resp.Missing("keys")
	}
	list = make([]credential.Secret, 0, len(body.Keys))
	for _, k := range body.Keys {
		if k.Name == "" {
			return nil, at, resp.Missing("name of a key")
		}
		list = append(list, k.secret())
	}
	return list, resp.Time, nil
}

// listing says whether a reply is a list: an empty one is an empty object, and an object that holds anything else is none.
func listing(resp *httpapi.Response) bool {
	var members map[string]any
	if httpapi.Unmarshal(resp.Raw(), &members) != nil || members == nil {
		return false
	}
	_, there := members["keys"]
	return there || len(members) == 0
}

// create makes a key. It is the one request of this package that creates, and is sent once.
func (a api) create(ctx context.Context, account string) (*httpapi.Response, error) {
	if account == "" {
		return nil, a.account.Fault("create", providers.ClassNotFound, errNoAccount)
	}
	return a.account.Do(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: a.path(account) + "/keys", Mutates: true,
		JSON: map[string]string{"privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE", "keyAlgorithm": "KEY_ALG_RSA_2048"},
	})
}

func (a api) remove(ctx context.Context, account, id string) error {
	if account == "" || id == "" {
		return a.account.Fault("revoke", providers.ClassRejected, errNoAccount)
	}
	_, err := a.account.Do(ctx, httpapi.Request{
		Operation: "revoke", Method: http.MethodDelete, Path: a.path(account) + httpapi.Path("keys", id), Mutates: true,
	})
	return err
}

var errNoFile = errors.New("the reply shows no key with its credentials file")

// issuedIn reads the answer to a create. The key is named by its file, which is what consumers get.
func issuedIn(raw credential.Sensitive) (providers.Issued, error) {
	var made key
	if httpapi.Unmarshal(raw, &made) != nil || made.Name == "" {
		return providers.Issued{}, errNoFile
	}
	text, err := base64.StdEncoding.DecodeString(made.Data)
	if err != nil {
		return providers.Issued{}, errNoFile
	}
	file := credential.NewSensitive(string(text))
	k, err := gcp.ParseKey(file)
	secret := made.secret()
	if err != nil || k.ID != secret.ID {
		return providers.Issued{}, errNoFile
	}
	return providers.Issued{
		Secret: secret,
		Bundle: credential.Bundle{credential.FieldKeyID: credential.NewSensitive(k.ID), FieldCredentials: file},
	}, nil
}
