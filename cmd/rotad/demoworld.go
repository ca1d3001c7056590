package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"text/template"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/stage"
)

// Names in the demo's world.
const (
	demoAppID  = "11111111-1111-4111-8111-111111111111" // of the two-slot provider's client
	demoTenant = "contoso.example.com"                  // of the two-slot provider
	demoMount  = "services"                             // of the AppRole method whose SecretIDs are rotated
	demoHost   = "example.com"                          // of the portal with versions
)

const demoDay = 24 * time.Hour

// demoLifetime is how long every secret of the demo lives.
const demoLifetime = 90 * demoDay

// demoConverges is how long the control plane works on a rotation.
const demoConverges = 200 * time.Millisecond

// demoWorld is everything that rotad talks to, in this process and on loopback addresses: an identity provider with
// several dialects, a Keycloak realm without a policy, a control plane, a portal with versions, a platform without an
// API for secrets, a Vault with a KV v2 store and AppRoles, and a mail server.
type demoWorld struct {
	clock    *demoClock
	dir      string
	idp      *sandbox.IdP
	keycloak *sandbox.Keycloak
	rover    *sandbox.Rover
	light    *sandbox.LightAPI
	odc      *sandbox.ODC
	faults   *sandbox.Faults // before the two servers whose old secret dies at once
	roles    *sandbox.AppRole
	kv       *sandbox.KV
	mailbox  *sandbox.Mailbox
	servers  []*http.Server
	at       demoAddresses
	public   demoAddresses // where the services ask
	gates    demoGates
	changing sync.RWMutex // a person changes a secret at a provider and in Vault; see outsideOfChanges
	ledger   *stage.Ledger
	hands    sync.Map          // by path: who writes there now, beside rotad
	secrets  map[string]string // rotad's own, by the name of their file
	seen     demoSeen          // nil = nobody
}

// demoGates are where the world can be broken. The services do not go through rotad's own: while rotad is dead they live
// on.
type demoGates struct {
	own, vault, idp sandbox.Gate
}

// demoAddresses is what the configuration has to know about the world.
type demoAddresses struct {
	IdP, Keycloak, Vault   string
	Rover, Light, ODC      string
	MailPort               int
	Mount, Tenant, Expires string
	Dir                    string
}

// demoSeen is told of every change that was committed, before the daemon goes on.
type demoSeen func(credential.Change)

// newDemoWorld starts the world. The clock shows when the demo begins.
func newDemoWorld(ctx context.Context, clock *demoClock, dir string) (w *demoWorld, err error) {
	w = &demoWorld{clock: clock, dir: dir, ledger: stage.NewLedger(), secrets: map[string]string{}}
	for _, name := range []string{"vault", "entra", "telicent", "roles", "keycloak", "rover", "light", "logto"} {
		w.secrets[name] = rand.Text()
	}
	if err = os.MkdirAll(filepath.Join(dir, "mail"), 0o700); err != nil {
		return nil, err
	}
	w.idp = sandbox.NewIdP(clock.now, sandbox.Settings{
		AdminToken: w.secrets["telicent"],
		Graph:      sandbox.Graph{Tenant: demoTenant, TTL: demoLifetime},
		Telicent:   sandbox.Telicent{TTL: demoLifetime, RequiredBefore: 7 * demoDay},
		PortalTTL:  demoLifetime,
	})
	w.keycloak = sandbox.NewKeycloak(clock.now, sandbox.KeycloakSettings{Realm: "staff", AdminSecret: w.secrets["keycloak"]})
	w.rover = sandbox.NewRover(clock.now, sandbox.RoverSettings{
		TeamSecret: w.secrets["rover"], Expiration: demoLifetime, Grace: 7 * demoDay, Converge: demoConverges,
	})
	w.light = sandbox.NewLightAPI(clock.now, sandbox.LightAPISettings{HostID: demoHost, Token: w.secrets["light"]})
	w.odc = sandbox.NewODC(clock.now, sandbox.Settings{PortalTTL: demoLifetime}, sandbox.ODCSettings{TTL: demoLifetime})
	w.faults = sandbox.NewFaults(clock.after)
	w.roles = sandbox.NewAppRole(clock.now, sandbox.AppRoleSettings{
		Mount: demoMount, Token: w.secrets["roles"], MaxTTL: 2 * demoLifetime,
	})
	w.kv = sandbox.NewKV(clock.now)
	w.kv.Forget()
	w.kv.OnWrite(w.wrote)
	w.kv.AddAppRole("rotad", w.secrets["vault"], 32*demoDay, demoGrants()...)
	w.kv.AddToken(w.secrets["roles"], 0, demoRoleGrants()...)
	w.mailbox = sandbox.NewMailbox(clock.now, filepath.Join(dir, "mail"))
	if err = w.listen(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// demoGrants are the least rights that rotad needs, as deploy/vault/rotad.hcl has them.
func demoGrants() []sandbox.KVGrant {
	return []sandbox.KVGrant{
		{Path: "secret/data/rotad/staging/*", Capabilities: []string{"create", "read", "update"}},
		{Path: "secret/destroy/rotad/staging/*", Capabilities: []string{"update"}},
		{Path: "secret/data/apps/*", Capabilities: []string{"create", "read", "update"}},
		{Path: "secret/destroy/apps/*", Capabilities: []string{"update"}},
		{Path: "secret/metadata/apps/*", Capabilities: []string{"create", "read", "update", "patch"}},
	}
}

// demoRoleGrants are the least rights of the kind vault-approle, as its README has them.
func demoRoleGrants() []sandbox.KVGrant {
	role := "auth/" + demoMount + "/role/+"
	return []sandbox.KVGrant{
		{Path: role, Capabilities: []string{"read"}},
		{Path: role + "/role-id", Capabilities: []string{"read"}},
		{Path: role + "/secret-id", Capabilities: []string{"list", "update"}},
		{Path: role + "/custom-secret-id", Capabilities: []string{"update"}},
		{Path: role + "/secret-id/lookup", Capabilities: []string{"update"}},
		{Path: role + "/secret-id-accessor/lookup", Capabilities: []string{"update"}},
		{Path: role + "/secret-id-accessor/destroy", Capabilities: []string{"update"}},
	}
}

func (w *demoWorld) listen(ctx context.Context) (err error) {
	for _, server := range []struct {
		own, public *string
		handler     http.Handler
	}{
		{&w.at.IdP, &w.public.IdP, w.gates.idp.Wrap(w.idp.Handler())},
		{&w.at.Keycloak, &w.public.Keycloak, w.gates.idp.Wrap(w.faults.Wrap(w.keycloak.Handler()))},
		{&w.at.Rover, &w.public.Rover, w.gates.idp.Wrap(w.rover.Handler())},
		{&w.at.Light, &w.public.Light, w.gates.idp.Wrap(w.faults.Wrap(w.light.Handler()))},
		{&w.at.ODC, &w.public.ODC, w.gates.idp.Wrap(w.odc.Handler())},
		{&w.at.Vault, &w.public.Vault, w.gates.vault.Wrap(w.vault())},
	} {
		if *server.own, err = w.serve(ctx, w.outsideOfChanges(w.gates.own.Wrap(server.handler))); err != nil {
			return err
		}
		if *server.public, err = w.serve(ctx, server.handler); err != nil {
			return err
		}
	}
	mail, err := w.mailbox.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	if tcp, ok := mail.(*net.TCPAddr); ok {
		w.at.MailPort = tcp.Port
	}
	return nil
}

// outsideOfChanges lets no request of rotad's fall into what a person does at a provider and in Vault.
func (w *demoWorld) outsideOfChanges(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.changing.RLock()
		defer w.changing.RUnlock()
		next.ServeHTTP(out, r)
	})
}

// vault is one server: the KV v2 store, and an AppRole method of its own for the services.
func (w *demoWorld) vault() http.Handler {
	roles, mux := w.roles.Handler(), http.NewServeMux()
	mux.Handle("/v1/auth/"+demoMount+"/", roles)
	mux.Handle("/v1/auth/token/revoke-self", roles)
	mux.Handle("/", w.kv)
	return mux
}

// serve starts one server on a free port of the loopback address.
func (w *demoWorld) serve(ctx context.Context, handler http.Handler) (address string, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for the sandbox: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }() // it ends with close
	return "http://" + listener.Addr().String(), nil
}

func (w *demoWorld) close() error {
	errs := []error{w.mailbox.Close()}
	for _, server := range w.servers {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
}

// populate registers the clients at their providers, each with a secret of its age, and puts the bundles into Vault,
// beside what somebody else keeps there.
func (w *demoWorld) populate(begin time.Time) error {
	defer w.clock.set(begin)
	for _, role := range demoCast() {
		w.clock.set(begin.Add(-role.age))
		if err := role.born(w, rand.Text()); err != nil {
			return fmt.Errorf("making the client %s: %w", role.id, err)
		}
	}
	w.clock.set(begin)
	for name, secret := range map[string]string{"rotad-entra": w.secrets["entra"], "rotad-logto": w.secrets["logto"]} {
		if err := w.idp.Register(sandbox.Registration{ClientID: name, Secret: secret, Admin: true}); err != nil {
			return err
		}
	}
	return nil
}

//go:embed demo.yaml.tmpl
var demoConfig string

// configure writes the configuration and rotad's own secrets, and returns the configuration's path.
func (w *demoWorld) configure() (path string, err error) {
	w.at.Mount, w.at.Tenant, w.at.Dir = demoMount, demoTenant, w.dir
	text, err := template.New("demo").Option("missingkey=error").Parse(demoConfig)
	if err != nil {
		return "", fmt.Errorf("reading the demo's configuration: %w", err)
	}
	var out bytes.Buffer
	if err := text.Execute(&out, w.at); err != nil {
		return "", fmt.Errorf("writing the demo's configuration: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(w.dir, "secrets"), 0o700); err != nil {
		return "", err
	}
	for name, value := range w.secrets {
		if err := os.WriteFile(filepath.Join(w.dir, "secrets", name), []byte(value), 0o600); err != nil {
			return "", err
		}
	}
	path = filepath.Join(w.dir, "config.yaml")
	return path, os.WriteFile(path, out.Bytes(), 0o600)
}
