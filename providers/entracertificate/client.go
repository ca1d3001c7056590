package entracertificate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/graph"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// entry is one keyCredential, as it came.
type entry map[string]json.RawMessage

// writable are the members of a keyCredential that an update takes (learn.microsoft.com/graph/api/resources/keycredential).
var writable = []string{"customKeyIdentifier", "displayName", "endDateTime", "key", "keyId", "startDateTime", "type", "usage"}

// parsed is what rotad reads of an entry.
type parsed struct {
	KeyID         string    `json:"keyId"`
	DisplayName   string    `json:"displayName"`
	StartDateTime time.Time `json:"startDateTime"`
	EndDateTime   time.Time `json:"endDateTime"`
	Key           []byte    `json:"key"` // the certificate; Graph shows it where one application is asked for
	Type          string    `json:"type"`
	Usage         string    `json:"usage"`
}

const (
	typeCertificate = "AsymmetricX509Cert"
	usageVerify     = "Verify"
)

// login says whether an entry is one that the application logs in with; others are for SAML.
func (p parsed) login() bool { return p.Type == typeCertificate && p.Usage == usageVerify }

// id names a certificate by its thumbprint, which is known before Entra has seen it. One whose value is not shown has only the id that
// Entra gave it.
func (p parsed) id() string {
	if len(p.Key) == 0 {
		return p.KeyID
	}
	return thumbprint(p.Key)
}

func (p parsed) secret() credential.Secret {
	return credential.Secret{ID: p.id(), Start: p.StartDateTime.UTC(), Expires: p.EndDateTime.UTC(), Label: p.DisplayName}
}

// list is the certificates of an application.
type list struct {
	appID   string
	entries []entry
	parsed  []parsed // of the same length
	at      time.Time
}

// find returns where a certificate stands; negative = it is not there.
func (l list) find(id string) int {
	return slices.IndexFunc(l.parsed, func(p parsed) bool { return p.login() && p.id() == id })
}

var errEntry = errors.New("an entry of keyCredentials cannot be read, so the list is not written back")

// look reads the whole list: nothing of it may be lost when it is written back.
func (p *provider) look(ctx context.Context, operation, path string) (list, error) {
	var app struct {
		AppID string  `json:"appId"`
		Keys  []entry `json:"keyCredentials"`
	}
	resp, err := p.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: path, Query: url.Values{"$select": {"id,appId,keyCredentials"}},
	}, &app)
	switch {
	case err != nil:
		return list{}, graph.Waiting(err)
	case app.AppID == "":
		return list{}, resp.Missing("appId")
	case app.Keys == nil: // an empty list is there too: what has none is no answer to this question
		return list{}, resp.Missing("keyCredentials")
	}
	l := list{appID: app.AppID, at: resp.Time, entries: app.Keys}
	for _, e := range app.Keys {
		one, ok := e.read()
		if !ok {
			return list{}, resp.Failed(providers.ClassUnavailable, errEntry)
		}
		l.parsed = append(l.parsed, one)
	}
	return l, nil
}

// read takes an entry apart, as it would go back: what is not kept is not believed either.
func (e entry) read() (parsed, bool) {
	raw, err := json.Marshal(e.kept())
	var one parsed
	if e == nil || err != nil || json.Unmarshal(raw, &one) != nil || one.KeyID == "" {
		return parsed{}, false
	}
	return one, true
}

// kept is an entry as it goes back: as it came, without what no update takes.
func (e entry) kept() entry {
	out := entry{}
	for _, name := range writable {
		if value, ok := e[name]; ok && !bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
			out[name] = value
		}
	}
	return out
}

// added is an entry as a new one is sent: Entra gives it its keyId.
type added struct {
	DisplayName   string    `json:"displayName,omitempty"`
	StartDateTime time.Time `json:"startDateTime"`
	EndDateTime   time.Time `json:"endDateTime"`
	Key           []byte    `json:"key"`
	Type          string    `json:"type"`
	Usage         string    `json:"usage"`
}

var errAnswer = errors.New("the answer to an update is not the empty one that was expected")

// replace writes the whole list. The reply comes with an error too.
func (p *provider) replace(ctx context.Context, operation, path string, entries []any) (credential.Sensitive, error) {
	resp, err := p.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPatch, Path: path, Mutates: true, JSON: map[string][]any{"keyCredentials": entries},
	})
	switch {
	case providers.ClassOf(err) == providers.ClassNotUnderstood:
		return resp.Raw(), err
	case err != nil:
		return credential.Sensitive{}, graph.Waiting(err)
	case resp.Status != http.StatusNoContent && !resp.Raw().Empty():
		return resp.Raw(), resp.Failed(providers.ClassNotUnderstood, errAnswer)
	}
	return credential.Sensitive{}, nil
}
