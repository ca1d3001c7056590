package vault

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rotad/rotad/internal/credential"
)

// Consumer reads a version of what consumers read; number 0 = the current one. A path, or a version, that does not
// exist is Consumer{Version: 0} without an error.
//
// The bundle holds the fields that VaultPath.Fields maps and, under their own names, the usual ones that it does not
// map. Whatever else stands there belongs to others and is none of a rotation's business.
func (c *Client) Consumer(ctx context.Context, p credential.VaultPath, number int) (credential.Consumer, error) {
	v, err := c.readVersion(ctx, c.consumerPlace(p), number)
	if err != nil {
		return credential.Consumer{}, err
	}
	consumer := credential.Consumer{Version: v.Number, Created: v.Created, Deleted: v.Deleted}
	if !v.Deleted && v.Number != 0 {
		consumer.Bundle = bundleOf(v.Data, p)
	}
	return consumer, nil
}

func bundleOf(data map[string]json.RawMessage, p credential.VaultPath) credential.Bundle {
	bundle := credential.Bundle{}
	for _, field := range slices.AppendSeq(credential.UsualFields(), maps.Keys(p.Fields)) {
		if text, ok := scalar(data[p.Field(field)]); ok {
			bundle[field] = credential.NewSensitive(text)
		}
	}
	return bundle
}

// scalar returns the text of a string, a number or a boolean: tools write numeric secrets as numbers, and consumers
// read them as text. Objects, lists, null and what is missing are no text.
func scalar(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || strings.ContainsRune("{[n", rune(raw[0])) {
		return "", false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

// Promote writes the bundle's fields over the data of version cas, keeping every other key as it is, if the version is
// still cas (0 = never written). It returns the new version and Vault's time of it; errors as for Stage.
func (c *Client) Promote(
	ctx context.Context, p credential.VaultPath, cas int, b credential.Bundle,
) (int, time.Time, error) {
	l := c.consumerPlace(p)
	q := l.call("writing", "data")
	own, problem := encodeBundle(p, b)
	if problem != "" {
		return 0, time.Time{}, q.rejected(problem)
	}
	data, err := c.dataAt(ctx, l, cas)
	if err != nil {
		return 0, time.Time{}, err
	}
	maps.Copy(data, own)
	return c.writeVersion(ctx, l, cas, data)
}

// dataAt returns the data of version cas, onto which a write puts its own keys; none if that has been deleted, or nothing has
// ever been written.
func (c *Client) dataAt(ctx context.Context, l place, cas int) (map[string]json.RawMessage, error) {
	data := map[string]json.RawMessage{}
	if cas == 0 {
		return data, nil
	}
	base, err := c.readVersion(ctx, l, cas)
	if err != nil {
		return nil, err
	}
	if base.Number != cas {
		// Without the base the others' keys would be lost. A standby that is behind looks like this too.
		q := l.call("writing", "data")
		return nil, &Error{Op: q.op, Path: q.path, Class: ClassMismatch, cause: credential.ErrCAS}
	}
	maps.Copy(data, base.Data) // none if it has been deleted
	return data, nil
}

// encodeBundle returns the bundle under its names in Vault, or what is wrong with it.
func encodeBundle(p credential.VaultPath, b credential.Bundle) (map[string]json.RawMessage, string) {
	data := make(map[string]json.RawMessage, len(b))
	for field, value := range b {
		name, text := p.Field(field), value.Reveal()
		_, twice := data[name]
		raw, err := json.Marshal(text)
		switch {
		case twice:
			return nil, "two fields of the bundle have the same name " + name
		case text == "":
			return nil, "the field " + field + " is empty"
		case err != nil || !utf8.ValidString(text):
			return nil, "the field " + field + " is not UTF-8, which is all that Vault stores"
		}
		data[name] = raw
	}
	if len(data) == 0 {
		return nil, "the bundle is empty"
	}
	return data, ""
}

// DestroyConsumer destroys versions of a consumer path by number. A version that is gone already is no error.
func (c *Client) DestroyConsumer(ctx context.Context, p credential.VaultPath, versions []int) error {
	return c.destroy(ctx, c.consumerPlace(p), versions)
}
