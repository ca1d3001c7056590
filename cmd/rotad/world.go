package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/vault"
	"github.com/rotad/rotad/notify"
	"github.com/rotad/rotad/scheduler"
	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

// world is the configuration as the scheduler sees it.
func (d *daemon) world(cfg *config.Config) (*scheduler.World, error) {
	connections, err := d.connections(cfg)
	if err != nil {
		return nil, err
	}
	scan, err := config.Schedule(cfg.Scan)
	if err != nil {
		return nil, err
	}
	return &scheduler.World{
		Connections: connections, Policies: cfg.Policies, Windows: d.window, Scan: scan, Workers: cfg.Runtime.Workers,
	}, nil
}

// window parses a window once. One that cannot be parsed (it was valid when a rotation pinned it) is always open.
func (d *daemon) window(spec credential.WindowSpec) credential.Window {
	if w, ok := d.windows.Load(spec); ok {
		return w.(credential.Window) //nolint:forcetypeassert // only windows are stored
	}
	w, err := config.Window(spec)
	if err != nil {
		w = credential.Always{}
	}
	d.windows.Store(spec, w)
	return w
}

func vaultSettings(cfg *config.Config) vault.Settings {
	settings := serverSettings(cfg.Vault.VaultServer)
	settings.StagingPath = cfg.Vault.Staging
	return settings
}

func serverSettings(v config.VaultServer) vault.Settings {
	return vault.Settings{
		Address: v.Address, Namespace: v.Namespace, Mount: v.Mount,
		Auth: vault.Auth{
			Method: v.Auth.Method, TokenFile: v.Auth.TokenFile, TokenEnv: v.Auth.TokenEnv, RoleID: v.Auth.RoleID,
			SecretIDFile: v.Auth.SecretIDFile, SecretIDEnv: v.Auth.SecretIDEnv, Mount: v.Auth.Mount,
			Role: v.Auth.Role, JWTFile: v.Auth.JWTFile,
		},
		CACertFile: v.CACertFile, ClientCertFile: v.ClientCertFile, ClientKeyFile: v.ClientKeyFile,
		TLSServerName: v.TLSServerName, Timeout: v.Timeout,
	}
}

// voice is the configuration as the notices see it.
func (d *daemon) voice(cfg *config.Config) (notify.World, error) {
	w := notify.World{Directory: newDirectory(cfg)}
	from, err := sender(cfg)
	if err != nil {
		return w, err
	}
	if w.Channels, err = allChannels(cfg); err != nil {
		return w, err
	}
	renderer, err := notify.NewRenderer(notify.Sender{
		From: from, Key: d.store.Meta().Key, Mount: cfg.Vault.Mount, Fields: secretFields(cfg), PublicURL: cfg.PublicURL,
		Templates: ownTemplates(cfg.Templates), Answers: d.answers(cfg),
	})
	w.Renderer = renderer
	return w, err
}

// secretFields names the field of each provider's bundles that holds the secret.
func secretFields(cfg *config.Config) map[string]string {
	fields := make(map[string]string, len(cfg.Providers))
	for _, p := range cfg.Providers {
		fields[p.Name], _ = fieldsOf(p.Fields)
	}
	return fields
}

// directory is who answers for what, by the configuration.
type directory struct {
	owners map[string]notify.Contact
	admins notify.Contact
}

func newDirectory(cfg *config.Config) directory {
	dir := directory{owners: make(map[string]notify.Contact, len(cfg.Owners)), admins: notify.Contact{
		Emails: cfg.Admins.Email, Channels: subscriptions(cfg, cfg.Admins.Channels), Language: cfg.Admins.Language,
	}}
	for name, owner := range cfg.Owners {
		zone, err := time.LoadLocation(owner.Timezone)
		if err != nil {
			zone = time.UTC
		}
		contact := notify.Contact{
			Emails: owner.Email, Channels: subscriptions(cfg, owner.Channels), Zone: zone, Calendar: notify.CalendarMode(owner.Calendar),
			Digest: owner.Digests(), Language: owner.Language,
		}
		for _, rung := range owner.Escalate {
			contact.Escalate = append(contact.Escalate, notify.Rung{After: rung.After, To: rung.To})
		}
		if quiet, ok := owner.QuietHours(); ok {
			contact.Quiet = quiet
		}
		dir.owners[name] = contact
	}
	return dir
}

// Owner returns the contact of an owner.
func (d directory) Owner(name string) (notify.Contact, bool) {
	c, ok := d.owners[name]
	return c, ok
}

// Admins returns the contact of the people who run rotad.
func (d directory) Admins() notify.Contact { return d.admins }

// outbox is the store as the notices see it.
type outbox struct{ store *bolt.Store }

// Claim takes due notices.
func (o outbox) Claim(ctx context.Context, now time.Time, limit int) ([]credential.Notice, error) {
	return o.store.ClaimNotices(ctx, now, limit)
}

// Settle writes back what became of a notice.
func (o outbox) Settle(ctx context.Context, notices ...credential.Notice) error {
	return o.store.Settle(ctx, notices...)
}

// NextDue returns when the next notice is due.
func (o outbox) NextDue(ctx context.Context) (time.Time, bool, error) { return o.store.NextNotice(ctx) }

// Prune forgets notices that were settled long ago.
func (o outbox) Prune(ctx context.Context, now time.Time) (int, error) {
	return o.store.Prune(ctx, now)
}

// records is the store as the notices see it.
type records struct{ store *bolt.Store }

// Get returns the present record of a client.
func (r records) Get(id string) (credential.Record, bool, error) {
	return r.store.Get(context.Background(), id)
}

// probeTimeout bounds one probe of a consumer.
const probeTimeout = 10 * time.Second

// askProbe asks a consumer and compares its status. The body is not looked at.
func askProbe(ctx context.Context, p credential.Probe) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return fmt.Errorf("building the probe: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking the consumer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	want := p.Expect
	if want == 0 {
		want = http.StatusOK
	}
	if response.StatusCode != want {
		return fmt.Errorf("the consumer answered %d, expected %d", response.StatusCode, want)
	}
	return nil
}

// schedulerStore is the store as the scheduler sees it: it tells commits that did nothing from fatal ones.
type schedulerStore struct{ *bolt.Store }

// Commit makes a change. Where it cannot be made, the claim is given back and scheduler.ErrNothing says so.
func (s schedulerStore) Commit(ctx context.Context, c credential.Change) (credential.Record, bool, error) {
	rec, conflict, err := s.Store.Commit(ctx, c)
	if err == nil || errors.Is(err, state.ErrFatal) || errors.Is(err, state.ErrClosed) {
		return rec, conflict, err
	}
	s.Release(c.Record.Client.ID, c.Record.Boot)
	return rec, conflict, fmt.Errorf("%w: %w", scheduler.ErrNothing, err)
}
