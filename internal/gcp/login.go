package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Login says how rotad itself logs in: exactly one of the three ways.
type Login struct {
	Credentials bool   // with a key file of its own service account, the secret setting "credentials"
	Token       bool   // with an access token that something else renews, the secret setting "token"
	Metadata    string // as the machine it runs on, by the metadata server at this URL; empty = not so

	TokenURL string // where a key file is taken; empty = TokenURL
}

// Report says what is wrong with a login.
func (l Login) Report(report func(path, what, hint string)) {
	ways := 0
	for _, way := range []bool{l.Credentials, l.Token, l.Metadata != ""} {
		if way {
			ways++
		}
	}
	const hint = "write credentials_file, or token_file, or metadata_url: http://metadata.google.internal where rotad runs on Google Cloud"
	switch {
	case ways == 0:
		report("credentials_file", "there is no way to log in", hint)
	case ways > 1:
		report("credentials_file", "there is more than one way to log in", hint)
	}
}

// scope of rotad's own token: what it may do is decided by the roles of its account.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// JWTBearer is the grant type of an assertion (RFC 7523 section 2.1).
const JWTBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer" //nolint:gosec // a name

// metadataToken is where the metadata server has a token of the machine's service account.
const metadataToken = "/computeMetadata/v1/instance/service-accounts/default/token"

// login returns how a token is had.
func (l Login) login(o providers.Opening) (httpapi.Login, error) {
	switch {
	case l.Token:
		return func(context.Context) (httpapi.Token, error) {
			token, err := o.Secret("token")
			if err != nil {
				return httpapi.Token{}, noLogin(o, err)
			}
			return httpapi.Token{Value: credential.NewSensitive(strings.TrimSpace(token))}, nil
		}, nil
	case l.Metadata != "":
		client, err := httpapi.New(config(o, l.Metadata))
		if err != nil {
			return nil, fmt.Errorf("metadata_url: %w", err)
		}
		return func(ctx context.Context) (httpapi.Token, error) {
			return granted(ctx, client, httpapi.Request{
				Operation: "login", Method: http.MethodGet, Path: metadataToken, Header: http.Header{"Metadata-Flavor": {"Google"}},
			})
		}, nil
	}
	client, path, err := Endpoint(o, l.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("token_url: %w", err)
	}
	return byKey(o, client, path, o.Wall()), nil
}

// own returns whose key file it is that rotad logs in with.
func (l Login) own(o providers.Opening) func() string {
	return func() string {
		if !l.Credentials {
			return ""
		}
		text, err := o.Secret("credentials")
		if err != nil {
			return ""
		}
		key, err := ParseKey(credential.NewSensitive(text))
		if err != nil {
			return ""
		}
		return key.Email
	}
}

// byKey logs in with rotad's own key, which is read for every login: a new file takes the old one's place at once.
func byKey(o providers.Opening, client *httpapi.Client, path string, now func() time.Time) httpapi.Login {
	return func(ctx context.Context) (httpapi.Token, error) {
		text, err := o.Secret("credentials")
		if err != nil {
			return httpapi.Token{}, noLogin(o, err)
		}
		key, err := ParseKey(credential.NewSensitive(text))
		if err != nil {
			return httpapi.Token{}, noLogin(o, err)
		}
		assertion, err := key.Assertion(now(), scope)
		if err != nil {
			return httpapi.Token{}, noLogin(o, err)
		}
		return granted(ctx, client, httpapi.Request{
			Operation: "login", Method: http.MethodPost, Path: path,
			Form: url.Values{"grant_type": {JWTBearer}, "assertion": {assertion.Reveal()}},
		})
	}
}

// granted sends a request for a token of rotad's own.
func granted(ctx context.Context, client *httpapi.Client, r httpapi.Request) (httpapi.Token, error) {
	var grant struct {
		Token string  `json:"access_token"`
		Lives float64 `json:"expires_in"` // seconds
	}
	resp, err := client.Into(ctx, r, &grant)
	switch {
	case err != nil && resp != nil && (resp.Status == http.StatusBadRequest || resp.Status == http.StatusUnauthorized):
		return httpapi.Token{}, resp.Failed(providers.ClassAuth, ownRefusal(resp))
	case err != nil:
		return httpapi.Token{}, err
	case grant.Token == "":
		return httpapi.Token{}, resp.Missing("access_token")
	}
	const most = 24 * 3600 // seconds; what claims to live longer is used until it is refused
	if grant.Lives < 0 || grant.Lives > most {
		grant.Lives = 0
	}
	return httpapi.Token{Value: credential.NewSensitive(grant.Token), Lives: time.Duration(grant.Lives) * time.Second}, nil
}

var (
	errOwnKey   = errors.New("rotad's own key is refused: it was deleted, disabled, or has expired")
	errOwnClock = errors.New("Google says that the login comes too late or too early: is this machine's clock right?") //nolint:staticcheck // a name begins it
)

// ownRefusal says why a login is refused, where Google's words are known; nil = they are not.
func ownRefusal(resp *httpapi.Response) error {
	switch ReadVerdict(oauthError(resp)) {
	case VerdictSignature:
		return errOwnKey
	case VerdictTime:
		return errOwnClock
	case VerdictNone, VerdictAccount:
	}
	return nil
}

func noLogin(o providers.Opening, cause error) error {
	return &providers.Error{Class: providers.ClassAuth, Provider: o.Name, Operation: "login", Err: cause}
}

// Endpoint returns a client for a token endpoint, and its path; an empty address is that of service accounts.
func Endpoint(o providers.Opening, address string) (client *httpapi.Client, path string, err error) {
	if address == "" {
		address = TokenURL
	}
	base, path, err := httpapi.Split(address)
	if err != nil {
		return nil, "", err
	}
	client, err = httpapi.New(config(o, base))
	return client, path, err
}

func config(o providers.Opening, base string) httpapi.Config {
	return httpapi.Config{Provider: o.Name, Base: base, Headers: o.Headers, Transport: o.Transport, Deadline: o.Deadline}
}
