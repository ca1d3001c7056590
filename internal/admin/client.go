package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Client asks a running daemon. It is a Reader, an Actor and a Copier.
type Client struct {
	socket string
	http   *http.Client
}

// dialTimeout bounds the wait for a daemon that does not accept.
const dialTimeout = 5 * time.Second

// NewClient makes a client of the socket at an address. Nothing is asked yet. Errors of its methods wrap ErrNoDaemon or
// ErrNoRight where the daemon could not be asked, and are an *Error where it said no.
func NewClient(address string) *Client {
	socket := Path(address)
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", socket)
		},
		MaxIdleConns:    1,
		IdleConnTimeout: dialTimeout,
	}}}
}

// Socket returns the path of the socket.
func (c *Client) Socket() string { return c.socket }

// Get returns the record of a client; ok is false if there is none.
func (c *Client) Get(ctx context.Context, id string) (rec credential.Record, ok bool, err error) {
	err = c.read(ctx, pathClient, url.Values{"id": {id}}, &rec)
	var answer *Error
	if errors.As(err, &answer) && answer.Class == ClassNotFound {
		return credential.Record{}, false, nil
	}
	return rec, err == nil, err
}

// List returns records in the order of their ids, those after an id, at most n.
func (c *Client) List(ctx context.Context, after string, n int) (list []credential.Record, err error) {
	return list, c.read(ctx, pathClients, url.Values{"after": {after}, "n": {strconv.Itoa(n)}}, &list)
}

// History returns the audit entries of a client, newest first, at most n.
func (c *Client) History(ctx context.Context, id string, n int) (entries []credential.Audit, err error) {
	return entries, c.read(ctx, pathHistory, url.Values{"id": {id}, "n": {strconv.Itoa(n)}}, &entries)
}

// World returns the daemon's clock and policies.
func (c *Client) World(ctx context.Context) (w World, err error) {
	return w, c.read(ctx, pathWorld, nil, &w)
}

// Do asks for something. The actor of the command is whom the kernel names, not Command.Actor.
func (c *Client) Do(ctx context.Context, cmd Command) (answer Reply, err error) {
	if err = cmd.check(); err != nil {
		return answer, err
	}
	body, err := encodeCommand(cmd)
	if err != nil {
		return answer, fmt.Errorf("encoding the request: %w", err)
	}
	resp, err := c.send(ctx, http.MethodPost, pathDo, nil, body)
	if err != nil {
		return answer, err
	}
	return answer, decodeAnswer(resp, &answer)
}

// WriteTo writes a copy of the daemon's state. An error means that the copy is not complete.
func (c *Client) WriteTo(ctx context.Context, w io.Writer) (n int64, err error) {
	from, err := c.send(ctx, http.MethodGet, pathBackup, nil, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if n, err = io.Copy(w, from); err != nil {
		return n, fmt.Errorf("copying the state: %w", err)
	}
	return n, nil
}

func (c *Client) read(ctx context.Context, path string, query url.Values, into any) error {
	resp, err := c.send(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	return decodeAnswer(resp, into)
}

func decodeAnswer(from io.ReadCloser, into any) (err error) {
	defer func() { err = errors.Join(err, from.Close()) }()
	if json.NewDecoder(from).Decode(into) != nil {
		return errors.New("the daemon's answer cannot be read; use the same version of rotad for the daemon and for the commands")
	}
	return nil
}

// send sends one request and returns the body of the answer if it is yes. The caller closes it.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
	address := url.URL{Scheme: "http", Host: "rotad", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("building the request: %w", err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	var said errorBody
	err = json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&said)
	if err = errors.Join(err, resp.Body.Close()); err != nil || said.Error == "" {
		said = errorBody{"the daemon answered " + resp.Status, "the log of the daemon says more"}
	}
	return nil, &Error{Class: classOf(resp.StatusCode), Why: said.Error, Hint: said.Hint}
}

// unreachable tells apart why a daemon could not be asked.
func (c *Client) unreachable(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok { // it names a host that nobody has heard of
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s: %w", c.socket, ErrNoDaemon)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w", c.socket, ErrNoRight)
	}
	return fmt.Errorf("asking the daemon: %w", err)
}
