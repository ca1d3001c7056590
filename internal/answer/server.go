package answer

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// Limits of what strangers may ask for.
const (
	maxBody   = 1 << 10 // bytes
	maxAtOnce = 64      // requests that are looked at; more are told to come again
	grace     = 5 * time.Second
)

// What an answer may be refused for. Each has a page that says it to people; nothing was changed.
var (
	// ErrAnswered: the notice, or a later one about the same client, has been answered.
	ErrAnswered = errors.New("answered already")
	// ErrOutdated: what the notice was about is no longer so.
	ErrOutdated = errors.New("no longer so")
	// ErrNobody: the client has gone, or the address does not answer for it any more. The page does not say which.
	ErrNobody = errors.New("not for this address")

	errEnded = errors.New("the link has ended")
)

// Matter is what a link is about, for the person who holds it.
type Matter struct {
	// Language of the person, a tag; empty = nobody may know, because it would tell whether there is such a client, and the
	// browser says which one it wants. It comes along with an error as well.
	Language string
	About    string // one sentence
	Quiet    string // the moment until which VerbSnooze keeps warnings back, as the reader writes times
}

// Server answers people.
type Server struct {
	// Key reads the key that links and feeds are signed with, afresh for each request.
	Key func() (string, error)
	// Root is where people reach the listener, as their links say.
	Root func() string
	// Trusted are the proxies whose headers are believed.
	Trusted func() []netip.Prefix
	// Language returns a language by its tag.
	Language func(tag string) *templates.Language
	// Look says what a link is about, or one of the errors above. It changes nothing.
	Look func(ctx context.Context, l Link) (Matter, error)
	// Act does what a link is for, or returns one of the errors above. It is called for links that Look has accepted.
	Act  func(ctx context.Context, l Link) error
	Feed Feed
	// Refused is told of everything that was refused; nil = nobody is.
	Refused func(r Refusal)
	Now     func() time.Time
	Log     *slog.Logger

	wrongs limiter
}

// Handler answers requests; it is the whole listener.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /answer/{link}", s.ask)
	mux.HandleFunc("POST /answer/{link}", s.take)
	mux.HandleFunc("GET /calendar/{name}", s.calendar())
	busy := make(chan struct{}, maxAtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guarded(w.Header())
		if wayOf(r, s.Trusted()).clear && strings.HasPrefix(s.Root(), "https:") {
			s.deny(w, s.tongue(r, Matter{}), RefusalClear)
			return
		}
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
			s.within(mux).ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			s.deny(w, s.tongue(r, Matter{}), RefusalBusy)
		}
	})
}

// within lets the root of the links be a path of a host that has others: a proxy may take it off or leave it.
func (s *Server) within(h http.Handler) http.Handler {
	root, err := url.Parse(s.Root())
	if err != nil {
		return h
	}
	prefix := strings.TrimRight(root.Path, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if prefix != "" && strings.HasPrefix(r.URL.Path, prefix+"/") {
			http.StripPrefix(prefix, h).ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// guarded sets what every answer has: a page of ours loads nothing, runs nothing, stands in no frame, and sends its address nowhere.
func guarded(h http.Header) {
	h.Set("Content-Security-Policy", policy())
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
}

// ask shows what a link is about. It must not do anything: scanners of mail open every link, and HEAD comes here, too.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) {
	l, m, ok := s.accept(w, r)
	if ok {
		t := s.tongue(r, m)
		s.show(w, http.StatusOK, t, pageAsk(t, l, m))
	}
}

// take does what a link is for.
func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	l, m, ok := s.accept(w, r)
	if !ok {
		return
	}
	t := s.tongue(r, m)
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if r.PostFormValue("answer") != string(l.Verb) { // not our button: something posts to whatever it finds
		s.count(RefusalNoButton)
		s.show(w, http.StatusBadRequest, t, pageAsk(t, l, m))
		return
	}
	if err := s.Act(r.Context(), l); err != nil {
		s.refuse(w, r, m, err)
		return
	}
	s.show(w, http.StatusOK, t, pageDone(t, l, m))
}

// tongue speaks the language of the person who holds a link, else the one that the browser wants.
func (s *Server) tongue(r *http.Request, m Matter) *tongue {
	tag := m.Language
	if tag == "" {
		tag = templates.Preferred(r.Header.Get("Accept-Language"))
	}
	return &tongue{Language: s.Language(tag)}
}

// accept reads the link of a request and asks what it is about; where it is refused, that has been answered.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) (Link, Matter, bool) {
	l, err := s.read(r.PathValue("link"))
	var m Matter
	if err == nil {
		m, err = s.Look(r.Context(), l)
	}
	if err != nil {
		s.refuse(w, r, m, err)
	}
	return l, m, err == nil
}

func (s *Server) read(text string) (Link, error) {
	key, err := s.Key()
	if err != nil {
		return Link{}, err
	}
	l, err := read(credential.NewSensitive(key), text)
	if err == nil && !s.Now().Before(l.Until) {
		err = errEnded
	}
	return l, err
}

// refuse answers what cannot be granted. Errors of ours are logged, and never shown.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, m Matter, err error) {
	t := s.tongue(r, m)
	switch {
	case errors.Is(err, errWrong):
		s.wrong(w, r)
	case errors.Is(err, errEnded):
		s.deny(w, t, RefusalEnded)
	case errors.Is(err, ErrAnswered):
		s.deny(w, t, RefusalAnswered)
	case errors.Is(err, ErrOutdated):
		s.deny(w, t, RefusalOutdated)
	case errors.Is(err, ErrNobody):
		s.deny(w, t, RefusalNobody)
	default:
		s.Log.Error("a person could not be answered; see listen.public of the configuration, and the state file", "error", err)
		s.deny(w, t, RefusalBroken)
	}
}

// wrong answers what nobody has signed: always the same, whatever it was meant to be.
func (s *Server) wrong(w http.ResponseWriter, r *http.Request) {
	from := wayOf(r, s.Trusted()).from
	tooMany, first := s.wrongs.note(from, s.Now())
	if first {
		s.Log.Warn("many wrong links come from one address", "from", from.String())
	}
	if tooMany {
		w.Header().Set("Retry-After", "60")
		s.deny(w, s.tongue(r, Matter{}), RefusalTooMany)
		return
	}
	s.deny(w, s.tongue(r, Matter{}), RefusalWrong)
}

// Serve answers on a listener until the context ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: feedTime,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(last)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
