package casdoor

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Paths below the address of the server.
const (
	getPath    = "/api/get-application"
	updatePath = "/api/update-application"
	tokenPath  = "/api/login/oauth/access_token" //nolint:gosec // a path
)

// hidden is what Casdoor shows in place of what an account may not see.
const hidden = "***"

// api is the protocol: which call is made for what.
type api struct{ client *httpapi.Client }

// application is one of Casdoor's.
type application struct {
	id       string // owner/name
	clientID string
	secret   credential.Sensitive
	whole    map[string]json.RawMessage // as it was shown; it holds the secret, so it never leaves this file
	time     time.Time                  // the server's clock; zero = not known
}

// envelope is what every answer stands in. An error has the status 200 as well.
type envelope struct {
	Status  string          `json:"status"` // ok | error
	Message string          `json:"msg"`    // compared, never printed
	Data    json.RawMessage `json:"data"`
}

var (
	errUnknown  = errors.New("no application with this owner and name exists")
	errRef      = errors.New("the client's ref has to name an application as owner/name, for example admin/billing")
	errHidden   = errors.New("this account is shown neither the secret nor what an update has to send back: rotad's own application has to be one of the organization built-in")
	errNoSecret = errors.New("the application has no secret, so Casdoor lets everybody in as it: set one there, and ask who knew")
	errOther    = errors.New("the answer is about another application, or lacks what an update has to send back; nothing was sent")
	errRefused  = errors.New("the call was refused without a code")
	errKept     = errors.New("nothing was changed: the application is gone, or the update was like the old state")
)

// find looks an application up.
func (a api) find(ctx context.Context, operation, id string) (application, error) {
	owner, name, ok := strings.Cut(id, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return application{}, a.fault(operation, providers.ClassRejected, errRef)
	}
	var e envelope
	resp, err := a.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: getPath, Query: url.Values{"id": {id}}, Header: inEnglish(),
	}, &e)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return application{}, resp.Failed(providers.ClassRejected, errUnknown) // an unknown one is an empty answer
	}
	if err != nil {
		return application{}, err
	}
	if err = e.failed(resp); err != nil {
		return application{}, err
	}
	found, err := decode(e.Data, owner, name)
	if err != nil {
		return application{}, resp.Failed(classOfDecode(err), err)
	}
	found.id, found.time = id, resp.Time
	return found, nil
}

// failed is the error of an answer to a look that shows no application.
func (e envelope) failed(resp *httpapi.Response) error {
	switch {
	case e.Status == "error" && says(e.Message, "doesn't exist"):
		return resp.Failed(providers.ClassNotFound, errUnknown)
	case e.Status == "error":
		return resp.Failed(classOf(e.Message), errRefused)
	case e.Status != "ok":
		return resp.Missing("status")
	case len(e.Data) == 0 || string(e.Data) == "null":
		return resp.Failed(providers.ClassNotFound, errUnknown)
	}
	return nil
}

// decode reads an application and takes care that it can be sent back: it is the one that was asked for, whole, and nothing in it was
// masked.
func decode(raw json.RawMessage, owner, name string) (application, error) {
	var a application
	var known struct {
		Owner    string `json:"owner"`
		Name     string `json:"name"`
		ClientID string `json:"clientId"`
		Secret   string `json:"clientSecret"`
	}
	sensitive := credential.NewSensitive(string(raw))
	if httpapi.Unmarshal(sensitive, &known) != nil || httpapi.Unmarshal(sensitive, &a.whole) != nil {
		return application{}, errOther
	}
	_, organization := a.whole["organization"]
	switch {
	case known.Owner != owner, known.Name != name, known.ClientID == "", !organization:
		return application{}, errOther
	case known.Secret == hidden, a.masked():
		return application{}, errHidden
	case known.Secret == "":
		return application{}, errNoSecret
	}
	a.clientID, a.secret = known.ClientID, credential.NewSensitive(known.Secret)
	return a, nil
}

// derived says whether Casdoor adds a member to an answer and does not take it from an update. Of the providers it takes the names
// alone; their secrets are masked for everybody.
func derived(member string) bool { return member == "organizationObj" || member == "providers" }

func (a application) masked() bool {
	for name, value := range a.whole {
		if !derived(name) && bytes.Contains(value, []byte(`"`+hidden+`"`)) {
			return true
		}
	}
	return false
}

func classOfDecode(err error) providers.Class {
	switch {
	case errors.Is(err, errHidden):
		return providers.ClassAuth
	case errors.Is(err, errNoSecret):
		return providers.ClassUnsupported
	}
	return providers.ClassUnavailable
}

// set sends the application back with another secret. It is the one request of this package that creates, and is sent once.
func (a api) set(ctx context.Context, app application) (*httpapi.Response, error) {
	value, err := json.Marshal(app.secret.Reveal())
	if err != nil || app.secret.Empty() {
		return nil, a.fault("create", providers.ClassRejected, errNoSecret)
	}
	body := maps.Clone(app.whole)
	body["clientSecret"] = value
	var e envelope
	resp, err := a.client.Into(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: updatePath, Query: url.Values{"id": {app.id}}, JSON: body, Header: inEnglish(), Mutates: true,
	}, &e)
	var changed string
	switch {
	case err != nil:
		return resp, err
	case e.Status == "error" && classOf(e.Message) == providers.ClassAuth:
		return resp, resp.Failed(providers.ClassAuth, errRefused)
	case e.Status == "error": // its database may have failed before or after
		return resp, resp.Failed(providers.ClassIndeterminate, errRefused)
	case e.Status != "ok" || json.Unmarshal(e.Data, &changed) != nil:
		return resp, resp.Missing("status and data")
	case changed == "Unaffected":
		return resp, resp.Failed(providers.ClassNotFound, errKept)
	case changed != "Affected":
		return resp, resp.Missing("data")
	}
	return resp, nil
}

// inEnglish asks for messages in the language that they are compared in.
func inEnglish() http.Header { return http.Header{"Accept-Language": {"en"}} }

func says(message, words string) bool {
	return strings.Contains(strings.ToLower(message), strings.ToLower(words))
}

// classOf says what a message means, of a call that changed nothing.
func classOf(message string) providers.Class {
	for _, words := range []string{"unauthorized", "incorrect client secret", "not found for client id", "please login", "please sign in", "forbidden"} {
		if says(message, words) {
			return providers.ClassAuth
		}
	}
	return providers.ClassUnavailable
}

// issued is the secret of an application as rotad knows it. Casdoor notes no dates of it, and it never expires.
func (a application) issued() providers.Issued {
	return providers.Issued{
		Secret: credential.Secret{ID: versionID(a.clientID, a.secret), Slot: providers.SlotCurrent, Never: true},
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(a.clientID), credential.FieldClientSecret: a.secret,
		},
	}
}

// versionRounds makes guessing a weak, hand-made secret from its id as slow as it can be without slowing a scan down.
const versionRounds = 4096

// versionID names a secret that has no id: a slow fingerprint, salted with the client, that nobody can turn back.
func versionID(clientID string, value credential.Sensitive) string {
	sum, err := pbkdf2.Key(sha256.New, value.Reveal(), []byte("rotad casdoor\x00"+clientID), versionRounds, 8)
	if err != nil { // the length is constant
		return ""
	}
	return "v-" + hex.EncodeToString(sum)
}

// basic shows an application's secret, rotad's own or a client's. Casdoor takes the pair as it stands, without the encoding of RFC 6749.
func basic(clientID string) func(http.Header, credential.Sensitive) {
	return func(h http.Header, own credential.Sensitive) {
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(clientID+":"+own.Reveal())))
	}
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}
