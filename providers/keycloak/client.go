package keycloak

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api speaks to the admin API of one realm.
type api struct {
	http  *httpapi.Client
	realm string
}

func tokenPath(realm string) string {
	return httpapi.Path("realms", realm, "protocol", "openid-connect", "token")
}

func (a api) path(segments ...string) string {
	return httpapi.Path(append([]string{"admin", "realms", a.realm}, segments...)...)
}

// client is what matters of a client representation.
type client struct {
	uuid, clientID string
	name           string // for people
	enabled        bool
	public         bool
	bearerOnly     bool
	protocol       string
	authenticator  string
	attributes     map[string]string // without the ones of the secret
	manageable     bool              // rotad's account may replace its secret
	time           time.Time         // the server's clock when it was read; zero = not known

	secret         credential.Sensitive
	created        time.Time // zero = not recorded
	expires        time.Time // zero = not recorded
	rotated        credential.Sensitive
	rotatedHidden  bool      // there is a replaced secret, but its value is not shown
	rotatedAt      time.Time // when it was replaced: not its own start
	rotatedExpires time.Time
}

// representation is a client on the wire. It never leaves this file, because it holds secrets in clear.
type representation struct {
	ID            string            `json:"id"`
	ClientID      string            `json:"clientId"`
	Name          string            `json:"name"`
	Enabled       *bool             `json:"enabled"`
	Public        bool              `json:"publicClient"`
	BearerOnly    bool              `json:"bearerOnly"`
	Protocol      string            `json:"protocol"`
	Authenticator string            `json:"clientAuthenticatorType"`
	Secret        string            `json:"secret"`
	Attributes    map[string]string `json:"attributes"`
	Access        struct {
		Configure *bool `json:"configure"`
	} `json:"access"`
}

// The attributes that the executor keeps. All times are epoch seconds, written as strings.
const (
	attributePrefix         = "client.secret."
	attributeCreated        = "client.secret.creation.time"
	attributeExpires        = "client.secret.expiration.time"
	attributeRotated        = "client.secret.rotated"
	attributeRotatedAt      = "client.secret.rotated.creation.time"
	attributeRotatedExpires = "client.secret.rotated.expiration.time"
)

// maskedSecret is what Keycloak shows in place of a value that it hides.
const maskedSecret = "**********"

func (r representation) client(at time.Time) client {
	c := client{
		uuid: r.ID, clientID: r.ClientID, name: r.Name, enabled: r.Enabled == nil || *r.Enabled, public: r.Public,
		bearerOnly: r.BearerOnly, protocol: r.Protocol, authenticator: r.Authenticator, time: at,
		manageable: r.Access.Configure == nil || *r.Access.Configure, attributes: map[string]string{},
		secret: shown(r.Secret), created: epoch(r.Attributes[attributeCreated]),
		expires: epoch(r.Attributes[attributeExpires]), rotated: shown(r.Attributes[attributeRotated]),
		rotatedHidden:  r.Attributes[attributeRotated] == maskedSecret,
		rotatedAt:      epoch(r.Attributes[attributeRotatedAt]),
		rotatedExpires: epoch(r.Attributes[attributeRotatedExpires]),
	}
	for name, value := range r.Attributes {
		if !strings.HasPrefix(name, attributePrefix) {
			c.attributes[name] = value
		}
	}
	return c
}

func shown(value string) credential.Sensitive {
	if value == maskedSecret {
		return credential.Sensitive{}
	}
	return credential.NewSensitive(value)
}

func epoch(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > 253402300799 { // the end of the year 9999
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// without returns the client with nothing about secrets: what is left when it cannot be read again.
func (c client) without() client {
	return client{uuid: c.uuid, clientID: c.clientID, enabled: c.enabled}
}

// lastGrace is the life that the replaced secret got when it was replaced; 0 = there is none to tell by.
func (c client) lastGrace() time.Duration {
	if c.rotatedAt.IsZero() || c.rotatedExpires.IsZero() {
		return 0
	}
	return max(c.rotatedExpires.Sub(c.rotatedAt), 0)
}

// hmac says whether the secret is also a MAC key: then two secrets never overlap, because each side signs with one.
func (c client) hmac() bool {
	if c.authenticator == "client-secret-jwt" {
		return true
	}
	for _, name := range []string{
		"id.token.signed.response.alg", "token.endpoint.auth.signing.alg", "request.object.signature.alg",
		"user.info.response.signature.alg",
	} {
		if strings.HasPrefix(c.attributes[name], "HS") {
			return true
		}
	}
	return false
}

// find looks a client up by the client_id that OAuth knows.
func (a api) find(ctx context.Context, operation, clientID string) (client, error) {
	var found []representation
	resp, err := a.http.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: a.path("clients"), Query: url.Values{"clientId": {clientID}},
	}, &found)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return client{}, resp.Failed(providers.ClassRejected, errNoRealm) // an unknown client is an empty list
	}
	if err != nil {
		return client{}, err
	}
	for _, r := range found {
		if r.ClientID == clientID && r.ID != "" {
			return r.client(resp.Time), nil
		}
	}
	return client{}, resp.Failed(providers.ClassNotFound, errNotVisible)
}

var (
	errNotVisible = errors.New("no client with this client_id exists or may be seen")
	errNoRealm    = errors.New("there is no such realm at this url")
)

// read reads a client by its UUID.
func (a api) read(ctx context.Context, operation, uuid string) (client, error) {
	var r representation
	resp, err := a.http.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: a.path("clients", uuid),
	}, &r)
	if err != nil {
		return client{}, err
	}
	return r.client(resp.Time), nil
}

// secret reads the current value by itself.
func (a api) secret(ctx context.Context, operation, uuid string) (credential.Sensitive, error) {
	resp, err := a.http.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodGet, Path: a.path("clients", uuid, "client-secret"),
	})
	if err != nil {
		return credential.Sensitive{}, err
	}
	return issuedValue(resp)
}

// rotate makes Keycloak replace the secret. It is the one request of this package that creates.
func (a api) rotate(ctx context.Context, uuid string) (*httpapi.Response, error) {
	return a.http.Do(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: a.path("clients", uuid, "client-secret"), Mutates: true,
	})
}

// deleteRotated empties the slot of the replaced secret. An empty slot is success.
func (a api) deleteRotated(ctx context.Context, uuid string) error {
	_, err := a.http.Do(ctx, httpapi.Request{
		Operation: "revoke", Method: http.MethodDelete, Path: a.path("clients", uuid, "client-secret", "rotated"),
		Mutates: true, Accept: []int{http.StatusNotFound},
	})
	return err
}

// credentialReply is the reply of the client-secret endpoints.
type credentialReply struct {
	Value string `json:"value"`
}

func issuedValue(resp *httpapi.Response) (credential.Sensitive, error) {
	var reply credentialReply
	if err := resp.Decode(&reply); err != nil {
		return credential.Sensitive{}, err
	}
	if shown(reply.Value).Empty() {
		return credential.Sensitive{}, resp.Missing("value")
	}
	return credential.NewSensitive(reply.Value), nil
}

var errNoValue = errors.New("the reply has no value")

func valueIn(raw credential.Sensitive) (credential.Sensitive, error) {
	var reply credentialReply
	if err := httpapi.Unmarshal(raw, &reply); err != nil {
		return credential.Sensitive{}, err
	}
	if shown(reply.Value).Empty() {
		return credential.Sensitive{}, errNoValue
	}
	return credential.NewSensitive(reply.Value), nil
}

// secrets lists the versions that the client holds, the current one first.
func (c client) secrets(realm string, mode credential.Mode) []credential.Secret {
	current := credential.Secret{Slot: providers.SlotCurrent, Start: c.created, Expires: c.expires}
	current.Never = c.expires.IsZero() && mode == credential.ModeHardCutover
	if !c.secret.Empty() {
		current.ID = versionID(realm, c.clientID, c.secret)
	}
	list := []credential.Secret{current}
	previous := credential.Secret{Slot: providers.SlotPrevious, Expires: c.rotatedExpires}
	switch {
	case !c.rotated.Empty():
		previous.ID = versionID(realm, c.clientID, c.rotated)
		list = append(list, previous)
	case c.rotatedHidden:
		list = append(list, previous)
	}
	return list
}

// versionRounds makes guessing a weak, hand-made secret from its id as slow as it can be without slowing a scan down.
const versionRounds = 4096

// versionID names a version of a secret. Keycloak gives versions no id and their dates do not name one: when a secret
// is replaced its own start is forgotten, and the replaced one is stamped with the same second as the new one. What
// stays with a version in every slot is its value, so the id is a short, slow, salted digest of it. It also changes
// when somebody sets another value by hand, which moves no date at all.
func versionID(realm, clientID string, value credential.Sensitive) string {
	salt := []byte("rotad keycloak\x00" + realm + "\x00" + clientID)
	sum, err := pbkdf2.Key(sha256.New, value.Reveal(), salt, versionRounds, 8)
	if err != nil {
		return "" // only in FIPS mode with a short key; a version without an id is never revoked
	}
	return "v" + hex.EncodeToString(sum)
}
