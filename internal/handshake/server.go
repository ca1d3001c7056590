package handshake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Path is where a consumer says which version it runs on, as a pattern of net/http.
const Path = "POST /v1/clients/{client}/consumers/{consumer}"

// Limits of what strangers may ask for.
const (
	maxBody   = 1 << 10 // bytes
	maxAtOnce = 64      // requests that are looked at; more are told to come again
	grace     = 5 * time.Second
)

// Refusal is why a statement was not taken: nothing was changed.
type Refusal struct {
	Why  string
	Hint string
}

// Error says why.
func (r *Refusal) Error() string { return r.Why }

// Server takes the statements of consumers.
type Server struct {
	// Key reads the key that tokens are made from, afresh for each request.
	Key func() (string, error)
	// Moved notes which version a consumer runs on. A *Refusal is passed on to the consumer; any other error is not.
	Moved func(ctx context.Context, client, consumer string, version int) error
	Log   *slog.Logger // required
}

// statement is the body of a request.
type statement struct {
	Version int `json:"version"`
}

// Handler answers requests; it is the whole API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(Path, s.take)
	busy := make(chan struct{}, maxAtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
			mux.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			answer(w, http.StatusTooManyRequests, "too many consumers at once", "say it again in a second")
		}
	})
}

func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	client, consumer := r.PathValue("client"), r.PathValue("consumer")
	key, err := s.Key()
	var token credential.Sensitive
	if err == nil {
		token, err = Token(credential.NewSensitive(key), client, consumer)
	}
	if err != nil {
		s.Log.Error("the key of the handshake cannot be read", "error", err)
		answer(w, http.StatusInternalServerError, "the daemon cannot check tokens", "its log says why")
		return
	}
	if !valid(r.Header.Get("Authorization"), token) {
		answer(w, http.StatusUnauthorized, "the token is not that of this consumer of this client", "rotad token CLIENT --consumer NAME --out FILE makes it")
		return
	}
	said, err := read(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		answer(w, http.StatusBadRequest, `the body is not {"version": N}`, "N is the version in Vault that the consumer has read")
		return
	}
	s.reply(w, said, s.Moved(r.Context(), client, consumer, said.Version))
}

func (s *Server) reply(w http.ResponseWriter, said statement, err error) {
	no, refused := errors.AsType[*Refusal](err)
	switch {
	case refused:
		answer(w, http.StatusConflict, no.Why, no.Hint)
	case err != nil:
		s.Log.Error("what a consumer said could not be written down", "error", err)
		answer(w, http.StatusInternalServerError, "it could not be written down", "say it again in a minute")
	default:
		write(w, http.StatusOK, said)
	}
}

// read decodes a body strictly: a misspelt field would otherwise be taken for version 0.
func read(body io.Reader) (statement, error) {
	var said statement
	raw, err := io.ReadAll(body)
	if err != nil {
		return said, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil {
		return said, err
	}
	if said.Version <= 0 || len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 {
		return said, errors.New("no version")
	}
	return said, nil
}

func answer(w http.ResponseWriter, status int, why, hint string) {
	write(w, status, map[string]string{"error": why, "hint": hint})
}

func write(w http.ResponseWriter, status int, body any) {
	encoded, _ := json.Marshal(body) // texts and numbers: it cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(encoded, '\n'))
}

// Serve answers on a listener until the context ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
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
