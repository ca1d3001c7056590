package servers

import (
	"context"
	"fmt"
	"net/http"
)

// KeycloakRegistrations is the registration endpoint (RFC 7591) below the address of a realm.
const KeycloakRegistrations = "/clients-registrations/openid-connect"

// Register registers a client as it would itself, with an initial access token of the realm. Keycloak 26.5 answers an update
// of a registration with 500 unless the client came to be this way: it looks the client up by the client_id as if that were
// its UUID, and only here they are the same.
func (k *Keycloak) Register(ctx context.Context, realm string) (Registration, error) {
	var initial struct {
		Token string `json:"token"`
	}
	err := k.admin(ctx, http.MethodPost, "/admin/realms/"+realm+"/clients-initial-access", map[string]any{"count": 1}, &initial)
	if err != nil {
		return Registration{}, fmt.Errorf("asking for an initial access token: %w", err)
	}
	var r Registration
	err = do(ctx, call{
		method: http.MethodPost, url: k.URL + "/realms/" + realm + KeycloakRegistrations, out: &r, json: billing(),
		headers: map[string]string{"Authorization": "Bearer " + initial.Token},
	})
	return r, err
}

// billing is what a client registers.
func billing() map[string]any {
	return map[string]any{
		"redirect_uris": []string{"https://billing.example.com/cb"}, "client_name": "Billing <&>",
		"grant_types": []string{"authorization_code", "client_credentials"}, "response_types": []string{"code"},
	}
}

// RegistrationToken makes a new registration access token for a client, as a person in the console would. The one before
// it is good for nothing.
func (k *Keycloak) RegistrationToken(ctx context.Context, realm, id string) (string, error) {
	c, err := k.Client(ctx, realm, id)
	if err != nil {
		return "", err
	}
	var out struct {
		Token string `json:"registrationAccessToken"`
	}
	err = k.admin(ctx, http.MethodPost, "/admin/realms/"+realm+"/clients/"+c.UUID+"/registration-access-token", nil, &out)
	return out.Token, err
}
