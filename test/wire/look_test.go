package wire_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/test/servers"
	"github.com/rotad/rotad/test/world"
)

// errMoved says that the world changed while it was looked at, so that what was seen never was at one moment.
var errMoved = errors.New("the world moved meanwhile")

// onlooker sees one client past the broken lines: by the admin socket, Vault's root token and Keycloak's administrator.
type onlooker struct {
	*fleet
	*member
	ctx  context.Context
	view oracle.View
	errs []error // of questions that an oracle asked
}

// look returns what can be seen of a client at one moment: the record and what Vault hands out are the same before and
// after everything else was read.
func (f *fleet) look(ctx context.Context, m *member) (*onlooker, error) {
	o := &onlooker{fleet: f, member: m, ctx: ctx}
	record, err := f.record(ctx, m.id)
	if err != nil {
		return nil, err
	}
	stored, err := o.stored(0)
	if err != nil {
		return nil, err
	}
	o.view = oracle.View{
		Client: m.id, At: time.Now(), Record: record, Hands: o.secretOf(stored), HandsBy: oracle.ByRotad,
		Accepts: o.accepts, Version: o.version,
	}
	if err := errors.Join(o.staging(), o.secrets()); err != nil {
		return nil, err
	}
	return o, nil
}

// still is nil when the client and Vault are as they were when the look began.
func (o *onlooker) still(ctx context.Context) error {
	if err := errors.Join(o.errs...); err != nil {
		return err
	}
	record, err := o.record(ctx, o.id)
	if err != nil {
		return err
	}
	stored, err := o.stored(0)
	if err != nil {
		return err
	}
	if standing(record) != standing(o.view.Record) || o.secretOf(stored) != o.view.Hands {
		return errMoved
	}
	return nil
}

// standing is what of a record the oracles depend on. Its revision also grows by looks that find nothing new.
func standing(r credential.Record) string {
	text := fmt.Sprint(r.Phase(), r.Version, r.Current.ID)
	if r.Rotation != nil {
		text += fmt.Sprint(r.Rotation.ID, r.Rotation.Attempt, r.Rotation.New.ID, r.Rotation.Staged)
	}
	if r.Hold != nil {
		text += string(r.Hold.Code)
	}
	return text
}

func (o *onlooker) stored(version int) (servers.Stored, error) {
	return o.Vault.Get(o.ctx, world.AppPath(o.id), version)
}

// secretOf returns the secret of a stored version, and notes it as one that must not leave the daemon.
func (o *onlooker) secretOf(s servers.Stored) string { return o.Known(s.Text(o.field)) }

func (o *onlooker) version(n int) string {
	if n == 0 {
		return ""
	}
	stored, err := o.stored(n)
	o.note(err)
	return o.secretOf(stored)
}

func (o *onlooker) note(err error) {
	if err != nil {
		o.errs = append(o.errs, err)
	}
}

// accepts asks the provider. Neither yes nor no makes the look worthless.
func (o *onlooker) accepts(value string) bool {
	var ok bool
	var err error
	switch {
	case value == "":
		return false
	case o.realm == "":
		ok, err = o.Vault.Login(o.ctx, "id-of-"+o.id, value)
	default:
		ok, err = o.keycloak.Accepts(o.ctx, o.realm, o.clientID, value)
	}
	o.note(err)
	return ok
}

// staging reads the entry that only rotad may read.
func (o *onlooker) staging() error {
	entry, err := o.Vault.Get(o.ctx, "rotad/staging/"+o.client.StagingKey(), 0)
	if err != nil {
		return err
	}
	o.view.StageID = entry.Text("secret_id")
	o.view.Staged = o.Known(entry.Text("bundle." + o.field))
	return nil
}

// secrets lists what stands at the provider. Keycloak's versions have no ids of its own; a SecretID's value cannot be
// read.
func (o *onlooker) secrets() error {
	if o.realm != "" {
		client, err := o.keycloak.Client(o.ctx, o.realm, o.clientID)
		if err != nil {
			return fmt.Errorf("looking at keycloak: %w", err)
		}
		o.view.Secrets = []oracle.Secret{{Value: o.Known(client.Secret), Maker: oracle.ByRotad, Live: true}}
		return nil
	}
	accessors, err := o.Vault.Accessors(o.ctx, o.id)
	for _, accessor := range accessors {
		s := oracle.Secret{ID: accessor, Maker: oracle.ByRotad, Live: true}
		if accessor == o.first {
			s.Maker = oracle.Adopted
		}
		o.view.Secrets = append(o.view.Secrets, s)
	}
	return err
}

// quiet asks a resting client for what must be true when nothing moves any more.
func (f *fleet) quiet(m *member) ([]oracle.Broken, error) {
	o, err := f.look(f.T.Context(), m)
	if err != nil {
		return nil, err
	}
	if o.view.Audit, err = f.history(f.T.Context(), m.id); err != nil {
		return nil, err
	}
	broken := append(oracle.Moment(o.view), oracle.Quiet(o.view)...)
	if len(broken) == 0 && len(o.errs) == 0 {
		return nil, nil
	}
	return broken, o.still(f.T.Context())
}

// steady says why a client does not rest: nil = it is in no rotation, is not held, and nothing fails.
func steady(r credential.Record) error {
	switch {
	case r.Hold != nil:
		return fmt.Errorf("%s is held: %s: %s", r.Client.ID, r.Hold.Code, r.Hold.Detail)
	case r.Rotation != nil:
		return fmt.Errorf("%s is in phase %s after %d failures (%s)", r.Client.ID, r.Phase(), r.Backoff.Attempts, r.Backoff.Error)
	case r.Request.Rotate:
		return fmt.Errorf("%s has not begun its rotation, after %d failures (%s)", r.Client.ID, r.Backoff.Attempts, r.Backoff.Error)
	}
	return nil
}
