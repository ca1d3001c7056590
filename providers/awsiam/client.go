package awsiam

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sigv4"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Versions of the two APIs.
const (
	iamVersion = "2010-05-08"
	stsVersion = "2011-06-15"
)

// endpoint is where one service is asked.
type endpoint struct {
	client  *httpapi.Client
	address string // as it is signed
	scope   sigv4.Scope
	now     func() time.Time
}

// api is the protocol: which call is made for what.
type api struct {
	iam, sts endpoint
	own      func() (sigv4.Key, error)
}

// call sends one request of the Query protocol, signed with a key.
func (e endpoint) call(ctx context.Context, operation string, k sigv4.Key, form url.Values, mutates bool) (*httpapi.Response, error) {
	const formType = "application/x-www-form-urlencoded"
	header, err := sigv4.Sign(ctx, k, e.scope, e.now(), http.MethodPost, e.address, http.Header{"Content-Type": {formType}}, form.Encode())
	if err != nil {
		return nil, e.fault(operation, providers.ClassRejected, err)
	}
	header.Set("Accept", "text/xml") // where JSON is asked for, some services answer in it
	resp, err := e.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPost, Path: "/", Header: header, Form: form, Mutates: mutates,
	})
	if class, cause := meaning(resp, err); cause != nil {
		return resp, resp.Failed(class, cause)
	}
	return resp, err
}

// ask is call with rotad's own key, to IAM.
func (a api) ask(ctx context.Context, operation, action string, about url.Values, mutates bool) (*httpapi.Response, error) {
	k, err := a.own()
	if err != nil {
		return nil, a.fault(operation, providers.ClassAuth, err)
	}
	about.Set("Action", action)
	about.Set("Version", iamVersion)
	return a.iam.call(ctx, operation, k, about, mutates)
}

// read decodes an answer. Its errors repeat nothing of the text, as those of encoding/xml would.
func read(resp *httpapi.Response, out any) error {
	if xml.Unmarshal([]byte(resp.Raw().Reveal()), out) != nil {
		return resp.Missing("an answer of AWS in XML")
	}
	return nil
}

// key is an access key as IAM shows it.
type key struct {
	ID      string    `xml:"AccessKeyId"`
	Secret  string    `xml:"SecretAccessKey"` // in the answer to a create only
	Created time.Time `xml:"CreateDate"`
}

func (k key) secret() credential.Secret {
	return credential.Secret{ID: k.ID, Start: k.Created.UTC(), Never: true}
}

// maxPages bounds how many pages of keys are asked for. A user has two keys, so one is enough, and a server that always names another
// is not followed for ever.
const maxPages = 10

var errEndless = errors.New("the list of access keys does not end")

// keys lists the access keys of a user, with the server's clock.
func (a api) keys(ctx context.Context, operation, user string) (all []key, at time.Time, err error) {
	if user == "" {
		return nil, at, a.fault(operation, providers.ClassNotFound, errNoUser) // IAM takes none for rotad's own
	}
	about := url.Values{"UserName": {user}}
	for range maxPages {
		var page struct {
			XMLName xml.Name `xml:"ListAccessKeysResponse"`
			Result  struct {
				Keys   []key  `xml:"AccessKeyMetadata>member"`
				More   bool   `xml:"IsTruncated"`
				Marker string `xml:"Marker"`
			} `xml:"ListAccessKeysResult"`
		}
		resp, err := a.ask(ctx, operation, "ListAccessKeys", about, false)
		if err != nil {
			return nil, at, err
		}
		if err = read(resp, &page); err != nil {
			return nil, at, err
		}
		for _, k := range page.Result.Keys {
			if k.ID == "" {
				return nil, at, resp.Missing("AccessKeyId")
			}
			all = append(all, k)
		}
		if !page.Result.More {
			return all, resp.Time, nil
		}
		about.Set("Marker", page.Result.Marker)
	}
	return nil, at, a.fault(operation, providers.ClassUnavailable, errEndless)
}

// lastUse says when a key was used last; zero = never, or rotad may not know.
func (a api) lastUse(ctx context.Context, operation, id string) (time.Time, error) {
	resp, err := a.ask(ctx, operation, "GetAccessKeyLastUsed", url.Values{"AccessKeyId": {id}}, false)
	switch providers.ClassOf(err) {
	case "":
	case providers.ClassAuth, providers.ClassNotFound: // a right that is only useful, or a key that went away meanwhile
		return time.Time{}, nil
	default:
		return time.Time{}, err
	}
	var used struct {
		XMLName xml.Name `xml:"GetAccessKeyLastUsedResponse"`
		At      string   `xml:"GetAccessKeyLastUsedResult>AccessKeyLastUsed>LastUsedDate"`
	}
	if err = read(resp, &used); err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, used.At)
	if err != nil { // absent, or N/A: it was never used
		return time.Time{}, nil
	}
	return at.UTC(), nil
}

// create makes a key. It is the one request of this package that creates, and is sent once.
func (a api) create(ctx context.Context, user string) (*httpapi.Response, error) {
	if user == "" {
		return nil, a.fault("create", providers.ClassNotFound, errNoUser)
	}
	return a.ask(ctx, "create", "CreateAccessKey", url.Values{"UserName": {user}}, true)
}

func (a api) remove(ctx context.Context, user, id string) error {
	if user == "" || id == "" {
		return a.fault("revoke", providers.ClassRejected, errNoUser)
	}
	_, err := a.ask(ctx, "revoke", "DeleteAccessKey", url.Values{"UserName": {user}, "AccessKeyId": {id}}, true)
	return err
}

var (
	errNoUser = errors.New("the client's ref names no user, or no key was named")
	errNoKey  = errors.New("the reply shows no access key with its secret")
)

// issuedIn reads the answer to a create.
func issuedIn(raw credential.Sensitive) (providers.Issued, error) {
	var made struct {
		XMLName xml.Name `xml:"CreateAccessKeyResponse"`
		Key     key      `xml:"CreateAccessKeyResult>AccessKey"`
	}
	if xml.Unmarshal([]byte(raw.Reveal()), &made) != nil || made.Key.ID == "" || made.Key.Secret == "" {
		return providers.Issued{}, errNoKey
	}
	return providers.Issued{
		Secret: made.Key.secret(),
		Bundle: credential.Bundle{
			credential.FieldAccessKeyID: credential.NewSensitive(made.Key.ID), FieldSecretAccessKey: credential.NewSensitive(made.Key.Secret),
		},
	}, nil
}

// identity asks STS who signs with this key.
func (a api) identity(ctx context.Context, operation string, k sigv4.Key) (arn string, resp *httpapi.Response, err error) {
	resp, err = a.sts.call(ctx, operation, k, url.Values{"Action": {"GetCallerIdentity"}, "Version": {stsVersion}}, false)
	if err != nil {
		return "", resp, err
	}
	var who struct {
		XMLName xml.Name `xml:"GetCallerIdentityResponse"`
		ARN     string   `xml:"GetCallerIdentityResult>Arn"`
	}
	if err = read(resp, &who); err == nil && who.ARN == "" {
		err = resp.Missing("Arn")
	}
	return who.ARN, resp, err
}

// whoAmI returns the ARN of rotad's own account.
func (a api) whoAmI(ctx context.Context, operation string) (string, error) {
	k, err := a.own()
	if err != nil {
		return "", a.fault(operation, providers.ClassAuth, err)
	}
	arn, _, err := a.identity(ctx, operation, k)
	return arn, err
}

// prove asks with a client's key.
func (a api) prove(ctx context.Context, k sigv4.Key) (providers.Answer, error) {
	if k.ID == "" || k.Secret.Empty() {
		return providers.Refused, nil
	}
	_, resp, err := a.identity(ctx, "verify", k)
	switch {
	case err == nil:
		return providers.Accepted, nil
	case resp == nil:
		return providers.Unknown, err
	case refuted(resp):
		return providers.Refused, nil
	case providers.ClassOf(err) == providers.ClassAuth: // about this key, never about rotad's own account
		return providers.Unknown, resp.Failed(providers.ClassUnavailable, errProvesNothing)
	}
	return providers.Unknown, err
}

var errProvesNothing = errors.New("the reply proves nothing about the key")

// failure is what AWS says when it refuses.
type failure struct {
	Code    string
	Message string // compared, never printed
}

// failureIn reads a refusal. Others that speak AWS's protocol, moto for one, write a list of one.
func failureIn(resp *httpapi.Response) failure {
	var f struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		One     failure  `xml:"Error"`
		List    failure  `xml:"Errors>Error"`
	}
	switch {
	case resp == nil, resp.Status/100 != 4, xml.Unmarshal([]byte(resp.Raw().Reveal()), &f) != nil:
		return failure{}
	case f.One.Code == "":
		return f.List
	}
	return f.One
}

// refuted says whether AWS knows no such key, or its secret is another one. A signature that came too late or too early has
// the code of a wrong one, and says nothing but that a clock is wrong.
func refuted(resp *httpapi.Response) bool {
	switch f := failureIn(resp); f.Code {
	case "InvalidClientTokenId":
		return true
	case "SignatureDoesNotMatch":
		return !untimely(f)
	}
	return false
}

func untimely(f failure) bool {
	return strings.HasPrefix(f.Message, "Signature expired") || strings.HasPrefix(f.Message, "Signature not yet current")
}

// meaning says what a refusal means where its status does not say so. The words are of a closed set: none comes from the reply.
func meaning(resp *httpapi.Response, err error) (providers.Class, error) {
	if err == nil {
		return "", nil
	}
	f := failureIn(resp)
	class, known := codes()[f.Code]
	switch {
	case !known:
		return "", nil
	case f.Code == "SignatureDoesNotMatch" && untimely(f):
		return providers.ClassAuth, errClock
	}
	return class, errors.New("AWS says " + f.Code) //nolint:err113 // one of the codes below
}

var errClock = errors.New("AWS says that the signature comes too late or too early: is this machine's clock right?")

// codes are those of IAM and STS that say more than their status.
func codes() map[string]providers.Class {
	return map[string]providers.Class{
		"LimitExceeded": providers.ClassQuota,
		"NoSuchEntity":  providers.ClassNotFound,

		"Throttling": providers.ClassThrottled, "ThrottlingException": providers.ClassThrottled, "RequestLimitExceeded": providers.ClassThrottled,
		"EntityTemporarilyUnmodifiable": providers.ClassBusy,
		"ConcurrentModification":        providers.ClassConflict,

		"AccessDenied": providers.ClassAuth, "AccessDeniedException": providers.ClassAuth, "UnauthorizedOperation": providers.ClassAuth,
		"InvalidClientTokenId": providers.ClassAuth, "SignatureDoesNotMatch": providers.ClassAuth, "IncompleteSignature": providers.ClassAuth,
		"MissingAuthenticationToken": providers.ClassAuth, "ExpiredToken": providers.ClassAuth, "RequestExpired": providers.ClassAuth,
		"OptInRequired": providers.ClassAuth,
	}
}

func (e endpoint) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: e.client.Provider(), Operation: operation, Err: cause}
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return a.iam.fault(operation, class, cause)
}
