package vault

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
)

// place is one key of a KV v2 mount.
type place struct {
	namespace string // empty = the configured one
	mount     string
	path      string
}

func (c *Client) stagingPlace(key string) place {
	return place{mount: c.settings.Mount, path: c.settings.StagingPath + "/" + key}
}

func (c *Client) consumerPlace(p credential.VaultPath) place {
	return place{namespace: p.Namespace, mount: cut(p.Mount, c.settings.Mount), path: cut(p.Path, "")}
}

// call names a request to one side ("data", "metadata", "destroy") of the place.
func (l place) call(op, side string) call {
	return call{op: op, namespace: l.namespace, path: l.mount + "/" + side + "/" + l.path}
}

// version is one version as Vault holds it. Data stays undecoded, so that what others keep there is written back the
// way it was read.
type version struct {
	Number  int // 0 = there is none
	Created time.Time
	Deleted bool // deleted or destroyed: there is no Data
	Data    map[string]json.RawMessage
}

// readVersion reads one version; 0 = the current one.
func (c *Client) readVersion(ctx context.Context, l place, number int) (version, error) {
	if err := c.ready(ctx, l); err != nil {
		return version{}, err
	}
	var query url.Values
	if number != 0 {
		query = url.Values{"version": {strconv.Itoa(number)}}
	}
	q := l.call("reading", "data")
	a, err := c.read(ctx, q, query)
	if err != nil {
		return version{}, c.doubt(l, err)
	}
	v, ok := decodeVersion(a)
	if !ok {
		return version{}, c.doubt(l, q.notUnderstood("this is no KV v2 entry"))
	}
	return v, nil
}

// decodeVersion reads the answer to a read of "data". It says no to anything that is neither a version nor an absence.
func decodeVersion(a answer) (version, bool) {
	var body struct {
		Data struct {
			Data     map[string]json.RawMessage `json:"data"`
			Metadata struct {
				Version int       `json:"version"`
				Created time.Time `json:"created_time"`
			} `json:"metadata"`
		} `json:"data"`
		Errors *[]string `json:"errors"`
	}
	if json.Unmarshal(a.body, &body) != nil {
		return version{}, false
	}
	v := version{Number: body.Data.Metadata.Version, Created: body.Data.Metadata.Created.UTC()}
	switch {
	case v.Number == 0:
		return version{}, !a.found && body.Errors != nil
	case v.Number < 0, a.found && body.Data.Data == nil:
		return version{}, false
	}
	v.Data, v.Deleted = body.Data.Data, !a.found
	return v, true
}

// writeVersion writes a new version if the current one is still cas. It returns its number and Vault's time of it.
func (c *Client) writeVersion(
	ctx context.Context, l place, cas int, data map[string]json.RawMessage,
) (int, time.Time, error) {
	q := l.call("writing", "data")
	if cas < 0 {
		return 0, time.Time{}, q.rejected("there is no negative version")
	}
	if err := c.ready(ctx, l); err != nil {
		return 0, time.Time{}, err
	}
	failpoint.Hit("vault", "before", l.path)
	reply, err := c.write(ctx, q, map[string]any{"data": data, "options": map[string]int{"cas": cas}})
	if err != nil {
		return 0, time.Time{}, c.doubt(l, err)
	}
	failpoint.Hit("vault", "after", l.path)
	number, created, ok := decodeWritten(reply)
	if !ok || number <= cas {
		// A KV v1 mount takes anything, ignores the compare-and-swap, and answers without a version.
		return 0, time.Time{}, c.doubt(l, q.notUnderstood("the answer names no new version"))
	}
	return number, created, nil
}

func decodeWritten(reply map[string]any) (number int, created time.Time, ok bool) {
	digits, _ := reply["version"].(json.Number)
	text, _ := reply["created_time"].(string)
	number, err := strconv.Atoi(digits.String())
	if err != nil {
		return 0, time.Time{}, false
	}
	created, err = time.Parse(time.RFC3339Nano, text)
	return number, created.UTC(), err == nil
}

// destroy destroys versions by number. What is gone already is no error: Vault skips it.
func (c *Client) destroy(ctx context.Context, l place, versions []int) error {
	if len(versions) == 0 {
		return nil
	}
	if err := c.ready(ctx, l); err != nil {
		return err
	}
	_, err := c.write(ctx, l.call("destroying", "destroy"), map[string]any{"versions": versions})
	return err
}
