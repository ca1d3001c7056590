package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server answers commands.
type Server struct {
	Reader Reader
	Actor  Actor
	Copier Copier       // nil = no backups
	World  func() World // nil = the zero World
	Log    *slog.Logger // nil = none
	Grace  time.Duration
}

// DefaultGrace is how long Serve lets requests finish that are under way when its context ends.
const DefaultGrace = 30 * time.Second

// peerKey is the key of the peer's name in the context of a connection.
type peerKey struct{}

// Serve answers on a listener until the context ends, lets what is under way finish, and returns. The store that it
// works on must stay open until then: a submitted value that Vault has taken is written down.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	server := &http.Server{
		Handler:           s.handler(log),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			name, err := peerOf(conn)
			if err != nil {
				log.Warn("an admin connection without a name", "error", err)
			}
			return context.WithValue(ctx, peerKey{}, name)
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace := s.Grace
	if grace == 0 {
		grace = DefaultGrace
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(last)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
