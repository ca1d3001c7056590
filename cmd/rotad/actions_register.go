package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/state"
)

// enrolment is one VerbRegister under way.
type enrolment struct {
	*actions
	by     rotation.Person
	source string
	dry    bool
	result admin.Registered
}

// register takes clients into the store, many in one transaction. What cannot be taken is rejected with its reason; the
// rest is taken, and asking again is harmless.
func (a *actions) register(ctx context.Context, c admin.Command) (admin.Reply, error) {
	e := &enrolment{actions: a, by: person(c), source: c.Source, dry: c.DryRun}
	ctx = context.WithoutCancel(ctx)
	fresh := make([]credential.Change, 0, len(c.Clients)) // a change is large: growing the list would copy a lot
	at := make([]int, 0, len(c.Clients))                  // of the fresh ones, in c.Clients
	for i := range c.Clients {
		client, ok := e.accept(i, c.Clients[i])
		switch {
		case !ok:
		case client.RenamedFrom != "" || e.dry || e.unasked(client):
			if err := e.one(ctx, i, client); err != nil {
				return admin.Reply{}, err
			}
		default:
			fresh, at = append(fresh, e.creation(client)), append(at, i)
		}
	}
	if err := e.many(ctx, fresh, at); err != nil {
		return admin.Reply{}, err
	}
	reply := admin.Reply{Registered: &e.result}
	switch {
	case !e.dry:
		a.wake()
	case c.Look && len(c.Clients) == 1 && len(e.result.Rejected) == 0:
		reply.Record = a.foresight(ctx, c.Clients[0])
	}
	return reply, nil
}

// foresight is the record of a client that is not registered, as a first look would leave it. The look asks provider and
// Vault, and changes nothing. Nil where nothing can be asked.
func (a *actions) foresight(ctx context.Context, client credential.Client) *credential.Record {
	if a.connection == nil {
		return nil
	}
	client = a.config().WithDefaults(client)
	to, ok := a.connection(client.Provider)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	env := a.env(credential.Record{Client: client})
	rec := rotation.Register(client, env).Record
	o := a.executor.Run(ctx, to.Provider, rec, rotation.EffectLook, env)
	rec = rotation.Apply(rec, rotation.EffectLook, o, a.env(rec)).Record
	return &rec
}

// accept completes a client and checks it against the configuration in force.
func (e *enrolment) accept(i int, client credential.Client) (credential.Client, bool) {
	cfg := e.config()
	client = cfg.WithDefaults(client)
	client.Source = e.source
	problems := cfg.CheckClient(client).Errors()
	for _, p := range problems {
		e.result.Rejected = append(e.result.Rejected, admin.Rejected{Index: i, Path: p.Path, What: p.What, Hint: p.Hint})
	}
	return client, e.onlyConfigured(i, &client) && len(problems) == 0
}

// onlyConfigured refuses what makes rotad write files or run programs: whoever may speak to the socket is not for that
// reason somebody who may do so as rotad.
func (e *enrolment) onlyConfigured(i int, client *credential.Client) bool {
	var path string
	switch {
	case len(client.Destinations) > 0:
		path = "destinations"
	case len(client.Reloads) > 0:
		path = "reload"
	default:
		return true
	}
	e.result.Rejected = append(e.result.Rejected, admin.Rejected{
		Index: i, Path: path, What: "is taken from the configuration only: it makes rotad write files, or run programs",
		Hint: "write the client into the configuration, or into a file of include:",
	})
	return false
}

// onlyProved refuses new clients of a provider that stands on documentation alone, for as long as nobody has said allow_unproven:
// they would be the first whose secrets are rotated by it. Who only watches risks nothing, and what is registered goes on.
func (e *enrolment) onlyProved(ctx context.Context, i int, client credential.Client) (bool, error) {
	what, hint, unasked := e.config().Unasked(client.Provider, client.Policy)
	if !unasked {
		return true, nil
	}
	for _, id := range []string{client.ID, client.RenamedFrom} {
		if id == "" {
			continue
		}
		if _, known, err := e.store.Get(ctx, id); known || err != nil {
			return known, err
		}
	}
	e.result.Rejected = append(e.result.Rejected, admin.Rejected{Index: i, Path: "provider", What: what, Hint: hint})
	return false, nil
}

// unasked says whether a client may only be taken if it is registered already, which has to be looked up.
func (e *enrolment) unasked(client credential.Client) bool {
	_, _, unasked := e.config().Unasked(client.Provider, client.Policy)
	return unasked
}

func (e *enrolment) creation(client credential.Client) credential.Change {
	d := rotation.Register(client, e.env(credential.Record{Client: client}))
	sign(d.Audit, e.by)
	return credential.Change{Record: d.Record, Audit: d.Audit, Create: true, Keep: true}
}

// many creates records. One that exists already is looked at by itself.
func (e *enrolment) many(ctx context.Context, changes []credential.Change, at []int) error {
	if len(changes) == 0 {
		return nil
	}
	refusals, err := e.store.CommitMany(ctx, changes)
	if err != nil {
		return err
	}
	e.result.New += len(changes) - len(refusals)
	refused := make(map[int]bool, len(refusals))
	for _, r := range refusals {
		refused[r.Index] = true
		if err := e.refused(ctx, at[r.Index], changes[r.Index].Record.Client, r.Err); err != nil {
			return err
		}
	}
	for i, change := range changes {
		if e.committed != nil && !refused[i] {
			change.Record.Rev++
			e.committed(change)
		}
	}
	return nil
}

// one registers one client, whatever the store knows of it. A conflict is decided again.
func (e *enrolment) one(ctx context.Context, i int, client credential.Client) error {
	if ok, err := e.onlyProved(ctx, i, client); !ok || err != nil {
		return err
	}
	for range meetings {
		change, same, err := e.change(ctx, client)
		switch {
		case err != nil:
			return e.reject(i, err)
		case same:
			e.result.Unchanged++
			return nil
		}
		if !e.dry {
			_, conflict, err := e.commit(ctx, change)
			switch {
			case err != nil:
				return e.reject(i, err)
			case conflict:
				continue
			}
		}
		if change.Create {
			e.result.New++
		} else {
			e.result.Changed++
		}
		return nil
	}
	return e.reject(i, busy(client.ID))
}

// change finds out what has to be committed for a client; same means nothing.
func (e *enrolment) change(ctx context.Context, client credential.Client) (c credential.Change, same bool, err error) {
	rec, ok, err := e.store.Get(ctx, client.ID)
	rename := ""
	if err == nil && !ok && client.RenamedFrom != "" {
		rec, ok, err = e.store.Get(ctx, client.RenamedFrom)
		rename = client.RenamedFrom
	}
	switch {
	case err != nil:
		return c, false, err
	case !ok:
		return e.creation(client), false, e.taken(ctx, client)
	}
	if err := e.mayChange(rec, client); err != nil {
		return c, false, err
	}
	if !rotation.Changed(rec, client) {
		return c, true, nil
	}
	d := rotation.Update(rec, client, e.env(rec))
	sign(d.Audit, e.by)
	return credential.Change{Record: d.Record, Notices: d.Notices, Audit: d.Audit, Strokes: d.Strokes, Keep: true, Rename: rename}, false, nil
}

// taken says in a dry run what a commit would say: another client has this ref already.
func (e *enrolment) taken(ctx context.Context, client credential.Client) error {
	if !e.dry {
		return nil
	}
	id, ok, err := e.store.Find(ctx, client.Provider, client.Ref)
	if err == nil && ok {
		err = &state.Duplicate{Index: state.IndexRef, ID: id}
	}
	return err
}

// mayChange refuses a client that has another source, and a move under a running rotation.
func (e *enrolment) mayChange(rec credential.Record, client credential.Client) error {
	id, source := rec.Client.ID, rec.Client.Source
	switch {
	case rec.Leaving:
	case fromFile(source):
		return conflicting(fmt.Sprintf("the client %s is registered in %s", id, source), "each client has one source: delete it in one of them")
	case e.source == admin.SourceAdd:
		return conflicting(fmt.Sprintf("the client %s is registered already", id), "rotad import changes registered clients; rotad show "+id)
	}
	if movesUnderWay(rec, client) {
		return conflicting(fmt.Sprintf("provider, ref and vault path of %s cannot change while its rotation runs", id), "rotad show "+id)
	}
	return nil
}

// movesUnderWay says whether a registration would move what a running rotation has pinned.
func movesUnderWay(rec credential.Record, client credential.Client) bool {
	if rec.Rotation == nil {
		return false
	}
	pinned := rec.Rotation.Client
	return pinned.Provider != client.Provider || pinned.Ref.Canonical() != client.Ref.Canonical() || pinned.Vault.Key() != client.Vault.Key()
}

func conflicting(why, hint string) error {
	return &admin.Error{Class: admin.ClassRefused, Why: why, Hint: hint}
}

// reject notes why a client was not taken. What is no matter of this client ends the run.
func (e *enrolment) reject(i int, err error) error {
	var no *admin.Error
	var duplicate *state.Duplicate
	rejected := admin.Rejected{Index: i, Conflict: true}
	switch {
	case errors.As(err, &no):
		rejected.What, rejected.Hint = no.Why, no.Hint
	case errors.As(err, &duplicate):
		rejected.What, rejected.Hint = duplicate.Error(), "each client has a ref and a vault path of its own"
	case errors.Is(err, state.ErrInvalid):
		rejected.What, rejected.Conflict = err.Error(), false
	default:
		return err
	}
	e.result.Rejected = append(e.result.Rejected, rejected)
	return nil
}
