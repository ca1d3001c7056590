package kills

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/freeport"
	"github.com/rotad/rotad/test/kills/wire"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// killed is a world whose daemon is killed.
type killed struct {
	*world.World
	*campaign
	number   int
	kinds    []kind
	keycloak *servers.Keycloak // nil in a world without
	provider string            // address of the provider process
	admin    string            // file with what opens the sandbox's admin API
	rotator  string            // file with the SecretID of rotad's role for AppRoles
	first    map[string]string // by client: the id of the secret that a person made
	person   *person
	seen     seen
	kill     int // number of this world's kills so far
}

// newKilled makes a world, with Vault, provider and clients, and writes its configuration.
func newKilled(w *world.World, c *campaign, number int, keycloak bool) *killed {
	k := &killed{
		World: w, campaign: c, number: number, kinds: kinds(), first: map[string]string{},
		admin: w.WriteSecret("admin-secret", wire.AdminSecret), seen: newSeen(),
	}
	if keycloak {
		k.keycloak = w.Keycloak(w.T)
		k.kinds = append(k.kinds, keycloakKinds()...)
	}
	k.startProvider()
	k.makeRotator()
	k.configure()
	for _, kind := range k.kinds {
		k.makeRealm(kind)
		w.Config.Providers[kind.name] = kind.block(k)
		for _, id := range ids(kind) {
			k.makeClient(kind, id)
		}
	}
	k.WriteConfig()
	k.person = newPerson(k)
	return k
}

// startProvider starts the provider process.
func (w *killed) startProvider() {
	w.T.Helper()
	port, err := freeport.Loopback()
	w.Must(err)
	mail, err := freeport.Loopback()
	w.Must(err)
	w.provider = fmt.Sprintf("http://127.0.0.1:%d", port)
	process, err := servers.Launch(servers.Spec{
		Name: "provider", Path: w.providerProgram, Log: w.Path("provider.log"), Env: servers.FrugalEnv(),
		Args: []string{"-listen", strings.TrimPrefix(w.provider, "http://"), "-mail", fmt.Sprintf("127.0.0.1:%d", mail)},
	})
	w.Must(err)
	w.T.Cleanup(func() {
		process.Kill()
		w.spent(costProvider, process.CPU())
		w.spent(costVault, w.Vault.CPU())
	})
	w.Config.SMTP = world.Block{
		"host": "127.0.0.1", "port": mail, "tls": "none", "from": "Secrets <secrets@rotad.test>", "helo": "rotad.rotad.test",
	}
	w.Await(20*time.Second, "the provider process answers", func() error {
		return get(w.T.Context(), w.provider+wire.PathHealth)
	})
}

func (w *killed) idp() string { return w.provider + "/idp" }

// makeRotator gives rotad a role that may rotate AppRoles.
func (w *killed) makeRotator() {
	w.T.Helper()
	ctx := w.T.Context()
	w.Must(w.Vault.SetPolicy(ctx, "rotator", world.AppRolePolicy))
	w.Must(w.Vault.Role(ctx, "rotator", map[string]any{"role_id": "rotator", "token_policies": "rotator", "token_ttl": "2h"}))
	issued, err := w.Vault.NewSecretID(ctx, "rotator")
	w.Must(err)
	w.rotator = w.WriteSecret("rotator-secret-id", issued.Value)
}

// Policies: with the busy one a secret is due as soon as it exists, with the calm one it never is.
const (
	lifetime = 90 * 24 * time.Hour
	overlap  = 4 * time.Second
)

func policy(due time.Duration) world.Block {
	return world.Block{
		"start": "auto", "lifetime": lifetime.String(), "rotate_before": (lifetime - due).String(), "overlap": overlap.String(),
		"announce": "1s",
	}
}

func (w *killed) configure() {
	w.Config.Scan = "@every 3s" // rotations keep their own times; a look at everybody each second cost more than they do
	w.Config.Log = world.Block{"level": "info", "format": "json"}
	w.Config.Policies["default"] = policy(time.Second)
	w.Config.Admins = world.Block{"email": []string{w.Address("admin")}}
}

// calm lets what is under way end, and begins nothing.
func (w *killed) calm() {
	w.Config.Policies["default"] = policy(lifetime - 24*time.Hour)
	w.WriteConfig()
}

// realm names a realm of this world in the shared Keycloak.
func (w *killed) realm(name string) string { return w.Name + "-" + name }

// makeRealm makes a realm for a kind that lives in Keycloak.
func (w *killed) makeRealm(k kind) {
	if k.server != "keycloak" {
		return
	}
	realm := servers.Realm{Name: w.realm(k.name)}
	if k.mode == credential.ModeGraceWindow {
		realm.Rotated = wire.ReadableGrace
	}
	for _, id := range ids(k) {
		realm.Clients = append(realm.Clients, servers.RealmClient{ID: id, Secret: firstSecret(id)})
	}
	w.Await(5*time.Minute, "Keycloak makes the realm "+realm.Name, func() error {
		err := w.keycloak.CreateRealm(w.T.Context(), realm)
		if answer, ok := errors.AsType[*servers.StatusError](err); ok && answer.Status == http.StatusConflict {
			return nil // the answer to an earlier try took too long
		}
		return err
	})
}

func firstSecret(id string) string { return "the-first-secret-of-" + id }

// makeClient registers a client at its provider, publishes its first secret, and adds it to the configuration.
func (w *killed) makeClient(k kind, id string) {
	w.T.Helper()
	ctx := w.T.Context()
	block := world.Block{"provider": k.name, "ref": k.ref(id), "verify": world.Block{"successes": 2, "interval": "100ms"}}
	maps.Copy(block, k.client)
	switch k.server {
	case "approle":
		w.Must(w.Vault.Role(ctx, id, map[string]any{"role_id": "id-of-" + id}))
		issued, err := w.Vault.NewSecretID(ctx, id)
		w.Must(err)
		_, err = w.Vault.Put(ctx, world.AppPath(id), map[string]any{"role_id": "id-of-" + id, "secret_id": issued.Value, "team": "x"})
		w.Must(err)
		w.first[id], block["current_id"] = issued.Accessor, issued.Accessor
	case "keycloak":
		w.Publish(id, firstSecret(id))
	default:
		w.Must(post(ctx, w.provider+wire.PathRegister, wire.Client{Kind: k.name, ID: id, Secret: firstSecret(id)}, nil))
		w.Publish(id, firstSecret(id))
	}
	w.AddClient(id, block)
}

// kindOf returns the kind of a client.
func (w *killed) kindOf(client string) (kind, bool) {
	i := slices.IndexFunc(w.kinds, func(k kind) bool { return strings.HasPrefix(client, k.name+"-") })
	if i < 0 {
		return kind{}, false
	}
	return w.kinds[i], true
}

// statePath is the state file.
func (w *killed) statePath() string { return w.Path("state/rotad.db") }

// socket asks the running daemon.
func (w *killed) socket() *admin.Client { return admin.NewClient("unix:" + w.Path("admin.sock")) }

// keep copies what the daemon left behind to a place where it stays, and returns that.
func (w *killed) keep() string {
	dir, err := os.MkdirTemp("", "rotad-kill-")
	if err != nil {
		return err.Error()
	}
	for _, name := range []string{"config.yaml", "rotad.log", "provider.log", "vault.log"} {
		if raw, err := os.ReadFile(w.Path(name)); err == nil {
			_ = os.WriteFile(filepath.Join(dir, name), raw, 0o600)
		}
	}
	if raw, err := os.ReadFile(w.statePath()); err == nil {
		_ = os.WriteFile(filepath.Join(dir, "rotad.db"), raw, 0o600)
	}
	return dir
}

// accepts asks the provider of a client whether a value logs in.
func (w *killed) accepts(ctx context.Context, k kind, id, value string) (bool, error) {
	if value == "" {
		return false, nil
	}
	switch {
	case k.server == "approle":
		return w.Vault.Login(ctx, "id-of-"+id, value)
	case k.server == "keycloak":
		return w.keycloak.Accepts(ctx, w.realm(k.name), id, value)
	case k.name == wire.KindRealmGrace, k.name == wire.KindRealmCut:
		return login(ctx, w.provider+"/"+k.name+"/realms/"+k.name+"/protocol/openid-connect/token", id, value)
	default:
		return login(ctx, w.idp()+"/oauth2/token", id, value)
	}
}
