package servers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// adminToken is the token of the bootstrap administrator, which lives for a minute.
type adminToken struct {
	mu    sync.Mutex
	value string
	until time.Time
}

// Realm is a realm to create.
type Realm struct {
	Name       string
	Rotated    time.Duration // how long a rotated secret lives on; 0 = the realm has no rotation policy
	Expiration time.Duration // of a new secret, in a realm with the policy; 0 = sixty days
	Remaining  time.Duration // how long before that an update of its registration replaces a secret, and its old one at once if Rotated is 0; 0 = a second
	Clients    []RealmClient
	NoViewing  bool // rotad's account lacks view-realm, so that it cannot see the policy
	ReadOnly   bool // rotad's account may look at clients, and not change them, until Grant
}

// RealmClient is a confidential client with a service account.
type RealmClient struct {
	ID     string
	Secret string
}

// RotadSecret is the secret of the client "rotad", the account that the daemon logs in with.
const RotadSecret = "the-secret-of-rotad-itself"

// CreateRealm creates a realm with its clients, and the client "rotad" with a service account that may manage them. It
// costs a Keycloak that has just started many seconds, and several at once would wait for each other's locks.
func (k *Keycloak) CreateRealm(ctx context.Context, r Realm) error {
	k.realms.Lock()
	defer k.realms.Unlock()
	if err := k.admin(ctx, http.MethodPost, "/admin/realms", r.representation(), nil); err != nil {
		return fmt.Errorf("creating the realm %s: %w", r.Name, err)
	}
	return nil
}

func (r Realm) representation() map[string]any {
	clients := []any{confidential("rotad", RotadSecret)}
	for _, c := range r.Clients {
		clients = append(clients, confidential(c.ID, c.Secret))
	}
	roles := []string{"manage-clients", "view-realm"}
	if r.ReadOnly {
		roles[0] = "view-clients"
	}
	if r.NoViewing {
		roles = roles[:1]
	}
	realm := map[string]any{
		"realm": r.Name, "enabled": true, "clients": clients,
		"users": []any{map[string]any{
			"username": "service-account-rotad", "enabled": true, "serviceAccountClientId": "rotad",
			"clientRoles": map[string]any{"realm-management": roles},
		}},
	}
	if r.Rotated > 0 || r.Remaining > 0 {
		realm["clientProfiles"], realm["clientPolicies"] = r.rotationPolicy()
	}
	return realm
}

func confidential(id, secret string) map[string]any {
	return map[string]any{
		"clientId": id, "secret": secret, "enabled": true, "publicClient": false,
		"serviceAccountsEnabled": true, "standardFlowEnabled": true, "clientAuthenticatorType": "client-secret",
	}
}

// rotationPolicy makes every confidential client keep its previous secret for a while (the executor secret-rotation,
// periods in seconds).
func (r Realm) rotationPolicy() (profiles, policies map[string]any) {
	expiration := r.Expiration
	if expiration == 0 {
		expiration = 60 * 24 * time.Hour
	}
	profiles = map[string]any{"profiles": []any{map[string]any{
		"name": "rotation",
		"executors": []any{map[string]any{"executor": "secret-rotation", "configuration": map[string]any{
			"expiration-period":         int(expiration.Seconds()),
			"rotated-expiration-period": int(r.Rotated.Seconds()),
			"remaining-rotation-period": max(1, int(r.Remaining.Seconds())),
		}}},
	}}}
	policies = map[string]any{"policies": []any{map[string]any{
		"name": "rotate-secrets", "enabled": true, "profiles": []string{"rotation"},
		"conditions": []any{map[string]any{
			"condition": "client-access-type", "configuration": map[string]any{"type": []string{"confidential"}},
		}},
	}}}
	return profiles, policies
}

// KeycloakClient is what Keycloak knows about a client.
type KeycloakClient struct {
	UUID       string            `json:"id"`
	ClientID   string            `json:"clientId"`
	Secret     string            `json:"secret"`
	Attributes map[string]string `json:"attributes"`
}

// Time reads an attribute that holds seconds since 1970; zero if it is missing.
func (c KeycloakClient) Time(attribute string) time.Time {
	seconds, err := strconv.ParseInt(c.Attributes[attribute], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// Attributes of a client whose secret was rotated under the policy (measured on 26.5).
const (
	AttrExpires        = "client.secret.expiration.time"
	AttrRotatedExpires = "client.secret.rotated.expiration.time"
)

// Client returns a client of a realm.
func (k *Keycloak) Client(ctx context.Context, realm, id string) (KeycloakClient, error) {
	var found []KeycloakClient
	path := "/admin/realms/" + realm + "/clients?clientId=" + url.QueryEscape(id)
	if err := k.admin(ctx, http.MethodGet, path, nil, &found); err != nil {
		return KeycloakClient{}, fmt.Errorf("looking for the client %s: %w", id, err)
	}
	if len(found) != 1 {
		return KeycloakClient{}, fmt.Errorf("looking for the client %s: found %d", id, len(found))
	}
	return found[0], nil
}

// AddAudience makes a client's tokens be for an audience as well, and live for a while only.
func (k *Keycloak) AddAudience(ctx context.Context, realm, id, audience string, life time.Duration) error {
	c, err := k.Client(ctx, realm, id)
	if err != nil {
		return err
	}
	path := "/admin/realms/" + realm + "/clients/" + c.UUID
	err = k.admin(ctx, http.MethodPost, path+"/protocol-mappers/models", map[string]any{
		"name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
		"config": map[string]string{"included.custom.audience": audience, "access.token.claim": "true"},
	}, nil)
	if err != nil {
		return fmt.Errorf("adding an audience to the client %s: %w", id, err)
	}
	lifespan := map[string]string{"access.token.lifespan": strconv.Itoa(int(life.Seconds()))}
	return k.admin(ctx, http.MethodPut, path, map[string]any{"clientId": id, "attributes": lifespan}, nil)
}

// AddClient adds a client to a realm.
func (k *Keycloak) AddClient(ctx context.Context, realm string, c RealmClient) error {
	return k.admin(ctx, http.MethodPost, "/admin/realms/"+realm+"/clients", confidential(c.ID, c.Secret), nil)
}

// AddSigningClient adds a client to a realm that logs in with its signature, and whose public keys are at an address.
func (k *Keycloak) AddSigningClient(ctx context.Context, realm, id, keys string) error {
	client := confidential(id, "")
	delete(client, "secret")
	client["clientAuthenticatorType"] = "client-jwt"
	client["attributes"] = map[string]string{"use.jwks.url": "true", "jwks.url": keys}
	return k.admin(ctx, http.MethodPost, "/admin/realms/"+realm+"/clients", client, nil)
}

// AddKeyedClient adds a client to a realm that logs in with its signature, and whose public keys Keycloak itself keeps, as a JWK Set.
func (k *Keycloak) AddKeyedClient(ctx context.Context, realm, id, set string) error {
	client := confidential(id, "")
	delete(client, "secret")
	client["clientAuthenticatorType"] = "client-jwt"
	client["attributes"] = map[string]string{"use.jwks.string": "true", "jwks.string": set}
	return k.admin(ctx, http.MethodPost, "/admin/realms/"+realm+"/clients", client, nil)
}

// Regenerate gives a client a new secret, as a person in the console would, and returns it.
func (k *Keycloak) Regenerate(ctx context.Context, realm, id string) (string, error) {
	c, err := k.Client(ctx, realm, id)
	if err != nil {
		return "", err
	}
	var out struct {
		Value string `json:"value"`
	}
	err = k.admin(ctx, http.MethodPost, "/admin/realms/"+realm+"/clients/"+c.UUID+"/client-secret", nil, &out)
	return out.Value, err
}

// SetSecret sets a client's secret, as a portal would that lets people choose it. The previous one dies at once.
func (k *Keycloak) SetSecret(ctx context.Context, realm, id, secret string) error {
	c, err := k.Client(ctx, realm, id)
	if err != nil {
		return err
	}
	body := map[string]any{"clientId": id, "secret": secret}
	return k.admin(ctx, http.MethodPut, "/admin/realms/"+realm+"/clients/"+c.UUID, body, nil)
}

// DeleteClient removes a client from a realm.
func (k *Keycloak) DeleteClient(ctx context.Context, realm, id string) error {
	c, err := k.Client(ctx, realm, id)
	if err != nil {
		return err
	}
	return k.admin(ctx, http.MethodDelete, "/admin/realms/"+realm+"/clients/"+c.UUID, nil, nil)
}

// Accepts says whether the token endpoint gives a token for a client and a secret. An error means that it said neither
// yes nor no.
func (k *Keycloak) Accepts(ctx context.Context, realm, id, secret string) (bool, error) {
	token, err := k.Token(ctx, realm, id, secret)
	if isStatus(err, http.StatusUnauthorized) {
		return false, nil
	}
	return err == nil && token != "", err
}

// Token returns an access token for a client itself.
func (k *Keycloak) Token(ctx context.Context, realm, id, secret string) (string, error) {
	var token struct {
		AccessToken string `json:"access_token"`
	}
	err := do(ctx, call{
		method: http.MethodPost, url: k.URL + "/realms/" + realm + "/protocol/openid-connect/token",
		form: url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}},
		out:  &token,
	})
	return token.AccessToken, err
}

// admin sends a request with the token of the bootstrap administrator.
func (k *Keycloak) admin(ctx context.Context, method, path string, in, out any) error {
	token, err := k.adminToken(ctx)
	if err != nil {
		return err
	}
	headers := map[string]string{"Authorization": "Bearer " + token}
	return do(ctx, call{method: method, url: k.URL + path, headers: headers, json: in, out: out, limit: time.Minute})
}

func (k *Keycloak) adminToken(ctx context.Context) (string, error) {
	k.token.mu.Lock()
	defer k.token.mu.Unlock()
	if time.Now().Before(k.token.until) {
		return k.token.value, nil
	}
	var out struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	form := url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {keycloakAdmin}, "password": {keycloakAdmin},
	}
	err := do(ctx, call{
		method: http.MethodPost, url: k.URL + "/realms/master/protocol/openid-connect/token", form: form, out: &out, limit: time.Minute,
	})
	if err != nil {
		return "", fmt.Errorf("logging in to keycloak: %w", err)
	}
	k.token.value, k.token.until = out.AccessToken, time.Now().Add(time.Duration(out.ExpiresIn)*time.Second/2)
	return out.AccessToken, nil
}
