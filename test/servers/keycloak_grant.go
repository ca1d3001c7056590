package servers

import (
	"context"
	"fmt"
	"net/http"
)

// ForgetRotated ends the previous secret of a client at once, as a person in the console would.
func (k *Keycloak) ForgetRotated(ctx context.Context, realm, id string) error {
	c, err := k.Client(ctx, realm, id)
	if err != nil {
		return err
	}
	return k.admin(ctx, http.MethodDelete, "/admin/realms/"+realm+"/clients/"+c.UUID+"/client-secret/rotated", nil, nil)
}

// Grant gives rotad's account in a realm a role of the client realm-management.
func (k *Keycloak) Grant(ctx context.Context, realm, role string) error {
	base := "/admin/realms/" + realm
	var users []struct {
		ID string `json:"id"`
	}
	if err := k.admin(ctx, http.MethodGet, base+"/users?exact=true&username=service-account-rotad", nil, &users); err != nil {
		return fmt.Errorf("looking for rotad's account: %w", err)
	}
	if len(users) != 1 {
		return fmt.Errorf("looking for rotad's account: found %d", len(users))
	}
	management, err := k.Client(ctx, realm, "realm-management")
	if err != nil {
		return err
	}
	var found map[string]any
	if err := k.admin(ctx, http.MethodGet, base+"/clients/"+management.UUID+"/roles/"+role, nil, &found); err != nil {
		return fmt.Errorf("looking for the role %s: %w", role, err)
	}
	path := base + "/users/" + users[0].ID + "/role-mappings/clients/" + management.UUID
	if err := k.admin(ctx, http.MethodPost, path, []any{found}, nil); err != nil {
		return fmt.Errorf("granting the role %s: %w", role, err)
	}
	return nil
}
