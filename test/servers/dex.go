package servers

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/rotad/rotad/internal/freeport"
)

// DexVersion is the release whose commit the module in dex/ pins: its tags are no versions of a Go module.
const DexVersion = "2.45.1"

// dexProgram is the command that the module in dex/ pins.
const dexProgram = "github.com/dexidp/dex/cmd/dex"

// Dex is a running Dex whose data lives in memory. Its gRPC API asks for no certificate.
type Dex struct {
	URL     string // http://127.0.0.1:port/dex
	GRPC    string // http://127.0.0.1:port
	process *Process
	client  *http.Client
}

// DexStatic is a client that stands in Dex's own configuration; DexStaticSecret is its secret.
const (
	DexStatic       = "static"
	DexStaticSecret = "static-secret"
)

const dexConfig = `issuer: %s
storage: {type: memory}
web: {http: %q}
grpc: {addr: %q}
logger: {level: error}
enablePasswordDB: true
staticClients:
- {id: ` + DexStatic + `, secret: ` + DexStaticSecret + `, name: static, redirectURIs: ['https://example.com/callback']}
`

// StartDex starts a Dex with one client, the static one. module is the directory of the tests' module.
func StartDex(ctx context.Context, cache Cache, module, dir string) (*Dex, error) {
	program, err := installTool(ctx, cache, module, "dex", dexProgram)
	if err != nil {
		return nil, err
	}
	var addr [2]string
	for i := range addr {
		port, err := freeport.Loopback()
		if err != nil {
			return nil, err
		}
		addr[i] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	d := &Dex{
		URL: "http://" + addr[0] + "/dex", GRPC: "http://" + addr[1],
		client: &http.Client{Transport: &http.Transport{Protocols: &protocols}},
	}
	file := filepath.Join(dir, "dex.yaml")
	if err = os.WriteFile(file, fmt.Appendf(nil, dexConfig, d.URL, addr[0], addr[1]), 0o644); err != nil {
		return nil, fmt.Errorf("writing dex's configuration: %w", err)
	}
	d.process, err = Launch(Spec{
		Name: "dex", Path: program, Args: []string{"serve", file}, Dir: dir, Env: FrugalEnv(), Log: filepath.Join(dir, "dex.log"),
	})
	if err != nil {
		return nil, err
	}
	if err = awaitAnswer(ctx, d.process, d.URL+"/.well-known/openid-configuration"); err != nil {
		d.Stop()
		return nil, err
	}
	return d, nil
}

var errDex = errors.New("dex refuses")

// Register makes a client: fields of text by their numbers in Dex's message, 1 the id and 2 the secret.
func (d *Dex) Register(ctx context.Context, fields map[uint64]string) error {
	const most = 9
	var client []byte
	for number := range uint64(most) {
		if value, ok := fields[number]; ok {
			client = textField(client, number, value)
		}
	}
	_, err := d.call(ctx, "CreateClient", textField(nil, 1, string(client)))
	return err
}

// Client returns a client as Dex shows it: the message, as it came.
func (d *Dex) Client(ctx context.Context, id string) ([]byte, error) {
	return d.call(ctx, "GetClient", textField(nil, 1, id))
}

// List returns the answer to ListClients, as it came.
func (d *Dex) List(ctx context.Context) ([]byte, error) { return d.call(ctx, "ListClients", nil) }

// Forget deletes a client.
func (d *Dex) Forget(ctx context.Context, id string) error {
	_, err := d.call(ctx, "DeleteClient", textField(nil, 1, id))
	return err
}

func textField(message []byte, number uint64, value string) []byte {
	const text = 2
	message = binary.AppendUvarint(message, number<<3|text)
	message = binary.AppendUvarint(message, uint64(len(value)))
	return append(message, value...)
}

func (d *Dex) call(ctx context.Context, method string, message []byte) ([]byte, error) {
	const head = 5
	body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.GRPC+"/api.Dex/"+method, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking dex: %w", err)
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking dex: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if status := resp.Trailer.Get("Grpc-Status"); err != nil || status != "0" || len(raw) < head {
		return nil, fmt.Errorf("%s: %w: status %q, %s%s", method, errDex, status, resp.Trailer.Get("Grpc-Message"), resp.Header.Get("Grpc-Message"))
	}
	return raw[head:], nil
}

// Accepts says whether a client's secret is right: Dex looks at it before it looks at a code that does not exist.
func (d *Dex) Accepts(ctx context.Context, id, secret string) (bool, error) {
	err := do(ctx, call{
		method: http.MethodPost, url: d.URL + "/token",
		form: url.Values{"grant_type": {"authorization_code"}, "code": {"none"}, "redirect_uri": {"https://example.com/callback"}, "client_id": {id}, "client_secret": {secret}},
	})
	if isStatus(err, http.StatusUnauthorized) {
		return false, nil
	}
	if isStatus(err, http.StatusBadRequest) {
		return true, nil
	}
	return err == nil, err
}

// Stop ends the server.
func (d *Dex) Stop() { d.process.Kill() }
