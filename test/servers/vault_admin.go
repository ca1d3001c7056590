package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Prepare mounts KV version 2 at secret/, enables AppRole and gives rotad a role with exactly the policy given.
func (v *Vault) Prepare(ctx context.Context, policy string, tokenTTL time.Duration) error {
	ttl := strconv.Itoa(int(tokenTTL.Seconds())) + "s"
	steps := []struct {
		path string
		body map[string]any
	}{
		{"sys/mounts/secret", map[string]any{"type": "kv", "options": map[string]any{"version": "2"}}},
		{"sys/auth/approle", map[string]any{"type": "approle"}},
		{"sys/policies/acl/rotad", map[string]any{"policy": policy}},
		{"auth/approle/role/rotad", map[string]any{
			"role_id": "rotad", "token_policies": "rotad", "token_no_default_policy": true,
			"token_ttl": ttl, "token_max_ttl": ttl,
		}},
	}
	for _, step := range steps {
		if err := v.root(ctx, http.MethodPost, step.path, step.body, nil); err != nil {
			return fmt.Errorf("preparing vault: %w", err)
		}
	}
	v.RoleID = "rotad"
	return nil
}

// SetPolicy writes a policy.
func (v *Vault) SetPolicy(ctx context.Context, name, policy string) error {
	return v.root(ctx, http.MethodPost, "sys/policies/acl/"+name, map[string]any{"policy": policy}, nil)
}

// Configure writes settings to a path below /v1/, with the root token.
func (v *Vault) Configure(ctx context.Context, path string, settings map[string]any) error {
	return v.root(ctx, http.MethodPost, path, settings, nil)
}

// Role creates an AppRole; rotad rotates its SecretIDs where it is a client.
func (v *Vault) Role(ctx context.Context, name string, settings map[string]any) error {
	return v.root(ctx, http.MethodPost, "auth/approle/role/"+name, settings, nil)
}

// SecretID is a SecretID as it is issued.
type SecretID struct {
	Value    string `json:"secret_id"`
	Accessor string `json:"secret_id_accessor"`
}

// NewSecretID issues a SecretID of a role.
func (v *Vault) NewSecretID(ctx context.Context, role string) (SecretID, error) {
	var out struct {
		Data SecretID `json:"data"`
	}
	err := v.root(ctx, http.MethodPost, "auth/approle/role/"+role+"/secret-id", map[string]any{}, &out)
	return out.Data, err
}

// LabelSecretID issues a SecretID of a role with a label, as rotad marks its own.
func (v *Vault) LabelSecretID(ctx context.Context, role, label string) error {
	metadata, err := json.Marshal(map[string]string{"rotad": label})
	if err != nil {
		return fmt.Errorf("encoding a label: %w", err)
	}
	path := "auth/approle/role/" + role + "/secret-id"
	return v.root(ctx, http.MethodPost, path, map[string]any{"metadata": string(metadata)}, nil)
}

// Accessors lists the SecretIDs of a role that exist.
func (v *Vault) Accessors(ctx context.Context, role string) ([]string, error) {
	var out struct {
		Data struct {
			Keys []string `json:"keys"`
		} `json:"data"`
	}
	err := v.root(ctx, "LIST", "auth/approle/role/"+role+"/secret-id", nil, &out)
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return out.Data.Keys, err
}

// Login says whether an AppRole login is accepted.
func (v *Vault) Login(ctx context.Context, roleID, secretID string) (bool, error) {
	err := do(ctx, call{
		method: http.MethodPost, url: v.URL + "/v1/auth/approle/login",
		json: map[string]any{"role_id": roleID, "secret_id": secretID},
	})
	if isStatus(err, http.StatusBadRequest) {
		return false, nil
	}
	return err == nil, err
}

func isStatus(err error, status int) bool {
	var answer *StatusError
	return errors.As(err, &answer) && answer.Status == status
}

// Put writes a new version of a path below secret/ and returns its number.
func (v *Vault) Put(ctx context.Context, path string, data map[string]any) (int, error) {
	var out struct {
		Data struct {
			Version int `json:"version"`
		} `json:"data"`
	}
	err := v.root(ctx, http.MethodPost, "secret/data/"+path, map[string]any{"data": data}, &out)
	return out.Data.Version, err
}

// Version is one version of a path, as its metadata tells.
type Version struct {
	Created   time.Time `json:"created_time"`
	Deleted   string    `json:"deletion_time"` // empty = it has not been deleted
	Destroyed bool      `json:"destroyed"`
}

// Stored is a version of a path with its values.
type Stored struct {
	Version int
	Values  map[string]json.RawMessage // byte for byte as they were stored
}

// Text returns a value that is a string.
func (s Stored) Text(name string) string {
	var text string
	if err := json.Unmarshal(s.Values[name], &text); err != nil {
		return ""
	}
	return text
}

// Get reads a version of a path below secret/; version 0 is the current one. A path without a value gives Version 0.
func (v *Vault) Get(ctx context.Context, path string, version int) (Stored, error) {
	var out struct {
		Data struct {
			Data     map[string]json.RawMessage `json:"data"`
			Metadata struct {
				Version int `json:"version"`
			} `json:"metadata"`
		} `json:"data"`
	}
	err := v.root(ctx, http.MethodGet, fmt.Sprintf("secret/data/%s?version=%d", path, version), nil, &out)
	if isStatus(err, http.StatusNotFound) {
		return Stored{}, nil
	}
	return Stored{Version: out.Data.Metadata.Version, Values: out.Data.Data}, err
}

// Metadata is what Vault keeps about a path.
type Metadata struct {
	Current  int               `json:"current_version"`
	Versions map[int]Version   `json:"versions"`
	Custom   map[string]string `json:"custom_metadata"`
}

// Metadata reads the metadata of a path below secret/.
func (v *Vault) Metadata(ctx context.Context, path string) (Metadata, error) {
	var out struct {
		Data Metadata `json:"data"`
	}
	err := v.root(ctx, http.MethodGet, "secret/metadata/"+path, nil, &out)
	if isStatus(err, http.StatusNotFound) {
		return Metadata{}, nil
	}
	return out.Data, err
}

// SetCustom writes custom metadata of a path, as another tool might.
func (v *Vault) SetCustom(ctx context.Context, path string, custom map[string]string) error {
	return v.root(ctx, http.MethodPost, "secret/metadata/"+path, map[string]any{"custom_metadata": custom}, nil)
}

// List lists the names below a path below secret/.
func (v *Vault) List(ctx context.Context, path string) ([]string, error) {
	var out struct {
		Data struct {
			Keys []string `json:"keys"`
		} `json:"data"`
	}
	err := v.root(ctx, "LIST", "secret/metadata/"+path, nil, &out)
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return out.Data.Keys, err
}
