package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/handshake"
	"github.com/rotad/rotad/internal/metrics"
	"github.com/rotad/rotad/providers"
)

// listeners are the daemon's doors: metrics and health for monitors, the admin socket for commands.
type listeners struct {
	metricsAt, adminAt, handshakeAt, publishAt, publicAt net.Listener // nil = switched off
	socket                                               string
	stop                                                 context.CancelFunc
	serving                                              sync.WaitGroup
}

// off is the address that switches a listener off.
const off = "off"

// listen opens both doors and serves on them until close.
func (d *daemon) listen(ctx context.Context, socket string) (*listeners, error) {
	l := &listeners{socket: socket}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	if err := d.openDoors(ctx, l, socket); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (d *daemon) openDoors(ctx context.Context, l *listeners, socket string) error {
	if address := d.config().Listen.Metrics; address != off {
		at, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return err
		}
		l.metricsAt = at
		l.serve(d, "metrics", func() error { return metrics.Serve(ctx, at, metrics.Handler(d.meters.registry, d.meters.health())) })
	}
	at, warning, err := admin.Listen(socket)
	if err != nil {
		return err
	}
	if warning != "" {
		d.log.Warn("the admin socket", "warning", warning)
	}
	l.adminAt = at
	actions := newActions(d.store, d.scheduler, d.executor, d.config, d.clocks.now, d.log)
	actions.feeds, actions.waves, actions.language = d.store, waveBoard(d), d.language
	server := &admin.Server{Reader: d.store, Actor: actions, Copier: d.store, World: actions.World, Log: d.log}
	l.serve(d, "admin", func() error { return server.Serve(ctx, at) })
	d.openVaultLog(ctx, l, actions)
	if err := d.openHandshake(ctx, l, actions); err != nil {
		return err
	}
	if err := d.openPublic(ctx, l, actions); err != nil {
		return err
	}
	return d.openPublished(ctx, l)
}

// openHandshake lets consumers on other machines say which version they run on.
func (d *daemon) openHandshake(ctx context.Context, l *listeners, a *actions) error {
	h := d.config().Handshake
	at, err := door(ctx, h.Address, func() (cert, key string) { now := d.config().Handshake; return now.TLSCertFile, now.TLSKeyFile })
	if at == nil || err != nil {
		return err
	}
	l.handshakeAt = at
	server := &handshake.Server{Key: func() (string, error) { return d.config().Handshake.Secret("token_key") }, Moved: a.handshake, Log: d.log}
	l.serve(d, "handshake", func() error { return server.Serve(ctx, at) })
	return nil
}

// openPublished serves the documents of providers that others fetch.
func (d *daemon) openPublished(ctx context.Context, l *listeners) error {
	at, err := door(ctx, d.config().Publish.Address, func() (cert, key string) { now := d.config().Publish; return now.TLSCertFile, now.TLSKeyFile })
	if at == nil || err != nil {
		return err
	}
	l.publishAt = at
	l.serve(d, "publish", func() error { return metrics.Serve(ctx, at, http.HandlerFunc(d.published)) })
	return nil
}

// published hands a request over to the provider that its path names: /PROVIDER/...
func (d *daemon) published(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	connection, ok := d.scheduler.Connection(name)
	if !ok {
		http.NotFound(w, r)
		return
	}
	publisher, ok := providers.AsPublisher(connection.Provider)
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.StripPrefix("/"+name, publisher.Published()).ServeHTTP(w, r)
}

// door listens on an address; nil = it is switched off. A certificate is read for each connection, so that a renewed one is taken
// without a restart.
func door(ctx context.Context, address string, files func() (cert, key string)) (net.Listener, error) {
	if address == off {
		return nil, nil //nolint:nilnil // the door stays shut, and nothing is wrong
	}
	at, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if cert, key := files(); cert != "" {
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			return nil, errors.Join(fmt.Errorf("the certificate of %s: %w", address, err), at.Close())
		}
		at = tls.NewListener(at, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, key := files()
			pair, err := tls.LoadX509KeyPair(cert, key)
			return &pair, err
		}})
	}
	return at, nil
}

func (l *listeners) serve(d *daemon, name string, serve func() error) {
	l.serving.Go(func() {
		if err := serve(); err != nil && !errors.Is(err, net.ErrClosed) {
			d.log.Error("a listener broke", "listener", name, "error", err)
		}
	})
}

// close stops serving and waits for requests under way.
func (l *listeners) close() {
	l.stop()
	l.serving.Wait()
}

// metrics returns the address of the metrics listener; empty = none.
func (l *listeners) metrics() string { return address(l.metricsAt) }

// admin returns the address of the admin socket.
func (l *listeners) admin() string { return l.socket }

func address(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// adminSocket returns where the admin socket is: --socket, else $ROTAD_SOCKET, else what the configuration says.
func (a *app) adminSocket(cfg *config.Config) string {
	switch {
	case a.socket != "":
		return a.socket
	case a.env["ROTAD_SOCKET"] != "":
		return a.env["ROTAD_SOCKET"]
	case cfg.Listen.Admin == "":
		return defaultSocket
	}
	return cfg.Listen.Admin
}
