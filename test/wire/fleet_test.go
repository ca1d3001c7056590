package wire_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// member is one client of the fleet, with the ways to ask after it past the daemon and past the broken line.
type member struct {
	id       string
	field    string // of the bundle: the one that holds the secret
	realm    string // in Keycloak; empty = it is an AppRole
	clientID string // in that realm
	first    string // the secret that it began with; of an AppRole its accessor
	timed    bool   // the provider's own timer ends the old secret, which takes longer than a fault
	client   credential.Client
}

// fleet is a daemon with many clients, behind three lines that can be broken.
type fleet struct {
	*world.World
	daemon   *world.Daemon
	admin    *admin.Client
	members  []*member
	lines    map[string]*servers.Line
	posts    *servers.Postfix
	keycloak *servers.Keycloak
	watch    *watch
	gauge    *gauge
	phases   map[credential.Phase]bool // in which a client stood when a fault was applied, or which it entered during one
	events   map[credential.Event]int  // that were written down since the faults began
}

// kept is how long Keycloak keeps an old secret: longer than a fault and what follows it, since no protocol helps where
// the old secret dies before anybody can write the new one to Vault.
const kept = 50 * time.Second

// sizes of the fleet, by the way in which its clients rotate.
const (
	graceClients = 5
	cutClients   = 2
	roleClients  = 3
	ownClients   = 2
)

// newFleet starts a daemon whose clients are adopted and rest.
func newFleet(w *world.World) *fleet {
	w.T.Helper()
	f := &fleet{
		World: w, lines: map[string]*servers.Line{}, phases: map[credential.Phase]bool{},
		events: map[credential.Event]int{},
	}
	f.settings()
	f.keycloakClients()
	f.appRoles()
	f.throughLines()
	f.daemon = w.Start()
	f.admin = admin.NewClient("unix:" + w.Path("admin.sock"))
	for _, m := range f.members {
		r := f.daemon.Await(m.id, time.Minute, "is adopted", func(r credential.Record) bool {
			return r.Sight == credential.SightAdopted
		})
		m.client = r.Client
	}
	f.gauge = newGauge(f)
	f.watch = newWatch(f)
	f.warmUp()
	return f
}

// warmUp rotates every client once over a whole wire: a Keycloak that has just started answers the first requests of
// each sort after seconds, which would be taken for faults.
func (f *fleet) warmUp() {
	f.T.Helper()
	versions := f.versions()
	for third := range 3 {
		f.Must(f.begin(versions, third))
	}
	f.Must(f.await(2*recovery, "all clients have rotated over a whole wire", func() error { return f.rotated(versions) }))
}

func (f *fleet) settings() {
	f.T.Helper()
	f.posts = f.UsePostfix()
	f.Config.SMTP["timeout"] = deadline.String()
	f.Config.Vault["timeout"] = deadline.String()
	f.Config.Scan = "@every 5s"
	quick := world.Block{
		"start": "auto", "lifetime": "90d", "rotate_before": "14d", "overlap": "3s", "announce": "7d", "delete_early": true,
	}
	timed := maps.Clone(quick)
	timed["delete_early"] = false
	f.Config.Policies = map[string]world.Block{"default": quick, "timed": timed}
}

// The realms that all worlds share: one keeps old secrets for a while, and one does not. A realm of its own for each
// world would cost Keycloak more time than the faults take.
const (
	realmKeeps = "wire-keeps"
	realmCuts  = "wire-cuts"
)

// planned are the clients in Keycloak of one world, before there is a world.
func planned(world string) []*member {
	var list []*member
	add := func(id, realm string, timed bool) {
		list = append(list, &member{
			id: id, field: credential.FieldClientSecret, realm: realm, clientID: world + "-" + id, timed: timed,
			first: "the-first-secret-of-" + world + "-" + id,
		})
	}
	for i := range graceClients {
		add(fmt.Sprintf("grace-%d", i), realmKeeps, false)
	}
	add("timed", realmKeeps, true)
	for i := range cutClients {
		add(fmt.Sprintf("cut-%d", i), realmCuts, false)
	}
	return list
}

// createRealms creates the realms with the clients of all worlds.
func createRealms(t *testing.T, worlds []string) {
	t.Helper()
	k := shared.Keycloak(t)
	clients := map[string][]servers.RealmClient{}
	for _, name := range worlds {
		for _, m := range planned(name) {
			clients[m.realm] = append(clients[m.realm], servers.RealmClient{ID: m.clientID, Secret: m.first})
		}
	}
	for realm, rotated := range map[string]time.Duration{realmKeeps: kept, realmCuts: 0} {
		if err := k.CreateRealm(t.Context(), servers.Realm{Name: realm, Rotated: rotated, Clients: clients[realm]}); err != nil {
			t.Fatal(err)
		}
	}
}

// keycloakClients registers this world's clients of the shared realms.
func (f *fleet) keycloakClients() {
	f.T.Helper()
	f.keycloak = f.Keycloak(f.T)
	for _, realm := range []string{realmKeeps, realmCuts} {
		f.Config.Providers[realm] = f.KeycloakProvider(f.keycloak.URL)
		f.Config.Providers[realm]["realm"] = realm
	}
	for _, m := range planned(f.Name) {
		f.members = append(f.members, m)
		_, err := f.Vault.Put(f.T.Context(), world.AppPath(m.id), map[string]any{
			"client_id": m.clientID, "client_secret": f.Known(m.first), "team": "payments",
		})
		f.Must(err)
		policy := "default"
		if m.timed {
			policy = "timed"
		}
		f.AddClient(m.id, world.Block{
			"provider": m.realm, "ref": world.Block{"client_id": m.clientID}, "policy": policy,
			"allow_cutover": m.realm == realmCuts, "verify": world.Block{"successes": 2, "interval": "400ms"},
		})
	}
}

func (f *fleet) appRoles() {
	f.T.Helper()
	add := func(id string, own bool) {
		first := f.AddAppRole(id, own)
		f.Client(id)["verify"] = world.Block{"successes": 2, "interval": "400ms"}
		f.members = append(f.members, &member{id: id, field: "secret_id", first: first.Accessor})
	}
	for i := range roleClients {
		add(fmt.Sprintf("role-%d", i), false)
	}
	for i := range ownClients {
		add(fmt.Sprintf("own-%d", i), true)
	}
}

// throughLines leads the daemon, and nobody else, through toxiproxy. AppRoles are rotated over the same line as Vault is
// written over, as it would be in reality.
func (f *fleet) throughLines() {
	f.T.Helper()
	x, err := servers.StartToxiproxy(f.T.Context(), f.Cache, f.Module, f.Dir)
	f.Must(err)
	f.T.Cleanup(x.Stop)
	line := func(name, target string) string {
		l, err := x.Line(f.T.Context(), name, target)
		f.Must(err)
		f.lines[name] = l
		return l.Addr
	}
	keycloak := "http://" + line(lineProvider, host(f.keycloak.URL))
	vault := "http://" + line(lineVault, host(f.Vault.URL))
	f.Config.Vault["address"] = vault
	for _, p := range f.Config.Providers {
		p["deadline"], p["propagation"] = deadline.String(), "1s"
		if p["kind"] == "keycloak" {
			p["url"] = keycloak
		} else {
			p["address"] = vault
		}
	}
	mail := line(lineMail, fmt.Sprintf("127.0.0.1:%d", f.posts.Port))
	port, err := strconv.Atoi(mail[strings.LastIndexByte(mail, ':')+1:])
	f.Must(err)
	f.Config.SMTP["port"] = port
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

// record reads a client's record from the daemon.
func (f *fleet) record(ctx context.Context, id string) (credential.Record, error) {
	r, ok, err := f.admin.Get(ctx, id)
	if err == nil && !ok {
		err = fmt.Errorf("the daemon does not know %s", id)
	}
	return r, err
}

// history reads a client's audit entries, oldest first.
func (f *fleet) history(ctx context.Context, id string) ([]credential.Audit, error) {
	entries, err := f.admin.History(ctx, id, 10_000)
	for i, j := 0, len(entries)-1; i < j; i, j = i+1, j-1 {
		entries[i], entries[j] = entries[j], entries[i]
	}
	return entries, err
}

// rotate asks for a rotation.
func (f *fleet) rotate(id string) error {
	_, err := f.admin.Do(f.T.Context(), admin.Command{Verb: admin.VerbRotate, Client: id, Reason: "the wire is broken"})
	return err
}
