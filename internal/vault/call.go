package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/hashicorp/vault/api"

	"github.com/rotad/rotad/internal/credential"
)

// call is one request as errors name it.
type call struct {
	op        string // gerund
	namespace string // empty = the configured one
	path      string // below v1/
	noLogin   bool   // a refusal is an answer here, not a reason to log in again
}

// do runs one request with the current token, under the deadline of one call. A refusal may only mean that the token
// has ended, so the client logs in again once and asks again: what Vault denies it has not done.
func (c *Client) do(ctx context.Context, q call, send func(context.Context, *api.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.settings.Timeout)
	defer cancel()
	used, err := c.loggedIn(ctx)
	if err != nil {
		return err
	}
	err = failure(q.op, q.path, send(ctx, used.client(q.namespace)))
	if !errors.Is(err, credential.ErrDenied) || q.noLogin {
		return err
	}
	fresh, own := c.loginAgain(ctx, used)
	if fresh == nil {
		return err
	}
	err = failure(q.op, q.path, send(ctx, fresh.client(q.namespace)))
	if own && !errors.Is(err, credential.ErrDenied) { // else a right is missing, and nothing was wrong with the token
		c.log.InfoContext(ctx, "vault did not accept the token any more; logged in again")
	}
	return err
}

// answer is what a read returned: a success, or the 404 that Vault gives for what is not there.
type answer struct {
	found bool
	body  []byte
}

// read asks for a path. A path that holds nothing is an answer without found; it may still have a body, because Vault
// describes deleted versions in the body of a 404.
func (c *Client) read(ctx context.Context, q call, query url.Values) (answer, error) {
	var a answer
	err := c.do(ctx, q, func(ctx context.Context, client *api.Client) error {
		response, err := client.Logical().ReadRawWithDataWithContext(ctx, q.path, query)
		if response == nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if err != nil && !isAbsence(err) {
			return err
		}
		var buffer bytes.Buffer
		if _, broken := buffer.ReadFrom(response.Body); broken != nil {
			return broken
		}
		a = answer{found: err == nil, body: buffer.Bytes()}
		return nil
	})
	return a, err
}

// isAbsence recognises Vault's own "there is nothing": a 404 in JSON without a complaint. Any other 404 (no mount, a
// proxy's page) must never be taken for an empty place.
func isAbsence(err error) bool {
	reply, ok := errors.AsType[*api.ResponseError](err)
	return ok && reply.StatusCode == http.StatusNotFound && !reply.RawError && len(reply.Errors) == 0
}

// write sends a body to a path and returns the "data" of the answer; nil where Vault answers without one.
func (c *Client) write(ctx context.Context, q call, body any) (map[string]any, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, &Error{Op: q.op, Path: q.path, Class: ClassRejected, Detail: "the data cannot be encoded"}
	}
	var data map[string]any
	err = c.do(ctx, q, func(ctx context.Context, client *api.Client) error {
		secret, failed := client.Logical().WriteBytesWithContext(ctx, q.path, raw)
		if secret != nil {
			data = secret.Data
		}
		return failed
	})
	return data, err
}

func (q call) notUnderstood(detail string) error {
	return &Error{Op: q.op, Path: q.path, Class: ClassNotUnderstood, Detail: detail}
}

func (q call) rejected(detail string) error {
	return &Error{Op: q.op, Path: q.path, Class: ClassRejected, Detail: detail}
}
