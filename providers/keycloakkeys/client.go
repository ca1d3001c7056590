package keycloakkeys

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// Attributes of a client that say where its public keys are.
const (
	attributeUseString = "use.jwks.string"
	attributeString    = "jwks.string"
	attributeUseURL    = "use.jwks.url"
)

// api speaks to the admin API of one realm.
type api struct {
	client *httpapi.Client
	realm  string
}

// client is one of Keycloak's.
type client struct {
	uuid       string
	enabled    bool
	whole      map[string]json.RawMessage // as it was shown, without a secret
	attributes map[string]string
	raw        []json.RawMessage // the keys of its set
	keys       []key
	time       time.Time // the server's clock; zero = not known
}

var (
	errNotVisible = errors.New("no client with this client_id exists or may be seen")
	errNoRealm    = errors.New("there is no such realm at this url")
	errMethod     = errors.New("the client does not log in with a signed JWT: switch it over with a first key (Clients, the client, Credentials: Signed JWT; " +
		"Keys: Import), and put that key into Vault")
	errFetched = errors.New("Keycloak fetches the keys of this client from an address: use the kind jwks, or switch Use JWKS URL off") //nolint:staticcheck // a name
	errSet     = errors.New("the client's attribute jwks.string is no JWK Set whose keys all have a kid of their own")
	errWhole   = errors.New("the answer lacks what an update has to send back; nothing was sent")
)

// find looks a client up by the client_id that OAuth knows.
func (a api) find(ctx context.Context, operation, clientID string) (client, error) {
	if clientID == "" {
		return client{}, a.fault(operation, providers.ClassNotFound, errNotVisible)
	}
	var found []map[string]json.RawMessage
	resp, err := a.client.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: httpapi.Path("admin", "realms", a.realm, "clients"), Query: url.Values{"clientId": {clientID}},
	}, &found)
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound:
		return client{}, resp.Failed(providers.ClassRejected, errNoRealm) // an unknown client is an empty list
	case err != nil:
		return client{}, err
	case found == nil:
		return client{}, resp.Missing("a list of clients")
	}
	for _, one := range found {
		if text(one["clientId"]) != clientID {
			continue
		}
		c, err := read(one)
		if err != nil {
			return client{}, resp.Failed(classOf(err), err)
		}
		c.time = resp.Time
		return c, nil
	}
	return client{}, resp.Failed(providers.ClassNotFound, errNotVisible)
}

func classOf(err error) providers.Class {
	if errors.Is(err, errMethod) || errors.Is(err, errFetched) || errors.Is(err, errSet) {
		return providers.ClassUnsupported
	}
	return providers.ClassUnavailable
}

func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s) // what is no text is none
	return s
}

// read takes a client apart, and takes care that it can be sent back.
func read(whole map[string]json.RawMessage) (client, error) {
	c := client{uuid: text(whole["id"]), whole: maps.Clone(whole), enabled: string(whole["enabled"]) != "false"}
	delete(c.whole, "secret") // what is left out stays as it is
	if c.uuid == "" || json.Unmarshal(whole["attributes"], &c.attributes) != nil && whole["attributes"] != nil {
		return client{}, errWhole
	}
	switch {
	case text(whole["clientAuthenticatorType"]) != "client-jwt":
		return client{}, errMethod
	case c.attributes[attributeUseURL] == "true":
		return client{}, errFetched
	}
	return c, c.readSet(c.attributes[attributeString])
}

// readSet reads a JWK Set (RFC 7517 section 5). A key without a name could not be taken out again, so such a set is refused.
func (c *client) readSet(text string) error {
	if text == "" {
		return nil
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if httpapi.Unmarshal(credential.NewSensitive(text), &set) != nil || set.Keys == nil {
		return errSet
	}
	for _, raw := range set.Keys {
		var k key
		if json.Unmarshal(raw, &k) != nil || k.ID == "" || slices.ContainsFunc(c.keys, func(o key) bool { return o.ID == k.ID }) {
			return errSet
		}
		c.keys = append(c.keys, k)
	}
	c.raw = set.Keys
	return nil
}

// replace sends a client back with another set. Keycloak answers without a body.
func (a api) replace(ctx context.Context, operation string, c client, keys []json.RawMessage) (*httpapi.Response, error) {
	set, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		return nil, a.fault(operation, providers.ClassRejected, errSet)
	}
	attributes := maps.Clone(c.attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	attributes[attributeUseString], attributes[attributeString] = "true", string(set)
	body := maps.Clone(c.whole)
	if body["attributes"], err = json.Marshal(attributes); err != nil {
		return nil, a.fault(operation, providers.ClassRejected, errWhole)
	}
	resp, err := a.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPut, Path: httpapi.Path("admin", "realms", a.realm, "clients", c.uuid), JSON: body, Mutates: true,
	})
	if err == nil && resp.Status != http.StatusNoContent {
		err = resp.Missing("the status 204")
	}
	return resp, err
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}

// answer reads a reply of the token endpoint, where a proof that is refused is invalid_client, and unauthorized_client where its key is not known.
func answer(r httpapi.VerifyReply) (providers.Answer, bool) {
	if r.Code == "unauthorized_client" && r.Status/100 == 4 && !r.Token {
		return providers.Refused, r.Status != http.StatusForbidden
	}
	return providers.Unknown, false
}
