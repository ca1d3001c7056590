package httpapi

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// ClientCredentials logs rotad in at an admin API by the client credentials grant (RFC 6749 section 4.4).
type ClientCredentials struct {
	Client   *Client // speaks to the token endpoint, anonymously
	Path     string  // of the token endpoint, below the client's base
	ClientID string
	Secret   func() (string, error) // reads the secret afresh at every login, so that it may be replaced at any time
	Scope    string                 // empty = none is sent
	Auth     string                 // basic | post; empty = basic
	Extra    url.Values             // more parameters, for example audience
	Header   http.Header            // more headers
}

// Login is a Login.
func (l ClientCredentials) Login(ctx context.Context) (Token, error) {
	secret, err := l.Secret()
	if err != nil {
		return Token{}, &providers.Error{
			Class: providers.ClassAuth, Provider: l.Client.Provider(), Operation: "login", Err: err,
		}
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	maps.Copy(form, l.Extra)
	if l.Scope != "" {
		form.Set("scope", l.Scope)
	}
	r := Request{
		Operation: "login", Method: http.MethodPost, Path: l.Path, Form: form, Anonymous: true,
		Header: l.Header.Clone(),
	}
	Authenticate(&r, l.Auth, l.ClientID, credential.NewSensitive(secret))
	var grant struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"` // seconds; some servers send a fraction
		Scope       any     `json:"scope"`      // a text by RFC 6749 section 5.1; no login fails for one that is none
	}
	resp, err := l.Client.Into(ctx, r, &grant)
	switch {
	case err != nil && resp != nil && (resp.Status == http.StatusBadRequest || resp.Status == http.StatusUnauthorized):
		return Token{}, resp.Failed(providers.ClassAuth, nil)
	case err != nil:
		return Token{}, err
	case grant.AccessToken == "":
		return Token{}, resp.Missing("access_token")
	}
	return Token{
		Value: credential.NewSensitive(grant.AccessToken), Lives: seconds(grant.ExpiresIn), Scope: strings.Join(Words(grant.Scope), " "),
	}, nil
}

func seconds(n float64) time.Duration {
	if n <= 0 || n > 10*365*24*3600 {
		return 0
	}
	return time.Duration(n * float64(time.Second))
}

// Authenticate puts a client's id and secret into a request: into an Authorization header (basic, the default), each
// form-encoded first as RFC 6749 section 2.3.1 asks, or into the form (post).
func Authenticate(r *Request, auth, id string, secret credential.Sensitive) {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if auth == "post" {
		if r.Form == nil {
			r.Form = url.Values{}
		}
		r.Form.Set("client_id", id)
		r.Form.Set("client_secret", secret.Reveal())
		return
	}
	pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret.Reveal())
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
}
