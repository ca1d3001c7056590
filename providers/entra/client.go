package entra

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// graphAPI is the protocol of Microsoft Graph v1.0 (learn.microsoft.com/graph/api: application, addPassword,
// removePassword).
type graphAPI struct{ client *httpapi.Client }

// application is what is read of an application. Certificates (keyCredentials) are not asked for.
type application struct {
	ID             string     `json:"id"`
	AppID          string     `json:"appId"`
	SignInAudience string     `json:"signInAudience"`
	Passwords      []password `json:"passwordCredentials"`
}

// password is one passwordCredential.
type password struct {
	KeyID         string    `json:"keyId"`
	DisplayName   string    `json:"displayName"`
	Hint          string    `json:"hint"`
	StartDateTime time.Time `json:"startDateTime"`
	EndDateTime   time.Time `json:"endDateTime"`
	SecretText    string    `json:"secretText"`
}

type addRequest struct {
	DisplayName string     `json:"displayName,omitempty"`
	EndDateTime *time.Time `json:"endDateTime,omitempty"` // nil = two years from now
}

// personalSlots is how many passwords an application may have that personal Microsoft accounts can use.
const personalSlots = 2

func (a application) capabilities() credential.Capabilities {
	c := credential.Capabilities{
		Mode:       credential.ModeTwoSlot,
		Reason:     "an application has several passwords, each with an id",
		Labels:     true,
		SetsExpiry: true,
	}
	if strings.Contains(a.SignInAudience, "PersonalMicrosoftAccount") {
		c.Slots = personalSlots
	}
	return c
}

func (a application) secrets() []credential.Secret {
	out := make([]credential.Secret, 0, len(a.Passwords))
	for _, p := range a.Passwords {
		out = append(out, p.secret())
	}
	return out
}

func (a application) has(id string) bool {
	return slices.ContainsFunc(a.Passwords, func(p password) bool { return strings.EqualFold(p.KeyID, id) })
}

func (p password) secret() credential.Secret {
	return credential.Secret{
		ID: p.KeyID, Start: p.StartDateTime.UTC(), Expires: p.EndDateTime.UTC(), Label: p.DisplayName, Hint: p.Hint,
	}
}

// application reads an application, and Graph's own time.
func (g graphAPI) application(ctx context.Context, operation, path string) (application, time.Time, error) {
	var app application
	resp, err := g.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: path,
		Query: url.Values{"$select": {"id,appId,signInAudience,passwordCredentials"}},
	}, &app)
	switch {
	case err != nil:
		return application{}, time.Time{}, graph.Waiting(err)
	case app.AppID == "":
		return application{}, time.Time{}, resp.Missing("appId")
	case slices.ContainsFunc(app.Passwords, func(p password) bool { return p.KeyID == "" }):
		return application{}, time.Time{}, resp.Missing("keyId")
	}
	return app, resp.Time, nil
}

// add makes a password. It is sent once. Raw is the reply where it could not be read.
func (g graphAPI) add(
	ctx context.Context, path string, r addRequest,
) (made password, raw credential.Sensitive, err error) {
	resp, err := g.client.Into(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: path + "/addPassword", Mutates: true,
		JSON: map[string]addRequest{"passwordCredential": r},
	}, &made)
	switch {
	case providers.ClassOf(err) == providers.ClassNotUnderstood:
		return password{}, resp.Raw(), err
	case err != nil:
		return password{}, credential.Sensitive{}, graph.Waiting(err)
	case made.SecretText == "":
		return password{}, resp.Raw(), resp.Missing("secretText")
	case made.KeyID == "":
		return password{}, resp.Raw(), resp.Missing("keyId")
	}
	return made, credential.Sensitive{}, nil
}

// remove ends one password.
func (g graphAPI) remove(ctx context.Context, path, id string) error {
	_, err := g.client.Do(ctx, httpapi.Request{
		Operation: "revoke", Method: http.MethodPost, Path: path + "/removePassword", Mutates: true,
		JSON: map[string]string{"keyId": id},
	})
	return graph.Waiting(err)
}

func (g graphAPI) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: g.client.Provider(), Operation: operation, Err: cause}
}
