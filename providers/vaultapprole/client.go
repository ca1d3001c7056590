package vaultapprole

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api speaks to one AppRole mount.
type api struct {
	http      *httpapi.Client
	anonymous *httpapi.Client
	mount     string
}

// path is below the mount, whose own path may have several segments.
func (a api) path(segments ...string) string {
	mount := strings.Split(strings.Trim(a.mount, "/"), "/")
	return httpapi.Path(slices.Concat([]string{"auth"}, mount, segments)...)
}

// reply is the envelope of every answer.
type reply[T any] struct {
	Data T `json:"data"`
}

// role is what a role says about its SecretIDs.
type role struct {
	Bound   *bool `json:"bind_secret_id"`
	NumUses int   `json:"secret_id_num_uses"`
	TTL     int64 `json:"secret_id_ttl"` // seconds; 0 = not limited
}

// entry is a SecretID without its value.
type entry struct {
	Accessor string            `json:"secret_id_accessor"`
	Created  time.Time         `json:"creation_time"`
	Expires  time.Time         `json:"expiration_time"` // the year 1 = never
	Metadata map[string]string `json:"metadata"`
}

// metadataLabel is the key of rotad's label. Vault copies metadata to the tokens of every login.
const metadataLabel = "rotad"

func (e entry) secret() credential.Secret {
	s := credential.Secret{
		ID: e.Accessor, Start: e.Created.UTC(), Expires: e.Expires.UTC(), Label: e.Metadata[metadataLabel],
	}
	if e.Expires.Year() <= 1 {
		s.Expires, s.Never = time.Time{}, true
	}
	return s
}

// created is the answer to a create.
type created struct {
	SecretID string `json:"secret_id"`
	Accessor string `json:"secret_id_accessor"`
	TTL      int64  `json:"secret_id_ttl"` // seconds; 0 = it never expires
}

// loggedIn is the answer to a login.
type loggedIn struct {
	Token string          `json:"client_token"`
	Lease int64           `json:"lease_duration"` // seconds
	MFA   json.RawMessage `json:"mfa_requirement"`
}

func (a api) read(ctx context.Context, operation string, out any, segments ...string) (*httpapi.Response, error) {
	return a.http.Into(ctx, httpapi.Request{Operation: operation, Method: http.MethodGet, Path: a.path(segments...)}, out)
}

func (a api) role(ctx context.Context, operation, name string) (role, *httpapi.Response, error) {
	var r reply[role]
	resp, err := a.read(ctx, operation, &r, "role", name)
	return r.Data, resp, err
}

func (a api) roleID(ctx context.Context, operation, name string) (string, error) {
	var r reply[struct {
		RoleID string `json:"role_id"`
	}]
	resp, err := a.read(ctx, operation, &r, "role", name, "role-id")
	if err == nil && r.Data.RoleID == "" {
		err = resp.Missing("role_id")
	}
	return r.Data.RoleID, err
}

// accessors lists a role's SecretIDs. Vault says 404 where there are none.
func (a api) accessors(ctx context.Context, operation, name string) ([]string, error) {
	var r reply[struct {
		Keys []string `json:"keys"`
	}]
	_, err := a.http.Into(ctx, httpapi.Request{
		Operation: operation, Method: "LIST", Path: a.path("role", name, "secret-id"),
	}, &r)
	if providers.ClassOf(err) == providers.ClassNotFound {
		return nil, nil
	}
	return r.Data.Keys, err
}

// lookup finds a SecretID by its accessor or by its value; ok = false: there is none.
func (a api) lookup(ctx context.Context, operation, name, by, what string) (e entry, ok bool, err error) {
	place := "secret-id"
	if by == "secret_id_accessor" {
		place = "secret-id-accessor"
	}
	resp, err := a.http.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPost, Path: a.path("role", name, place, "lookup"),
		JSON: map[string]string{by: what},
	})
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound:
		return entry{}, false, nil
	case err != nil:
		return entry{}, false, err
	case resp.Status == http.StatusNoContent:
		return entry{}, false, nil
	}
	var r reply[entry]
	if err := resp.Decode(&r); err != nil {
		return entry{}, false, err
	}
	if r.Data.Accessor == "" {
		return entry{}, false, resp.Missing("secret_id_accessor")
	}
	return r.Data, true, nil
}

// create makes a SecretID. It is the one request of this package that creates. An empty value lets Vault choose.
func (a api) create(
	ctx context.Context, name, label string, ttl time.Duration, value credential.Sensitive,
) (*httpapi.Response, error) {
	metadata, err := json.Marshal(map[string]string{metadataLabel: label})
	if err != nil {
		return nil, err
	}
	body, place := map[string]string{"metadata": string(metadata)}, "secret-id"
	if ttl > 0 {
		body["ttl"] = strconv.FormatInt(int64(ttl/time.Second), 10) + "s"
	}
	if !value.Empty() {
		body["secret_id"], place = value.Reveal(), "custom-secret-id"
	}
	return a.http.Do(ctx, httpapi.Request{
		Operation: "create", Method: http.MethodPost, Path: a.path("role", name, place), JSON: body, Mutates: true,
	})
}

// destroy deletes a SecretID by its accessor. Vault reports one that is gone as an accident of its own.
func (a api) destroy(ctx context.Context, name, accessor string) error {
	resp, err := a.http.Do(ctx, httpapi.Request{
		Operation: "revoke", Method: http.MethodPost, Path: a.path("role", name, "secret-id-accessor", "destroy"),
		JSON: map[string]string{"secret_id_accessor": accessor}, Mutates: true,
	})
	if err == nil || says(resp, "failed to find accessor entry") || says(resp, "invalid secret id accessor") ||
		providers.ClassOf(err) == providers.ClassNotFound {
		return nil
	}
	return err
}

// login logs in with a SecretID. It leaves a token behind, which the caller revokes.
func (a api) login(
	ctx context.Context, operation, roleID string, secret credential.Sensitive,
) (loggedIn, *httpapi.Response, error) {
	var r struct {
		Auth loggedIn `json:"auth"`
	}
	resp, err := a.anonymous.Into(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPost, Path: a.path("login"), Anonymous: true,
		JSON: map[string]string{"role_id": roleID, "secret_id": secret.Reveal()},
	}, &r)
	return r.Auth, resp, err
}

// logout revokes a token. It is a kindness: the token would end by itself.
func (a api) logout(ctx context.Context, token string) {
	h := http.Header{}
	authorize(h, credential.NewSensitive(token))
	_, _ = a.anonymous.Do(ctx, httpapi.Request{
		Operation: "logout", Method: http.MethodPost, Path: httpapi.Path("auth", "token", "revoke-self"),
		Header: h, Anonymous: true,
	})
}
