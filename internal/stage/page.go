package stage

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Play is what a page shows and lets people do.
type Play interface {
	// Scene returns what there is to see now.
	Scene(ctx context.Context) (Scene, error)
	// Mail returns the n-th mail, counted from 1.
	Mail(n int) (Mail, bool)
	// Do does what a button says, and says what came of it. A *Refusal is an answer too.
	Do(ctx context.Context, act Act, client string) (said string, err error)
}

// Refusal is why something was not done, for people.
type Refusal struct{ Why string }

func (r *Refusal) Error() string { return r.Why }

//go:embed assets
var assets embed.FS

// Page serves a play.
type Page struct {
	play Play
	host string // the only value of Host that is answered, besides localhost
	name string // localhost with the port
}

var errNotLoopback = errors.New("the page is for this machine only: give a loopback address, such as 127.0.0.1:9848")

// Listen opens an address for the page. Only loopback addresses are taken: whoever reaches the page can break the demo.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the page: %w", err)
	}
	if !at.Addr().IsLoopback() {
		return nil, errNotLoopback
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for the page: %w", err)
	}
	return listener, nil
}

// Serve serves a play on a listener until the context ends.
func Serve(ctx context.Context, l net.Listener, play Play) error {
	server := &http.Server{
		Handler: Handler(play, l.Addr().String()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the page: %w", err)
	}
	return nil
}

// Handler serves a play that is reached at an address.
func Handler(play Play, address string) http.Handler {
	p := &Page{play: play, host: address, name: "localhost"}
	if _, port, err := net.SplitHostPort(address); err == nil {
		p.name = net.JoinHostPort("localhost", port)
	}
	mux := http.NewServeMux()
	for path, file := range map[string]string{
		"/{$}": "page.html", "/stage.css": "stage.css", "/draw.js": "draw.js", "/board.js": "board.js", "/panels.js": "panels.js",
		"/stage.js": "stage.js", "/icon.svg": "icon.svg",
	} {
		mux.HandleFunc("GET "+path, serveAsset(file))
	}
	mux.HandleFunc("GET /scene", p.scene)
	mux.HandleFunc("GET /mail/{n}", p.mail)
	mux.HandleFunc("POST /do", p.do)
	return p.guard(mux)
}

// The page may load its own files and nothing else. A mail may not even do that, and has no origin.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
	mailPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

// guard answers only who means this page. A name that somebody else's DNS server gave to this address is not it, and
// what changes something has to come from the page itself.
func (p *Page) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Host != p.host && r.Host != p.name:
			http.Error(w, "this address serves "+p.host+" only", http.StatusMisdirectedRequest)
		case r.Method == http.MethodPost && !own(r):
			http.Error(w, "only the page itself may do this", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// own says whether a request comes from the page itself. Browsers name the origin of every POST, and no page can name
// another one.
func own(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Header.Get("Origin") == "http://"+r.Host && (site == "" || site == "same-origin")
}

func serveAsset(file string) http.HandlerFunc {
	content, err := fs.ReadFile(assets, "assets/"+file)
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", contentType(file))
		_, _ = w.Write(content)
	}
}

func contentType(file string) string {
	switch file {
	case "page.html":
		return "text/html; charset=utf-8"
	case "stage.css":
		return "text/css; charset=utf-8"
	case "icon.svg":
		return "image/svg+xml"
	}
	return "text/javascript; charset=utf-8"
}

func (p *Page) scene(w http.ResponseWriter, r *http.Request) {
	scene, err := p.play.Scene(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(scene) // the browser is gone: nobody is left to be told
}

func (p *Page) mail(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	m, ok := p.play.Mail(n)
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Del("Cross-Origin-Opener-Policy") // it is not for what is shut in a sandbox: browsers would not show it
	if m.HTML == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(m.Text))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(m.HTML)) // shut in by its policy: no script, no request, no origin
}

// wish is the body of a POST to /do.
type wish struct {
	Act    Act    `json:"act"`
	Client string `json:"client"`
}

func (p *Page) do(w http.ResponseWriter, r *http.Request) {
	var asked wish
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		http.Error(w, "the body must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		http.Error(w, "the body is no wish", http.StatusBadRequest)
		return
	}
	said, err := p.play.Do(r.Context(), asked.Act, asked.Client)
	status := http.StatusOK
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		status, said = http.StatusConflict, refusal.Why
	} else if err != nil {
		status, said = http.StatusInternalServerError, err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"said": said})
}
