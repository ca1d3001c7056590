package vault

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/rotad/rotad/internal/credential"
)

// ready checks a place before it is used: its path is one that reaches Vault unchanged, and its mount is KV version 2.
// Version 1 would take our writes, ignore the compare-and-swap and say nothing. A mount that has been seen is not
// asked for again until an answer says that it is not there any more.
func (c *Client) ready(ctx context.Context, l place) error {
	for _, path := range []string{l.mount, l.path} {
		if err := checkPath(path); err != nil {
			return &Error{Op: "using", Path: l.mount + "/" + l.path, Class: ClassRejected, Detail: err.Error()}
		}
	}
	if _, seen := c.mounts.Load(l.mountKey()); seen {
		return nil
	}
	if err := c.checkMount(ctx, l); err != nil {
		return err
	}
	c.mounts.Store(l.mountKey(), struct{}{})
	return nil
}

func (l place) mountKey() string { return l.namespace + "\x00" + l.mount }

// doubt makes the next call look at the mount again, after an answer that a KV v2 mount would not give: somebody may
// have put another one in its place.
func (c *Client) doubt(l place, err error) error {
	if class := ClassOf(err); class == ClassNoMount || class == ClassNotUnderstood {
		c.mounts.Delete(l.mountKey())
	}
	return err
}

// checkMount asks through the endpoint that every token may use which has a right somewhere in the mount. Vault gives
// the same refusal for a mount that does not exist.
func (c *Client) checkMount(ctx context.Context, l place) error {
	q := call{op: "looking at the mount in", namespace: l.namespace, path: "sys/internal/ui/mounts/" + l.mount}
	a, err := c.read(ctx, q, nil)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && e.Class == ClassDenied {
			e.Detail = "there is no such mount, or the token has no right in it"
		}
		return err
	}
	var body struct {
		Data struct {
			Path    string            `json:"path"`
			Type    string            `json:"type"`
			Options map[string]string `json:"options"`
		} `json:"data"`
	}
	if !a.found || json.Unmarshal(a.body, &body) != nil {
		return q.notUnderstood("this is no description of a mount")
	}
	kv := body.Data.Type == "kv" || body.Data.Type == "generic"
	if !kv || body.Data.Options["version"] != "2" || body.Data.Path != l.mount+"/" {
		return &Error{
			Op: q.op, Path: q.path, Class: ClassNoMount, cause: credential.ErrNoMount,
			Detail: "there is another mount at this path than KV version 2",
		}
	}
	return nil
}
