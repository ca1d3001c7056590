package scenarios_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// own lets rotad rotate all that it logs in with: its SecretID at Vault, its client at Keycloak, its password at the mail
// server. Each is proved by a login of rotad's own before the one before goes, and afterwards everything goes on.
func own(w *world.World) {
	o := newOwnScenario(w)
	w.AddClient("billing", nil)
	w.Consume("billing")
	d := w.Start()
	firsts := map[string]string{}
	for id, field := range o.fields {
		d.Await(id, time.Minute, "is adopted", sighted(credential.SightAdopted))
		firsts[id] = o.read(id)
		if stored := w.Stored(id); stored.Text(field) != firsts[id] {
			w.T.Fatalf("%s: the file and Vault do not hold the same to begin with", id)
		}
	}
	for round := 1; round <= 2; round++ {
		for id := range o.fields {
			d.Do("rotate", id, "--reason", "scenario")
		}
		for id := range o.fields {
			rec := d.Await(id, 3*time.Minute, fmt.Sprintf("has rotated in round %d", round), finished(round))
			o.provedByLogin(d, rec)
		}
	}
	for id, first := range firsts {
		if o.read(id) == first || o.opens(id, first) || !o.opens(id, o.read(id)) {
			w.T.Errorf("%s: the first secret still opens, or the new one does not", id)
		}
	}
	if code := d.Stop(30 * time.Second); code != 0 {
		w.T.Errorf("the daemon ended with %d", code)
	}
	d = w.Start()
	d.Do("rotate", "billing", "--reason", "with what is left")
	d.Await("billing", 2*time.Minute, "has rotated", finished(1))
	o.told()
}

// ownScenario is a world in which rotad is a client of everything that it uses.
type ownScenario struct {
	*world.World
	postfix *servers.Postfix
	files   map[string]string // by client: what rotad reads
	fields  map[string]string // by client: the field of the bundle that stands there
}

const ownMailUser = "mailer"

func newOwnScenario(w *world.World) *ownScenario {
	o := &ownScenario{World: w, postfix: w.UsePostfix(), files: map[string]string{}, fields: map[string]string{}}
	w.Config.Policies["default"]["overlap"] = "8s"
	w.Realm(12*time.Second, servers.RealmClient{ID: "billing", Secret: "the-secret-of-billing"})
	w.Publish("billing", "the-secret-of-billing")
	o.atVault()
	o.atKeycloak()
	o.atMail()
	return o
}

// add registers what rotad reads from a file. Its client rotates without waiting for anything else.
func (o *ownScenario) add(id, provider, file, field string, ref world.Block) {
	o.files[id], o.fields[id] = file, field
	o.AddClient(id, world.Block{
		"provider": provider, "ref": ref,
		"destinations": []world.Block{{"file": world.Block{"path": file, "field": field, "mode": "0600"}}},
	})
}

// atVault gives rotad's own role the rights to renew its SecretID, beside those of deploy/vault/rotad.hcl.
func (o *ownScenario) atVault() {
	w, ctx := o.World, o.T.Context()
	least, err := os.ReadFile(filepath.Join(w.Root, "deploy", "vault", "rotad.hcl"))
	w.Must(err)
	w.Must(w.Vault.SetPolicy(ctx, "rotad", string(least)+world.AppRolePolicy))
	file := w.Path("vault-secret-id")
	w.Config.Providers["roles"] = world.Block{
		"kind": "vault-approle", "address": w.Vault.URL, "role_id": w.Vault.RoleID, "secret_id_file": file, "deadline": "5s", "propagation": "1s",
	}
	_, err = w.Vault.Put(ctx, world.AppPath("at-vault"), map[string]any{"role_id": w.Vault.RoleID, "secret_id": o.held(file)})
	w.Must(err)
	o.add("at-vault", "roles", file, "secret_id", world.Block{"role": "rotad"})
}

// atKeycloak: the account of the kind keycloak is a client of the realm, under the same rotation policy as all.
func (o *ownScenario) atKeycloak() {
	file := o.Path("keycloak-secret")
	_, err := o.Vault.Put(o.T.Context(), world.AppPath("at-keycloak"), map[string]any{"client_id": "rotad", "client_secret": o.held(file)})
	o.Must(err)
	o.add("at-keycloak", "kc", file, "client_secret", world.Block{"client_id": "rotad"})
}

// atMail: a program of one's own knows the passwords of the mail server. The first is young: an old one would be rotated on its own.
func (o *ownScenario) atMail() {
	const first = "the-first-password-of-the-mailer"
	files := o.postfix.PasswordFiles()
	o.Must(os.WriteFile(files[0], []byte("# first "+time.Now().UTC().Format(time.RFC3339)+" -\n"+ownMailUser+":"+o.Known(first)+"\n"), 0o644))
	program, err := os.ReadFile(filepath.Join("testdata", "mail_account.py"))
	o.Must(err)
	at := o.Path("mail_account.py")
	o.Must(os.WriteFile(at, program, 0o755))
	o.Config.Providers["mail"] = world.Block{
		"kind": "exec", "program_file": at, "environment": world.Block{"PATH": "/usr/local/bin:/usr/bin:/bin"}, "propagation": "1s",
		"settings": world.Block{"first": files[0], "second": files[1], "port": fmt.Sprint(o.postfix.Port), "ca": o.postfix.CAFile},
	}
	file := o.WriteSecret("mailer-password", first)
	o.Config.SMTP["username"], o.Config.SMTP["password_file"] = ownMailUser, file
	_, err = o.Vault.Put(o.T.Context(), world.AppPath("at-mail"), map[string]any{"client_id": ownMailUser, "client_secret": first})
	o.Must(err)
	o.add("at-mail", "mail", file, "client_secret", world.Block{"user": ownMailUser})
}

// held reads a secret of rotad's.
func (o *ownScenario) held(file string) string {
	raw, err := os.ReadFile(file)
	o.Must(err)
	return o.Known(strings.TrimSpace(string(raw)))
}

func (o *ownScenario) read(id string) string { return o.held(o.files[id]) }

// opens says whether a secret of rotad's lets somebody in.
func (o *ownScenario) opens(id, secret string) bool {
	ok, err := false, error(nil)
	switch id {
	case "at-vault":
		ok, err = o.Vault.Login(o.T.Context(), o.Vault.RoleID, secret)
	case "at-keycloak":
		ok = o.Accepts("rotad", secret)
	default:
		ok, err = o.postfix.Admits(o.T.Context(), ownMailUser, secret)
	}
	o.Must(err)
	return ok
}

// provedByLogin finds rotad's own login in the history, before the revoke.
func (o *ownScenario) provedByLogin(d *world.Daemon, rec credential.Record) {
	o.T.Helper()
	var login, gone int
	for i, entry := range d.History(rec.Client.ID) {
		switch {
		case entry.Rotation != rec.Last.Rotation:
		case entry.Event == credential.EventReloaded && strings.Contains(entry.Detail, "rotad's own login to "):
			login = i
		case entry.Event == credential.EventRevoked:
			gone = i
		}
	}
	if login == 0 || gone < login && gone != 0 {
		o.T.Errorf("%s: no login of rotad's own before the old secret went (entries %d and %d)", rec.Client.ID, login, gone)
	}
}

// told finds the mails about all of it, the last of which went out with the newest password.
func (o *ownScenario) told() {
	for id := range o.fields {
		o.Await(time.Minute, "the owner has heard of "+id, func() error {
			return anyMail(o.postfix, o.Address("payments"), func(m servers.Mail) bool { return strings.Contains(m.Subject, id) })
		})
	}
}
