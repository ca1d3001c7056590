package awscognito

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sigv4"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Of the JSON protocol of AWS.
const (
	jsonType     = "application/x-amz-json-1.1"
	headerTarget = "X-Amz-Target"
	service      = "AWSCognitoIdentityProviderService."
)

// api is the protocol: which call is made for what.
type api struct {
	client  *httpapi.Client
	address string // as it is signed
	pool    string
	scope   sigv4.Scope
	now     func() time.Time
	own     func() (sigv4.Key, error)
}

// ask sends one request, signed with rotad's own key.
func (a api) ask(ctx context.Context, operation, action string, about map[string]any, mutates bool) (*httpapi.Response, error) {
	k, err := a.own()
	if err != nil {
		return nil, a.fault(operation, providers.ClassAuth, err)
	}
	about["UserPoolId"] = a.pool
	body, err := json.Marshal(about)
	if err != nil {
		return nil, a.fault(operation, providers.ClassRejected, errUnknown)
	}
	header := http.Header{"Content-Type": {jsonType}, headerTarget: {service + action}}
	if header, err = sigv4.Sign(ctx, k, a.scope, a.now(), http.MethodPost, a.address, header, string(body)); err != nil {
		return nil, a.fault(operation, providers.ClassRejected, err)
	}
	resp, err := a.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPost, Path: "/", Header: header, Body: body, Mutates: mutates,
	})
	if class, cause := meaning(resp, err); cause != nil {
		return resp, resp.Failed(class, cause)
	}
	return resp, err
}

var (
	errUnknown  = errors.New("there is no such user pool, or no such app client in it")
	errNoSecret = errors.New("the reply shows no secret with its id")
	errEndless  = errors.New("the list of secrets does not end")
	errDenied   = errors.New("AWS says AccessDeniedException")
	errClock    = errors.New("AWS says that the signature comes too late or too early: is this machine's clock right?")
)

// descriptor is a secret as Cognito shows it.
type descriptor struct {
	ID      string   `json:"ClientSecretId"`
	Value   string   `json:"ClientSecretValue"` // in the answer to a create only
	Created *float64 `json:"ClientSecretCreateDate"`
}

// secret is what is known of it. Cognito's secrets never expire.
func (d descriptor) secret() credential.Secret {
	s := credential.Secret{ID: d.ID, Never: true}
	const last = 1 << 40 // seconds, far beyond any date that means something
	if d.Created != nil && *d.Created > 0 && *d.Created < last {
		whole, part := math.Modf(*d.Created)
		s.Start = time.Unix(int64(whole), int64(part*1e3)*1e6).UTC() // thousandths are what AWS keeps
	}
	return s
}

// maxPages bounds how many pages are asked for. An app client has two secrets, so one is enough, and a server that always names another is
// not followed for ever.
const maxPages = 10

// secrets lists the secrets of an app client, with the server's clock.
func (a api) secrets(ctx context.Context, operation, clientID string) (all []credential.Secret, at time.Time, err error) {
	if clientID == "" {
		return nil, at, a.fault(operation, providers.ClassNotFound, errUnknown)
	}
	about := map[string]any{"ClientId": clientID}
	for range maxPages {
		var page struct {
			Secrets *[]descriptor `json:"ClientSecrets"`
			Next    string        `json:"NextToken"`
		}
		resp, err := a.ask(ctx, operation, "ListUserPoolClientSecrets", about, false)
		if err != nil {
			return nil, at, err
		}
		if httpapi.Unmarshal(resp.Raw(), &page) != nil || page.Secrets == nil { // the type of the answer is one of AWS's own
			return nil, at, resp.Missing("ClientSecrets")
		}
		for _, d := range *page.Secrets {
			if d.ID == "" {
				return nil, at, resp.Missing("ClientSecretId")
			}
			all = append(all, d.secret())
		}
		if page.Next == "" {
			return all, resp.Time, nil
		}
		about["NextToken"] = page.Next
	}
	return nil, at, a.fault(operation, providers.ClassUnavailable, errEndless)
}

// add makes a secret. It is the one request of this package that creates, and is sent once.
func (a api) add(ctx context.Context, clientID string) (*httpapi.Response, error) {
	if clientID == "" {
		return nil, a.fault("create", providers.ClassNotFound, errUnknown)
	}
	return a.ask(ctx, "create", "AddUserPoolClientSecret", map[string]any{"ClientId": clientID}, true)
}

func (a api) remove(ctx context.Context, clientID, id string) error {
	if clientID == "" || id == "" {
		return a.fault("revoke", providers.ClassRejected, errNoSecret)
	}
	_, err := a.ask(ctx, "revoke", "DeleteUserPoolClientSecret", map[string]any{"ClientId": clientID, "ClientSecretId": id}, true)
	return err
}

// issuedIn reads the answer to a create.
func issuedIn(raw credential.Sensitive, clientID string) (providers.Issued, error) {
	var made struct {
		Secret descriptor `json:"ClientSecretDescriptor"`
	}
	if err := httpapi.Unmarshal(raw, &made); err != nil {
		return providers.Issued{}, err
	}
	if made.Secret.ID == "" || made.Secret.Value == "" || clientID == "" {
		return providers.Issued{}, errNoSecret
	}
	return providers.Issued{
		Secret: made.Secret.secret(),
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(clientID), credential.FieldClientSecret: credential.NewSensitive(made.Secret.Value),
		},
	}, nil
}

// failure is what AWS says when it refuses.
type failure struct {
	Type    string `json:"__type"`  // may have a name space before a "#"
	Message string `json:"message"` // compared, never printed
}

// meaning says what a refusal means where its status, which is nearly always 400, does not say so. The words are of a closed set: none
// comes from the reply.
func meaning(resp *httpapi.Response, err error) (providers.Class, error) {
	var f failure
	if err == nil || resp == nil || resp.Status/100 != 4 || httpapi.Unmarshal(resp.Raw(), &f) != nil {
		return "", nil
	}
	code := f.Type[strings.LastIndex(f.Type, "#")+1:]
	class, known := codes()[code]
	switch {
	case !known:
		return "", nil
	case code == "InvalidSignatureException" && strings.HasPrefix(f.Message, "Signature"): // expired, not yet current
		return providers.ClassAuth, errClock
	}
	if code == "AccessDeniedException" {
		return class, errDenied
	}
	return class, errors.New("AWS says " + code) //nolint:err113 // one of the codes below
}

// codes are those that say more than their status.
func codes() map[string]providers.Class {
	return map[string]providers.Class{
		"LimitExceededException":    providers.ClassQuota,
		"ResourceNotFoundException": providers.ClassNotFound,
		"TooManyRequestsException":  providers.ClassThrottled, "ThrottlingException": providers.ClassThrottled,
		"ConcurrentModificationException": providers.ClassConflict,
		"InvalidParameterException":       providers.ClassRejected,
		"NotAuthorizedException":          providers.ClassAuth, "AccessDeniedException": providers.ClassAuth,
		"UnrecognizedClientException": providers.ClassAuth, "InvalidSignatureException": providers.ClassAuth, "IncompleteSignatureException": providers.ClassAuth,
		"MissingAuthenticationTokenException": providers.ClassAuth, "ExpiredTokenException": providers.ClassAuth,
	}
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}
