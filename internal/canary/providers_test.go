package canary_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/canary"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/dcr"
	"github.com/rotad/rotad/providers/entra"
	httpkind "github.com/rotad/rotad/providers/http"
	"github.com/rotad/rotad/providers/keycloak"
	"github.com/rotad/rotad/providers/telicent"
	"github.com/rotad/rotad/providers/vaultapprole"
	"github.com/rotad/rotad/scheduler"
)

const (
	day      = 24 * time.Hour
	lifetime = 90 * day
	tenant   = "contoso.example.com"
)

// cast is a sandbox with clients of every automatic overlap mode, each of whose secrets is noted when it is made.
type cast struct {
	ledger   *canary.Ledger
	idp      *sandbox.IdP
	keycloak *sandbox.Keycloak
	roles    *sandbox.AppRole
	register *sandbox.Registrar
	kv       *sandbox.KV
	own      string                         // rotad's own secret everywhere
	leak     func(number int, value string) // what a test does with a secret in Vault; nil = nothing

	mu      sync.Mutex
	inVault map[int]bool // numbers of the clients' secrets
}

func newCast(l *canary.Ledger, now func() time.Time) (*cast, error) {
	c := &cast{ledger: l, own: rand.Text() + rand.Text(), inVault: map[int]bool{}}
	made := func(value string) { c.note("a secret or token of the provider", value) }
	c.idp = sandbox.NewIdP(now, sandbox.Settings{
		AdminToken: c.own, Made: made, Graph: sandbox.Graph{Tenant: tenant, TTL: lifetime},
		Telicent: sandbox.Telicent{TTL: lifetime, AnyScheme: true},
	})
	c.keycloak = sandbox.NewKeycloak(now, sandbox.KeycloakSettings{
		Realm: "staff", AdminSecret: c.own, Made: made,
		Policy: &sandbox.KeycloakPolicy{Expiration: lifetime, Rotated: 3 * day},
	})
	c.roles = sandbox.NewAppRole(now, sandbox.AppRoleSettings{Token: c.own, MaxTTL: 2 * lifetime, Made: made})
	c.register = sandbox.NewRegistrar(now, sandbox.RegistrarSettings{Rotates: true, RotatesToken: true, Life: lifetime, Made: made})
	c.kv = sandbox.NewKV(now)
	c.kv.Forget()
	c.kv.OnWrite(func(w sandbox.KVWrite) {
		for field, value := range w.Data {
			c.noteStored(w.Path, field, fmt.Sprint(value))
		}
	})
	c.note("rotad's own secret", c.own)
	c.note("Vault's root token", c.kv.RootToken())
	return c, c.idp.Register(sandbox.Registration{ClientID: "rotad", Secret: c.own, Admin: true})
}

func (c *cast) note(what, value string) int {
	number, err := c.ledger.Note(what, value)
	if err != nil {
		panic(err) // a sandbox makes no short ones
	}
	return number
}

// noteStored notes a value that stands in Vault, whoever has made it.
func (c *cast) noteStored(path, field, value string) {
	name, staged := strings.CutPrefix(field, "bundle.")
	if strings.HasPrefix(path, "apps/") || staged { // what else stands in staging are names
		if name != "client_secret" && name != "secret_id" {
			return
		}
		number := c.note("a secret in Vault", value)
		c.mu.Lock()
		c.inVault[number] = true
		c.mu.Unlock()
		if c.leak != nil {
			c.leak(number, value)
		}
	}
}

// secrets is how many secrets of clients there have been.
func (c *cast) secrets() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.inVault)
}

// providerOf says which provider a client has: most of them the two-slot one, which takes the most calls; Keycloak's few
// because every look at it costs the derivation of a key.
func providerOf(i int) string {
	switch {
	case i%100 == 7:
		return "keycloak"
	case i%100 == 28:
		return "dcr"
	case i%10 == 8:
		return "approle"
	case i%10 == 9:
		return "logto"
	case i%10 >= 5:
		return "telicent"
	}
	return "entra"
}

func clientOf(i int) credential.Client {
	name, policy := providerOf(i), "default"
	id := fmt.Sprintf("%s-%06d", name, i)
	if i/10%2 == 1 {
		policy = "observed"
	}
	c := credential.Client{
		ID: id, Provider: name, Owner: "payments", Policy: policy, Source: "import",
		Vault:  credential.VaultPath{Mount: "secret", Path: "apps/" + id},
		Verify: credential.VerifySettings{Successes: 1}, Grace: 7 * day, AllowCut: name == "dcr",
	}
	switch name {
	case "entra":
		c.Ref = credential.Ref{"app_id": fmt.Sprintf("11111111-1111-4111-8111-%012d", i)}
	case "approle":
		c.Ref = credential.Ref{"role": id}
	default:
		c.Ref = credential.Ref{"client_id": id}
	}
	return c
}

// hire registers a client at its provider, and puts its first secret into Vault.
func (c *cast) hire(client credential.Client) error {
	secret := rand.Text() + rand.Text()
	name := client.ID
	var err error
	switch client.Provider {
	case "keycloak":
		err = c.keycloak.Register(sandbox.KeycloakClient{ClientID: name, Secret: secret, ServiceAccount: true})
	case "approle":
		var role, value string
		role, err = c.roles.AddRole(sandbox.AppRoleRole{Name: name, SecretIDTTL: lifetime})
		if err == nil {
			value, _, err = c.roles.Issue(name)
		}
		c.kv.Put("secret", client.Vault.Path, map[string]any{"role_id": role, "secret_id": value})
		return err
	case "dcr":
		var value, token string
		value, token, err = c.register.Register(name, nil)
		c.kv.Put("secret", client.Vault.Path, map[string]any{
			"client_id": name, "client_secret": value, "registration_access_token": token,
		})
		return err
	case "entra":
		name = client.Ref["app_id"]
		err = c.idp.Register(sandbox.Registration{ClientID: name, Secret: secret, TTL: lifetime})
	default:
		err = c.idp.Register(sandbox.Registration{ClientID: name, Secret: secret, TTL: lifetime})
	}
	c.kv.Put("secret", client.Vault.Path, map[string]any{"client_id": name, "client_secret": secret})
	return err
}

// connections are rotad's adapters, each on a server that babbles once in so many requests.
func (c *cast) connections(elapsed func() time.Duration, every int64) (map[string]scheduler.Connection, error) {
	idp := c.idp.Handler()
	all, wrong := map[string]scheduler.Connection{}, error(nil)
	for name, kind := range map[string]struct {
		kind     providers.Kind
		settings any
		server   http.Handler
	}{
		"entra": {entra.Kind(), &entra.Settings{
			TenantID: tenant, ClientID: "rotad", GraphURL: "http://idp" + sandbox.PathGraph, LoginURL: "http://idp" + sandbox.PathLogin,
		}, idp},
		"telicent": {telicent.Kind(), &telicent.Settings{URL: "http://idp" + sandbox.PathTelicent, TokenFile: "own"}, idp},
		"logto": {httpkind.Kind(), &httpkind.Settings{
			Preset: "logto", URL: "http://idp" + sandbox.PathLogto, Vars: map[string]string{"tenant": "sandbox"},
			Access: httpkind.Access{ClientID: "rotad", ClientSecretFile: "own"},
		}, idp},
		"keycloak": {keycloak.Kind(), &keycloak.Settings{URL: "http://kc", Realm: "staff", ClientID: "rotad"}, c.keycloak.Handler()},
		"dcr": {dcr.Kind(), &dcr.Settings{
			URL: "http://idp" + sandbox.PathRegister, TokenURL: "http://idp" + sandbox.PathToken,
		}, c.register.Handler()},
		"approle": {vaultapprole.Kind(), &vaultapprole.Settings{
			Address: "http://vault", Mount: "approle", Values: "own", TokenFile: "own",
		}, c.roles.Handler()},
	} {
		p, err := kind.kind.Open(providers.Opening{
			Name: name, Settings: kind.settings, Deadline: 5 * time.Second, Propagation: time.Millisecond, Elapsed: elapsed,
			Secret:    func(string) (string, error) { return c.own, nil },
			Transport: &hostile{next: inProcess{kind.server}, every: every},
		})
		wrong = errors.Join(wrong, err)
		all[name] = scheduler.Connection{Provider: p, Timing: providers.Timing{Deadline: 5 * time.Second, Propagation: time.Millisecond}}
	}
	return all, wrong
}
