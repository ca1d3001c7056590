package dex

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

// api is the protocol: gRPC calls, each one POST over HTTP/2.
type api struct{ client *httpapi.Client }

// service is the path of Dex's gRPC service.
const service = "/api.Dex/"

// Codes of gRPC that say more than "it failed" (grpc.github.io/grpc/core/md_doc_statuscodes.html).
const (
	codeOK              = 0
	codeUnknown         = 2
	codeDeadline        = 4
	codePermission      = 7
	codeExhausted       = 8
	codeUnimplemented   = 12
	codeUnavailable     = 14
	codeUnauthenticated = 16
	contentType         = "application/grpc"
	headerStatus        = "Grpc-Status"
	headerMessage       = "Grpc-Message"
	prefix              = 5 // bytes before a message: whether it is compressed, and its length
	staticClients       = "static clients"
)

var (
	errNotGRPC = errors.New("the reply is no answer of a gRPC server")
	errStatic  = errors.New("the client stands in Dex's own configuration, which no call can change: exchange its secret there, and use the kind manual")
	errOld     = errors.New("this Dex cannot show a client (GetClient came with its API 2.3): rotad needs a newer one")
	errRefused = errors.New("the call was refused")
)

// ask makes one call. The answer is a message; beside an error the response, where there was one.
func (a api) ask(ctx context.Context, operation, method string, request []byte, mutates bool) ([]byte, *httpapi.Response, error) {
	body := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(request))) //nolint:gosec // a message is as long as one client
	resp, err := a.client.Do(ctx, httpapi.Request{
		Operation: operation, Method: http.MethodPost, Path: service + method, Body: append(body, request...), Mutates: mutates,
		Header: http.Header{"Content-Type": {contentType}, "Accept": {contentType}, "Te": {"trailers"}},
	})
	if err != nil {
		return nil, resp, err
	}
	status, said := resp.Trailer.Get(headerStatus), resp.Trailer.Get(headerMessage)
	if status == "" { // an answer without a message has both in its headers
		status, said = resp.Header.Get(headerStatus), resp.Header.Get(headerMessage)
	}
	code, failed := strconv.Atoi(status)
	if failed != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), contentType) {
		return nil, resp, resp.Missing("the status of a gRPC call")
	}
	if code != codeOK {
		class, cause := meaning(code, said, mutates)
		return nil, resp, resp.Failed(class, cause)
	}
	message, err := unframed([]byte(resp.Raw().Reveal()))
	if err != nil {
		return nil, resp, resp.Missing("a message")
	}
	return message, resp, nil
}

// unframed takes the one message out of a body.
func unframed(body []byte) ([]byte, error) {
	if len(body) < prefix || body[0] != 0 || int64(binary.BigEndian.Uint32(body[1:])) != int64(len(body)-prefix) {
		return nil, errNotGRPC
	}
	return body[prefix:], nil
}

// meaning says what a failed call lets one conclude. Its words are our own.
func meaning(code int, said string, mutates bool) (providers.Class, error) {
	unknown := providers.ClassUnavailable
	if mutates {
		unknown = providers.ClassIndeterminate
	}
	switch code {
	case codePermission, codeUnauthenticated:
		return providers.ClassAuth, errRefused
	case codeUnimplemented:
		return providers.ClassUnsupported, errOld
	case codeExhausted:
		return providers.ClassThrottled, errRefused
	case codeUnknown:
		if strings.Contains(said, staticClients) {
			return providers.ClassUnsupported, errStatic
		}
		return unknown, errRefused
	case codeDeadline, codeUnavailable:
		return unknown, errRefused
	}
	return unknown, errRefused
}

// client is one of Dex's.
type client struct {
	id     string
	secret credential.Sensitive
	public bool
	raw    []byte    // as it came; it holds the secret, so it never leaves this package
	time   time.Time // the server's clock; zero = not known
}

var (
	errUnknown = errors.New("no client with this id exists")
	errPublic  = errors.New("the client is public, so it has no secret that anybody checks")
	errOther   = errors.New("the answer is about another client, or shows no secret")
)

// get looks a client up by its id. Dex says "unknown" with the words "not found" where there is none.
func (a api) get(ctx context.Context, operation, id string) (client, error) {
	message, resp, err := a.ask(ctx, operation, "GetClient", put(nil, fieldID, []byte(id)), false)
	if err != nil {
		if resp != nil && says(resp, "not found") {
			err = resp.Failed(providers.ClassNotFound, errUnknown)
		}
		return client{}, err
	}
	raw, err := text(message, fieldClient)
	if err != nil || raw == nil {
		return client{}, resp.Failed(providers.ClassUnavailable, errOther)
	}
	c, err := decode(raw)
	if err != nil || c.id != id {
		return client{}, resp.Failed(providers.ClassUnavailable, errOther)
	}
	c.time = resp.Time
	return c, nil
}

func says(resp *httpapi.Response, words string) bool {
	for _, h := range []http.Header{resp.Trailer, resp.Header} {
		if strings.Contains(h.Get(headerMessage), words) {
			return true
		}
	}
	return false
}

func decode(raw []byte) (client, error) {
	id, err := text(raw, fieldClientID)
	if err != nil {
		return client{}, err
	}
	secret, err := text(raw, fieldClientSecret)
	if err != nil {
		return client{}, err
	}
	public, err := flag(raw, fieldClientPublic)
	return client{id: string(id), secret: credential.NewSensitive(string(secret)), public: public, raw: bytes.Clone(raw)}, err
}

// as returns the client under another id, or with another secret.
func (c client) as(id string, secret credential.Sensitive) (client, error) {
	raw, err := with(c.raw, map[uint64][]byte{fieldClientID: []byte(id), fieldClientSecret: []byte(secret.Reveal())})
	return client{id: id, secret: secret, public: c.public, raw: raw, time: c.time}, err
}

// create makes a client. One that exists already is left as it is, which the answer says.
func (a api) create(ctx context.Context, c client) (exists bool, resp *httpapi.Response, err error) {
	message, resp, err := a.ask(ctx, "create", "CreateClient", put(nil, fieldClient, c.raw), true)
	if err != nil {
		return false, resp, err
	}
	exists, err = flag(message, fieldExists)
	if err != nil {
		return false, resp, resp.Missing("already_exists")
	}
	return exists, resp, nil
}

// remove deletes a client. One that is gone already is what was wanted.
func (a api) remove(ctx context.Context, id string) error {
	_, _, err := a.ask(ctx, "create", "DeleteClient", put(nil, fieldID, []byte(id)), true)
	return err
}

// issued is the secret of a client as rotad knows it. Dex notes no dates, and its secrets never expire.
func (c client) issued() providers.Issued {
	return providers.Issued{
		Secret: credential.Secret{ID: versionID(c.id, c.secret), Slot: providers.SlotCurrent, Never: true},
		Bundle: credential.Bundle{credential.FieldClientID: credential.NewSensitive(c.id), credential.FieldClientSecret: c.secret},
	}
}

// versionRounds makes guessing a weak, hand-made secret from its id as slow as it can be without slowing a scan down.
const versionRounds = 4096

// versionID names a secret that has no id: a slow fingerprint, salted with the client, that nobody can turn back.
func versionID(clientID string, value credential.Sensitive) string {
	sum, err := pbkdf2.Key(sha256.New, value.Reveal(), []byte("rotad dex\x00"+clientID), versionRounds, 8)
	if err != nil { // the length is constant
		return ""
	}
	return "v-" + hex.EncodeToString(sum)
}

// fault is an error that no reply caused.
func (a api) fault(operation string, class providers.Class, cause error) error {
	return &providers.Error{Class: class, Provider: a.client.Provider(), Operation: operation, Err: cause}
}
