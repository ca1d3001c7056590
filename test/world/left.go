package world

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/canary"
)

// outputs are the bytes that commands and endpoints gave out. The zero value is ready.
type outputs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *outputs) add(raw []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(raw)
}

// Left keeps bytes that left the daemon in a way that only the scenario knows, to be searched with the rest.
func (w *World) Left(name string, raw []byte) {
	w.outputs.add(fmt.Appendf(nil, "%s:\n%s\n", name, raw))
}

// askEverything lets the daemon say all that it can be asked for, so that it is searched too: every command that only
// reads, every page of the admin API and of the metrics listener, a backup. Answers do not matter: errors are text too.
func (w *World) askEverything() {
	binary := w.Binary(w.T)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.T.Context()), 30*time.Second)
	defer cancel()
	asked := [][]string{
		{"status"},
		{"status", "--json"},
		{"plan"},
		{"plan", "--json"},
		{"check", "--online"},
		{"kinds", "--json"},
		{"preview", "--out", w.Path("preview")},
		{"backup", w.Path("backup.db")},
	}
	for _, c := range w.Config.Clients[:min(3, len(w.Config.Clients))] {
		id := fmt.Sprint(c["id"])
		asked = append(asked, []string{"show", id}, []string{"show", id, "--json"}, []string{"history", id, "--json"})
		w.askAdmin(ctx, "/v1/client?id="+url.QueryEscape(id))
		w.askAdmin(ctx, "/v1/history?id="+url.QueryEscape(id))
	}
	for _, args := range asked {
		w.say(ctx, binary, args...)
	}
	for _, path := range []string{"/v1/clients", "/v1/world", "/v1/backup", "/v1/no-such-page"} {
		w.askAdmin(ctx, path)
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		w.ask(ctx, http.DefaultClient, fmt.Sprintf("http://%s%s", w.Config.Listen["metrics"], path))
	}
}

// say runs a command and keeps what it prints.
func (w *World) say(ctx context.Context, binary string, args ...string) {
	cmd := command(ctx, binary, args...)
	cmd.Env = append(cmd.Env, "ROTAD_CONFIG="+w.Path("config.yaml"), "ROTAD_SOCKET="+w.Path("admin.sock"))
	text, err := cmd.CombinedOutput()
	w.outputs.add(fmt.Appendf(text, "\nrotad %s: %v\n", strings.Join(args, " "), err))
}

func (w *World) askAdmin(ctx context.Context, path string) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", w.Path("admin.sock"))
	}
	transport := &http.Transport{DialContext: dial}
	defer transport.CloseIdleConnections()
	w.ask(ctx, &http.Client{Transport: transport}, "http://rotad"+path)
}

func (w *World) ask(ctx context.Context, client *http.Client, address string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		w.T.Errorf("asking %s: %v", address, err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		w.outputs.add(fmt.Appendf(nil, "%s: %v\n", address, err))
		return
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	w.outputs.add(fmt.Appendf(body, "\n%s: %s %v %v\n", address, resp.Status, resp.Header, err))
}

// leftBehind gathers everything that left the daemon in one directory, which holds no secret's own file: below
// $ROTAD_CANARY it outlives the world.
func (w *World) leftBehind() string {
	w.T.Helper()
	left := w.Path("left")
	if dir := os.Getenv(canary.Directory); dir != "" {
		all := filepath.Join(dir, canary.OutputDir)
		w.complain(os.MkdirAll(all, 0o700))
		made, err := os.MkdirTemp(all, w.Name+"-")
		w.complain(err)
		left = made
	}
	w.complain(os.MkdirAll(left, 0o700))
	w.complain(os.WriteFile(filepath.Join(left, "answers.txt"), w.outputs.text.Bytes(), 0o600))
	w.copyLeft(left, "rotad.log", true)
	w.copyLeft(left, "state", true)
	w.copyLeft(left, "backup.db", false)
	w.copyLeft(left, "preview", false)
	w.mailsLeft(left)
	return left
}

func (w *World) complain(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Errorf("gathering what left the daemon: %v", err)
	}
}

func (w *World) copyLeft(left, name string, needed bool) {
	w.T.Helper()
	from, to := w.Path(name), filepath.Join(left, name)
	info, err := os.Stat(from)
	switch {
	case err != nil && !needed:
		return
	case err == nil && info.IsDir():
		err = os.CopyFS(to, os.DirFS(from))
	case err == nil:
		var raw []byte
		if raw, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(to, raw, 0o600)
		}
	}
	w.complain(err)
}

// mailsLeft keeps the mails to this scenario's people, as they came and as an independent parser reads them.
func (w *World) mailsLeft(left string) {
	w.T.Helper()
	if !w.postfix.made {
		return
	}
	mails, err := w.postfix.value.Mails("")
	w.complain(err)
	for i, m := range mails {
		if strings.HasPrefix(m.To, w.Name+".") {
			name := filepath.Join(left, fmt.Sprintf("mail-%d", i))
			w.complain(os.WriteFile(name+".eml", []byte(m.Raw), 0o600))
			w.complain(os.WriteFile(name+".txt", []byte(m.Subject+"\n"+m.Text+m.HTML), 0o600))
		}
	}
}
