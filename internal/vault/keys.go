package vault

import (
	"context"
	"encoding/json"
	"maps"
	"unicode/utf8"

	"github.com/rotad/rotad/internal/credential"
)

// HasKeys says whether the current version of a path holds keys as they are wanted, each as a text, and which version that is. 0
// = nothing has ever been written; a version that has been deleted has its number and holds nothing.
func (c *Client) HasKeys(ctx context.Context, p credential.VaultPath, want credential.Keys) (version int, has bool, err error) {
	v, err := c.readVersion(ctx, c.consumerPlace(p), 0)
	if err != nil {
		return 0, false, err
	}
	return v.Number, v.Number != 0 && !v.Deleted && holds(v.Data, want), nil
}

func holds(data map[string]json.RawMessage, want credential.Keys) bool {
	for key, value := range want.Values {
		var have *string // null is no text
		if json.Unmarshal(data[key], &have) != nil || have == nil || !credential.NewSensitive(*have).Equal(value) {
			return false
		}
	}
	for _, key := range want.Gone {
		if _, ok := data[key]; ok {
			return false
		}
	}
	return true
}

// PutKeys writes keys over the data of version cas, and keeps every other key as it is, if the version is still cas (0 =
// never written). It returns the new version; errors as for Stage.
func (c *Client) PutKeys(ctx context.Context, p credential.VaultPath, cas int, want credential.Keys) (version int, err error) {
	l := c.consumerPlace(p)
	own, problem := encodeKeys(want)
	if problem != "" {
		return 0, l.call("writing", "data").rejected(problem)
	}
	data, err := c.dataAt(ctx, l, cas)
	if err != nil {
		return 0, err
	}
	maps.Copy(data, own)
	for _, key := range want.Gone {
		delete(data, key)
	}
	version, _, err = c.writeVersion(ctx, l, cas, data)
	return version, err
}

// encodeKeys returns values as Vault takes them, or what is wrong with them.
func encodeKeys(want credential.Keys) (map[string]json.RawMessage, string) {
	data := make(map[string]json.RawMessage, len(want.Values))
	for key, value := range want.Values {
		raw, err := json.Marshal(value.Reveal())
		if err != nil || !utf8.ValidString(value.Reveal()) {
			return nil, "the key " + key + " is not UTF-8, which is all that Vault stores"
		}
		data[key] = raw
	}
	return data, ""
}
