package servers

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/rotad/rotad/internal/freeport"
)

// toxiproxyProgram is the command that the module in toxiproxy/ pins.
const toxiproxyProgram = "github.com/Shopify/toxiproxy/v2/cmd/server"

// Toxiproxy is a running toxiproxy: it carries connections and breaks them on the level of TCP, where Proxy works on
// requests.
type Toxiproxy struct {
	url     string
	process *Process
}

// InstallToxiproxy builds toxiproxy from its module and returns the program. module is the directory of the tests'
// module.
func InstallToxiproxy(ctx context.Context, cache Cache, module string) (string, error) {
	return installTool(ctx, cache, module, "toxiproxy", toxiproxyProgram)
}

// StartToxiproxy starts a toxiproxy that carries nothing yet.
func StartToxiproxy(ctx context.Context, cache Cache, module, dir string) (*Toxiproxy, error) {
	program, err := InstallToxiproxy(ctx, cache, module)
	if err != nil {
		return nil, err
	}
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	process, err := Launch(Spec{
		Name: "toxiproxy", Path: program, Dir: dir, Log: filepath.Join(dir, "toxiproxy.log"),
		Args: []string{"-host", "127.0.0.1", "-port", fmt.Sprint(port)},
		Env:  append(BareEnv(), "LOG_LEVEL=error"),
	})
	if err != nil {
		return nil, err
	}
	x := &Toxiproxy{url: fmt.Sprintf("http://127.0.0.1:%d", port), process: process}
	err = Until(ctx, 10*time.Second, 50*time.Millisecond, func(ctx context.Context) error {
		if err := process.ended(); err != nil {
			return err
		}
		return x.ask(ctx, http.MethodGet, "/version", nil)
	})
	if err != nil {
		x.Stop()
		return nil, fmt.Errorf("waiting for toxiproxy: %w", err)
	}
	return x, nil
}

// Stop ends toxiproxy and every connection through it.
func (x *Toxiproxy) Stop() { x.process.Kill() }

// ask sends a request to its API. Taking a toxic away waits until what it has held back has been passed on.
func (x *Toxiproxy) ask(ctx context.Context, method, path string, in any) error {
	return do(ctx, call{method: method, url: x.url + path, json: in, limit: 30 * time.Second})
}

// Line is one way through toxiproxy to one server.
type Line struct {
	Addr   string // host:port to connect to
	target string
	name   string
	proxy  *Toxiproxy
}

// Line opens a way to the server at target (host:port). The name is unique in this toxiproxy.
func (x *Toxiproxy) Line(ctx context.Context, name, target string) (*Line, error) {
	port, err := freeport.Loopback()
	if err != nil {
		return nil, err
	}
	l := &Line{Addr: fmt.Sprintf("127.0.0.1:%d", port), target: target, name: name, proxy: x}
	if err := x.ask(ctx, http.MethodPost, "/proxies", l.state(target, true)); err != nil {
		return nil, fmt.Errorf("opening the line %s: %w", name, err)
	}
	return l, nil
}

func (l *Line) state(target string, enabled bool) map[string]any {
	return map[string]any{"name": l.name, "listen": l.Addr, "upstream": target, "enabled": enabled}
}

// Toxic is one fault of a line, in toxiproxy's words.
type Toxic struct {
	Type       string         `json:"type"`
	Stream     string         `json:"stream"` // upstream (to the server) or downstream (from it)
	Attributes map[string]any `json:"attributes"`
}

const toxicName = "fault"

// Poison applies a toxic to every connection, also to the ones that are open. A line has one at a time.
func (l *Line) Poison(ctx context.Context, t Toxic) error {
	body := map[string]any{
		"name": toxicName, "type": t.Type, "stream": t.Stream, "toxicity": 1.0, "attributes": t.Attributes,
	}
	return l.proxy.ask(ctx, http.MethodPost, "/proxies/"+l.name+"/toxics", body)
}

// Heal takes the toxic away.
func (l *Line) Heal(ctx context.Context) error {
	return l.proxy.ask(ctx, http.MethodDelete, "/proxies/"+l.name+"/toxics/"+toxicName, nil)
}

// Shut breaks every connection, and refuses new ones until Open.
func (l *Line) Shut(ctx context.Context) error {
	return l.proxy.ask(ctx, http.MethodPost, "/proxies/"+l.name, l.state(l.target, false))
}

// Open lets connections through again, to the server that the line was made for.
func (l *Line) Open(ctx context.Context) error { return l.Lead(ctx, l.target) }

// Lead breaks every connection, and leads new ones to another server.
func (l *Line) Lead(ctx context.Context, target string) error {
	return l.proxy.ask(ctx, http.MethodPost, "/proxies/"+l.name, l.state(target, true))
}
