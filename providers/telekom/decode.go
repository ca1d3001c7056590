package telekom

import (
	"errors"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// wireStatus is the status of a rotation on the wire. It never leaves this file, because it holds secrets in clear. The
// values have other names in older builds.
type wireStatus struct {
	Processing string `json:"processingState"`
	Overall    string `json:"overallStatus"`
	ClientID   string `json:"clientId"`

	Current        string `json:"clientSecret"`
	CurrentOld     string `json:"currentSecretValue"`
	Rotated        string `json:"rotatedClientSecret"`
	RotatedOld     string `json:"rotatedSecretValue"`
	CurrentExpires string `json:"currentExpiresAt"`
	RotatedExpires string `json:"rotatedExpiresAt"`
}

// wireAccepted is the reply of a rotation that was asked for. The link in it is not followed: the path is known.
type wireAccepted struct {
	ClientID string `json:"clientId"`
	Message  string `json:"message"`
}

// wireInfo is the info of an application, alone or in the list that the API documents.
type wireInfo struct {
	wireApplication

	Applications []wireApplication `json:"applications"`
}

type wireApplication struct {
	TokenURL string `json:"irisTokenEndpointUrl"`
	Issuer   string `json:"irisIssuerUrl"`
}

// info is where an application logs in.
type info struct {
	tokenURL string // empty = the platform does not say
}

// issuerToken is where a Keycloak has the token endpoint below its issuer; the zones' identity providers are such.
const issuerToken = "/protocol/openid-connect/token"

func (w wireInfo) info() info {
	a := w.wireApplication
	if len(w.Applications) == 1 {
		a = w.Applications[0]
	}
	if a.TokenURL == "" && a.Issuer != "" {
		a.TokenURL = strings.TrimRight(a.Issuer, "/") + issuerToken
	}
	return info{tokenURL: a.TokenURL}
}

// complete is the one word that says that nothing is under way.
const complete = "complete"

var errNoWord = errors.New("the status lacks overallStatus")

func (w wireStatus) status() (status, error) {
	if w.Overall == "" {
		return status{}, errNoWord
	}
	s := status{
		word: w.word(), complete: w.Overall == complete, clientID: w.ClientID,
		current: shown(w.Current, w.CurrentOld), rotated: shown(w.Rotated, w.RotatedOld),
	}
	var err error
	if s.expires, err = moment("currentExpiresAt", w.CurrentExpires); err != nil {
		return status{}, err
	}
	s.rotatedExpires, err = moment("rotatedExpiresAt", w.RotatedExpires)
	return s, err
}

// word is what the platform says about its progress, if it is one of the words that it documents.
func (w wireStatus) word() string {
	switch w.Overall {
	case "invalid", "processing", "failed", "blocked", "pending", complete, "done", "none":
		return w.Overall
	}
	return "an unknown one"
}

// shown returns the first value that is one. A mask is none: an account with the right to read may be shown only that.
func shown(values ...string) credential.Sensitive {
	for _, value := range values {
		if strings.Trim(value, "*") != "" {
			return credential.NewSensitive(value)
		}
	}
	return credential.Sensitive{}
}

// timeError names the field and repeats nothing of its text.
type timeError string

func (e timeError) Error() string { return string(e) + " is not a time of RFC 3339" }

// earliest is the year before which a date means "none": older builds write the zero time of Go for it.
const earliest = 2000

// moment reads a time. What is there and cannot be read is an error: to take it for absent would be to say that nothing
// counts down.
func moment(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil:
		return time.Time{}, timeError(name)
	case t.Year() < earliest:
		return time.Time{}, nil
	}
	return t.UTC().Truncate(time.Second), nil
}
