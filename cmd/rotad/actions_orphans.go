package main

import (
	"context"
	"errors"
	"slices"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// orphans finds the secrets of a client that rotad has made and left, and lets one go if it is named. The provider is asked
// with reading requests only; what was let go is deleted by the scheduler, which looks at everything anew.
func (a *actions) orphans(ctx context.Context, c admin.Command) (admin.Reply, error) {
	rec, ok, err := a.store.Get(ctx, c.Client)
	switch {
	case err != nil:
		return admin.Reply{}, err
	case !ok:
		return admin.Reply{}, admin.NotFound(c.Client)
	}
	found, err := a.beside(ctx, rec)
	if err != nil {
		return admin.Reply{}, err
	}
	history, err := a.store.History(ctx, rec.Client.ID, 0)
	if err != nil {
		return admin.Reply{}, err
	}
	if c.SecretID == "" {
		return admin.Reply{Orphans: a.judged(rec, found, history)}, nil
	}
	i := slices.IndexFunc(found, func(s credential.Secret) bool { return s.ID == c.SecretID })
	if i < 0 {
		return admin.Reply{}, &admin.Error{Class: admin.ClassRefused, Why: "the provider lists no such secret beside the one that Vault hands out", Hint: "rotad orphans " + rec.Client.ID}
	}
	made, _ := rotation.MadeHere(found[i], history)
	return a.grant(ctx, rec, person(c), rotation.LetGo(found[i], made), true)
}

// beside asks the provider which secrets stand beside the one that Vault hands out.
func (a *actions) beside(ctx context.Context, rec credential.Record) ([]credential.Secret, error) {
	if a.connection == nil {
		return nil, &admin.Error{Class: admin.ClassFailed, Why: "no provider can be asked while rotad does not run", Hint: "systemctl start rotad"}
	}
	to, ok := a.connection(rec.Client.Provider)
	if !ok {
		return nil, &admin.Error{Class: admin.ClassFailed, Why: "provider " + rec.Client.Provider + " is not configured", Hint: "rotad check"}
	}
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	snap, err := to.Provider.Inspect(ctx, rotation.Target(a.executor.Vault, rec.Client, ""))
	switch {
	case providers.ClassOf(err) == providers.ClassNotFound:
		return nil, nil
	case err != nil:
		return nil, &admin.Error{Class: admin.ClassFailed, Why: err.Error(), Hint: "rotad check --online"}
	}
	current := func(s credential.Secret) bool { return s.ID == rec.Current.ID }
	return slices.DeleteFunc(slices.Clone(snap.Secrets), current), nil
}

// judged keeps what carries a label of rotad or stands in the history as made by it, and says of each whether it may go.
func (a *actions) judged(rec credential.Record, found []credential.Secret, history []credential.Audit) []admin.Orphan {
	var list []admin.Orphan
	for _, s := range found {
		made, ours := rotation.MadeHere(s, history)
		if _, _, labelled := credential.ParseLabel(s.Label); !ours && !labelled {
			continue
		}
		o := admin.Orphan{
			Client: rec.Client.ID, Secret: s.ID, Label: s.Label, Start: s.Start, Expires: s.Expires, LastUse: s.LastUse, Rotation: made,
			Published: handedOut(made, history), Going: slices.ContainsFunc(rec.Orphans, func(one credential.Orphan) bool { return one.ID == s.ID }),
		}
		if _, err := rotation.LetGo(s, made)(rec, rotation.Person{}, a.env(rec)); err != nil && !o.Going {
			if no, ok := errors.AsType[*rotation.Refusal](err); ok {
				o.Kept = no.Why
			}
		}
		list = append(list, o)
	}
	return list
}

// handedOut says whether a rotation has published its secret.
func handedOut(made string, history []credential.Audit) bool {
	return made != "" && slices.ContainsFunc(history, func(a credential.Audit) bool {
		return a.Rotation == made && a.Event == credential.EventPromoted
	})
}
