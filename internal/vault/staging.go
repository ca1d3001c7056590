package vault

import (
	"context"
	"encoding/json"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// instanceKey is the entry beside the clients' ones that holds the id of this rotad. Their keys are hex, so the names
// cannot meet.
const instanceKey = "instance"

// Staging reads a client's staging entry. No entry is Entry{Version: 0} without an error; a deleted one has a version
// and no content.
func (c *Client) Staging(ctx context.Context, key string) (credential.Entry, error) {
	l := c.stagingPlace(key)
	v, err := c.readVersion(ctx, l, 0)
	if err != nil {
		return credential.Entry{}, err
	}
	entry := credential.Entry{Version: v.Number, Created: v.Created, Deleted: v.Deleted}
	if v.Number == 0 || v.Deleted {
		return entry, nil
	}
	if entry.Staging, err = decodeStaging(v.Data); err != nil {
		return entry, l.call("reading", "data").notUnderstood(err.Error())
	}
	return entry, nil
}

// Stage writes a staging entry if the entry's version is still cas (0 = there has never been one), and returns the new
// version and Vault's time of it. It sends the request once. credential.ErrCAS: another version stands there, possibly
// our own whose reply was lost; read it and compare.
func (c *Client) Stage(ctx context.Context, key string, cas int, s credential.Staging) (int, time.Time, error) {
	l := c.stagingPlace(key)
	data, err := encodeStaging(s)
	if err != nil {
		return 0, time.Time{}, l.call("writing", "data").rejected(err.Error())
	}
	return c.writeVersion(ctx, l, cas, data)
}

// DestroyStaging destroys versions of a staging entry by number. A version that is gone already is no error.
func (c *Client) DestroyStaging(ctx context.Context, key string, versions []int) error {
	return c.destroy(ctx, c.stagingPlace(key), versions)
}

// Instance returns the id of this rotad as Vault keeps it; empty = none has been adopted.
func (c *Client) Instance(ctx context.Context) (string, error) {
	id, _, err := c.instance(ctx)
	return id, err
}

// AdoptInstance stores id as the id of this rotad unless Vault keeps one already, and returns the one that counts.
func (c *Client) AdoptInstance(ctx context.Context, id string) (string, error) {
	l := c.stagingPlace(instanceKey)
	if id == "" {
		return "", l.call("writing", "data").rejected("an instance id is needed")
	}
	kept, at, err := c.instance(ctx)
	if err != nil || kept != "" {
		return kept, err
	}
	raw, err := json.Marshal(id)
	if err != nil {
		return "", l.call("writing", "data").rejected("the instance id cannot be encoded")
	}
	_, _, err = c.writeVersion(ctx, l, at, map[string]json.RawMessage{instanceKey: raw})
	if err == nil {
		return id, nil
	}
	// Somebody was faster, or the reply was lost: what stands there now is the answer.
	if kept, _, again := c.instance(ctx); again == nil && kept != "" {
		return kept, nil
	}
	return "", err
}

func (c *Client) instance(ctx context.Context) (id string, at int, err error) {
	l := c.stagingPlace(instanceKey)
	v, err := c.readVersion(ctx, l, 0)
	if err != nil || v.Number == 0 || v.Deleted {
		return "", v.Number, err
	}
	if json.Unmarshal(v.Data[instanceKey], &id) != nil || id == "" {
		return "", v.Number, l.call("reading", "data").notUnderstood("there is no instance id in it")
	}
	return id, v.Number, nil
}

// Writable says whether a staging entry could be written now: Vault is open, the mount is KV v2, and the token has the
// rights. It writes nothing. Whether a write succeeds is known only once it has.
func (c *Client) Writable(ctx context.Context, key string) error {
	l := c.stagingPlace(key)
	if err := c.ready(ctx, l); err != nil {
		return err
	}
	q := l.call("asking for rights in", "data")
	rights, err := c.capabilities(ctx, l.namespace, []string{q.path})
	if err != nil {
		return err
	}
	if missing := lacking(rights[q.path], "create", "update", "read"); len(missing) > 0 {
		return &Error{
			Op: q.op, Path: q.path, Class: ClassDenied, cause: credential.ErrDenied,
			Detail: "missing: " + join(missing),
		}
	}
	return nil
}
