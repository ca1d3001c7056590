package power_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/test/power"
	"github.com/rotad/rotad/test/world"
)

// Names of what the fleet's providers know.
const (
	adminID     = "rotad"
	adminSecret = "the-admin-secret-of-the-sandbox"
	tenant      = "contoso.example.com"
	realmGrace  = "kcgrace"
	realmCut    = "kccut"
)

// grace is how long the providers keep a previous secret.
const grace = 20 * time.Second

// sort is a sort of client: a provider of the configuration.
type sort struct {
	name  string // also what the ids of its clients begin with
	field string // of the bundle, that holds the secret
	block world.Block
	more  world.Block // of each client
}

// fleet is a Vault and providers that go on living, and clients whose secrets are due as soon as they exist.
type fleet struct {
	*world.World
	idp     *sandbox.IdP
	keeps   *sandbox.Keycloak // a realm that keeps the previous secret
	cuts    *sandbox.Keycloak // one that does not
	idpURL  string
	faults  *sandbox.Faults // before all providers of the sandbox
	clients []member
	durable func() *power.Volume // of the disk at this moment; nil while there is none
	made    map[string]int       // creates that reached a provider, by sort

	mu     sync.Mutex
	broken []error // what the oracles said before an act
}

// member is one client.
type member struct {
	id, kind, field string
	first           string // id of the secret that a person made
}

func newFleet(w *world.World, perSort int) *fleet {
	w.T.Helper()
	f := &fleet{World: w, made: map[string]int{}}
	f.idp = sandbox.NewIdP(time.Now, sandbox.Settings{AdminToken: adminSecret, Telicent: sandbox.Telicent{Grace: grace, RequiredBefore: time.Hour}})
	w.Must(f.idp.Register(sandbox.Registration{ClientID: adminID, Secret: adminSecret, Admin: true}))
	realm := func(name string, p *sandbox.KeycloakPolicy) *sandbox.Keycloak {
		return sandbox.NewKeycloak(time.Now, sandbox.KeycloakSettings{Realm: name, AdminID: adminID, AdminSecret: adminSecret, Policy: p})
	}
	f.keeps, f.cuts = realm(realmGrace, &sandbox.KeycloakPolicy{Rotated: grace}), realm(realmCut, nil)
	f.faults = sandbox.NewFaults(time.After)
	f.idpURL = f.serve(f.faults.Wrap(f.idp.Handler()))
	vault, err := url.Parse(w.Vault.URL)
	w.Must(err)
	proxy := httputil.NewSingleHostReverseProxy(vault)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // whoever asked has died
	w.Config.Vault["address"] = f.serve(proxy)
	f.settings()
	for _, s := range f.sorts() {
		w.Config.Providers[s.name] = s.block
		for i := range perSort {
			f.add(s, fmt.Sprintf("%s-%02d", s.name, i))
		}
	}
	return f
}

// serve lets rotad ask a server, past what looks at every act.
func (f *fleet) serve(next http.Handler) string {
	server := httptest.NewServer(f.watched(next))
	f.T.Cleanup(server.Close)
	return server.URL
}

// Policies: with the busy one a secret is due as soon as it exists, with the calm one it never is. The clocks of servers
// that have to confirm the end of an overlap show whole seconds.
const (
	lifetime = 90 * 24 * time.Hour
	overlap  = 2 * time.Second
)

func policy(due time.Duration) world.Block {
	return world.Block{
		"start": "auto", "lifetime": lifetime.String(), "rotate_before": (lifetime - due).String(), "overlap": overlap.String(),
		"announce": "1s", "delete_early": true, "max_attempts": 1000,
	}
}

func (f *fleet) settings() {
	f.Config.State["allow_filesystem"] = true
	f.Config.Scan = "@every 1s"
	f.Config.Log = world.Block{"level": "info", "format": "json"}
	f.busy()
}

// busy lets every secret be due one second after it was made, calm none.
func (f *fleet) busy() { f.Config.Policies["default"] = policy(time.Second) }

func (f *fleet) calm() { f.Config.Policies["default"] = policy(lifetime - 24*time.Hour) }

// sorts are the sorts of clients: every overlap mode that a provider can have.
func (f *fleet) sorts() []sort {
	admin := f.WriteSecret("admin-secret", adminSecret)
	limits := func(more world.Block) world.Block {
		b := world.Block{"deadline": "800ms", "propagation": "100ms"}
		maps.Copy(b, more)
		return b
	}
	keycloak := func(realm string, at http.Handler) world.Block {
		return limits(world.Block{"kind": "keycloak", "url": f.serve(f.faults.Wrap(at)), "realm": realm, "client_id": adminID, "client_secret_file": admin})
	}
	rotator := f.rotator()
	roles := func(values string) world.Block {
		return limits(world.Block{
			"kind": "vault-approle", "address": f.Config.Vault["address"], "values": values, "role_id": "rotator", "secret_id_file": rotator,
		})
	}
	cut := world.Block{"allow_cutover": true}
	return []sort{
		{"entra", credential.FieldClientSecret, limits(world.Block{
			"kind": "entra", "allow_unproven": true, "tenant_id": tenant, "client_id": adminID, "client_secret_file": admin,
			"graph_url": f.idpURL + sandbox.PathGraph, "login_url": f.idpURL + sandbox.PathLogin,
		}), nil},
		{"approle", "secret_id", roles("server"), nil},
		{"own", "secret_id", roles("own"), nil},
		{"telicent", credential.FieldClientSecret, limits(world.Block{
			"kind": "telicent", "allow_unproven": true, "url": f.idpURL + sandbox.PathTelicent, "token_file": admin,
		}), world.Block{"allow_cutover": true, "grace": grace.String()}},
		{realmGrace, credential.FieldClientSecret, keycloak(realmGrace, f.keeps.Handler()), nil},
		{realmCut, credential.FieldClientSecret, keycloak(realmCut, f.cuts.Handler()), cut},
	}
}

// rotator gives rotad a role that may rotate AppRoles.
func (f *fleet) rotator() string {
	f.T.Helper()
	ctx := f.T.Context()
	f.Must(f.Vault.SetPolicy(ctx, "rotator", world.AppRolePolicy))
	f.Must(f.Vault.Role(ctx, "rotator", map[string]any{"role_id": "rotator", "token_policies": "rotator", "token_ttl": "2h"}))
	issued, err := f.Vault.NewSecretID(ctx, "rotator")
	f.Must(err)
	return f.WriteSecret("rotator-secret-id", issued.Value)
}

// add registers a client at its provider, publishes its first secret, and configures it.
func (f *fleet) add(s sort, id string) {
	f.T.Helper()
	m := member{id: id, kind: s.name, field: s.field}
	block := world.Block{"provider": s.name, "ref": world.Block{"client_id": id}, "verify": world.Block{"successes": 1, "interval": "50ms"}}
	maps.Copy(block, s.more)
	first := "the-first-secret-of-" + f.Name + "-" + id
	switch s.name {
	case "approle", "own":
		block["ref"] = world.Block{"role": id}
		m.first = f.role(id)
		block["current_id"] = m.first
	case realmGrace:
		f.Must(f.keeps.Register(sandbox.KeycloakClient{ClientID: id, Secret: first, ServiceAccount: true}))
		f.Publish(id, first)
	case realmCut:
		f.Must(f.cuts.Register(sandbox.KeycloakClient{ClientID: id, Secret: first, ServiceAccount: true}))
		f.Publish(id, first)
	default:
		f.Must(f.idp.Register(sandbox.Registration{ClientID: id, Secret: first}))
		f.Publish(id, first)
		if s.name == "entra" {
			block["ref"] = world.Block{"app_id": id}
		}
		m.first = f.idp.Secrets(id)[0].ID
	}
	f.clients = append(f.clients, m)
	f.AddClient(id, block)
}

func (f *fleet) role(id string) (accessor string) {
	f.T.Helper()
	ctx := f.T.Context()
	f.Must(f.Vault.Role(ctx, id, map[string]any{"role_id": "id-of-" + id}))
	issued, err := f.Vault.NewSecretID(ctx, id)
	f.Must(err)
	_, err = f.Vault.Put(ctx, world.AppPath(id), map[string]any{"role_id": "id-of-" + id, "secret_id": f.Known(issued.Value), "team": "x"})
	f.Must(err)
	return issued.Accessor
}

// accepts asks the provider whether a value logs in, past everything that is watched.
func (f *fleet) accepts(ctx context.Context, m member, value string) (bool, error) {
	if value == "" {
		return false, nil
	}
	secret := credential.NewSensitive(value)
	switch m.kind {
	case "approle", "own":
		return f.Vault.Login(ctx, "id-of-"+m.id, value)
	case realmGrace:
		return f.keeps.Accepts(m.id, secret), nil
	case realmCut:
		return f.cuts.Accepts(m.id, secret), nil
	}
	answer, err := f.idp.Login(ctx, credential.Bundle{
		credential.FieldClientID: credential.NewSensitive(m.id), credential.FieldClientSecret: secret,
	})
	return answer == providers.Accepted, err
}

// find returns the client whose id stands in a text.
func (f *fleet) find(text string) (member, bool) {
	i := slices.IndexFunc(f.clients, func(m member) bool { return strings.Contains(text, m.id) })
	if i < 0 {
		return member{}, false
	}
	return f.clients[i], true
}

// note keeps what an oracle has said about an act.
func (f *fleet) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.broken) < 10 {
		f.broken = append(f.broken, err)
	}
}

// acts returns what the oracles have said about acts since the last call.
func (f *fleet) acts() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := errors.Join(f.broken...)
	f.broken = nil
	return err
}
