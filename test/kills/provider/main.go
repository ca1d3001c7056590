// Command provider is the identity provider of the worlds in which the daemon is killed: rotad's sandbox in a process of
// its own, so that it outlives the daemon, and a mail server.
//
//	rotad ──► trap ──► /idp      two slots, grace window, a portal      ◄── control: register, issue, list, arm
//	                   /kcgrace  a Keycloak realm with the policy
//	                   /kccut    a Keycloak realm without one
//	rotad ──► mail
//
// An armed trap kills the daemon while a request is under way: before it is done, after it, or long before it lands.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/test/kills/wire"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "", "address to listen on")
	mail := flag.String("mail", "", "address of the mail server")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	mailbox := sandbox.NewMailbox(time.Now, "")
	if _, err := mailbox.Listen(ctx, *mail); err != nil {
		return err
	}
	server := &http.Server{Addr: *listen, Handler: newWorld().handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// world is every provider of one killed daemon.
type world struct {
	idp     *sandbox.IdP
	grace   *sandbox.Keycloak
	cutover *sandbox.Keycloak
	trap    trap
}

func newWorld() *world {
	idp := sandbox.NewIdP(time.Now, sandbox.Settings{
		AdminToken: wire.AdminSecret,
		Telicent:   sandbox.Telicent{Grace: wire.Grace, RequiredBefore: time.Hour},
	})
	realm := func(name string, p *sandbox.KeycloakPolicy) *sandbox.Keycloak {
		return sandbox.NewKeycloak(time.Now, sandbox.KeycloakSettings{Realm: name, AdminSecret: wire.AdminSecret, Policy: p})
	}
	_ = idp.Register(sandbox.Registration{ClientID: wire.AdminID, Secret: wire.AdminSecret, Admin: true}) // it is the first
	return &world{
		idp:     idp,
		grace:   realm(wire.KindRealmGrace, &sandbox.KeycloakPolicy{Rotated: wire.ReadableGrace}),
		cutover: realm(wire.KindRealmCut, nil),
	}
}

func (w *world) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/idp/", w.trap.wrap(http.StripPrefix("/idp", w.idp.Handler())))
	mux.Handle("/"+wire.KindRealmGrace+"/", w.trap.wrap(http.StripPrefix("/"+wire.KindRealmGrace, w.grace.Handler())))
	mux.Handle("/"+wire.KindRealmCut+"/", w.trap.wrap(http.StripPrefix("/"+wire.KindRealmCut, w.cutover.Handler())))
	w.control(mux)
	return mux
}
