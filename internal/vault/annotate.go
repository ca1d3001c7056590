package vault

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hashicorp/vault/api"

	"github.com/rotad/rotad/internal/credential"
)

// Annotate patches custom_metadata of a consumer path; an empty value removes a key, and others' keys survive. It is
// for people and never decides anything. Vault takes at most 64 keys, of 128 bytes, with values of 512 bytes.
func (c *Client) Annotate(ctx context.Context, p credential.VaultPath, meta map[string]string) error {
	if len(meta) == 0 {
		return nil
	}
	l := c.consumerPlace(p)
	if err := c.ready(ctx, l); err != nil {
		return err
	}
	err := c.patchMetadata(ctx, l, meta)
	if patchRefused(err) {
		return c.rewriteMetadata(ctx, l, meta)
	}
	return err
}

func (c *Client) patchMetadata(ctx context.Context, l place, meta map[string]string) error {
	patch := make(map[string]any, len(meta))
	for key, value := range meta {
		patch[key] = value
		if value == "" {
			patch[key] = nil // a null removes the key (RFC 7396)
		}
	}
	q := l.call("patching", "metadata")
	q.noLogin = true
	return c.do(ctx, q, func(ctx context.Context, client *api.Client) error {
		_, err := client.Logical().JSONMergePatch(ctx, q.path, map[string]any{"custom_metadata": patch})
		return err
	})
}

// patchRefused recognises a server or a policy that knows no PATCH, and a key that has no metadata yet.
func patchRefused(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotFound:
		return true
	}
	return false
}

// rewriteMetadata reads, changes and writes. Two that do so at once may lose a key of the slower one; Vault offers no
// compare-and-swap here, which is why nothing is decided by metadata.
func (c *Client) rewriteMetadata(ctx context.Context, l place, meta map[string]string) error {
	a, err := c.read(ctx, l.call("reading", "metadata"), nil)
	if err != nil {
		return err
	}
	var body struct {
		Data struct {
			Custom map[string]string `json:"custom_metadata"`
		} `json:"data"`
	}
	if json.Unmarshal(a.body, &body) != nil {
		return l.call("reading", "metadata").notUnderstood("this is no metadata")
	}
	merged := map[string]string{}
	for _, from := range []map[string]string{body.Data.Custom, meta} {
		for key, value := range from {
			merged[key] = value
			if value == "" {
				delete(merged, key)
			}
		}
	}
	_, err = c.write(ctx, l.call("writing", "metadata"), map[string]any{"custom_metadata": merged})
	return err
}
