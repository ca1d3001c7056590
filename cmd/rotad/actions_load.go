package main

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// loaded is a client that has been handed to the store, and whose transaction has not been written yet.
type loaded struct {
	at     int // in the sequence
	client credential.Client
}

// bulkStore makes any number of changes in large transactions.
type bulkStore interface {
	Load(ctx context.Context, changes iter.Seq[credential.Change], settled func(n int, refusals []state.Refusal) error) error
}

// load registers any number of clients while they come, in large transactions: while one is written, the clients of the
// next one are decoded, checked and encoded. Renamed ones, and those that may be no new ones, come last. It is for a command that has the state file for itself: no daemon is told of
// the commits. It differs from register in nothing else. The indexes of what is rejected
// count from the first client of the sequence. told is called after each transaction.
func (a *actions) load(
	ctx context.Context, store bulkStore, c admin.Command, clients iter.Seq[credential.Client], told func(sum admin.Registered),
) (admin.Registered, error) {
	e := &enrolment{actions: a, by: person(c), source: c.Source}
	ctx = context.WithoutCancel(ctx)
	var waiting, renamed []loaded // waiting: of two transactions at most
	err := store.Load(ctx, func(yield func(credential.Change) bool) {
		next := 0
		for client := range clients {
			of := loaded{at: next}
			next++
			var ok bool
			switch of.client, ok = e.accept(of.at, client); {
			case !ok:
			case of.client.RenamedFrom != "", e.unasked(of.client): // possibly from one that still waits; what has to be looked up is not while it is written
				renamed = append(renamed, of)
			default:
				if waiting = append(waiting, of); !yield(e.creation(of.client)) {
					return
				}
			}
		}
	}, func(n int, refusals []state.Refusal) error {
		if err := e.settled(ctx, waiting[:n], refusals); err != nil {
			return err
		}
		waiting = append(waiting[:0], waiting[n:]...)
		told(e.result)
		return nil
	})
	for _, of := range renamed {
		if err == nil {
			err = e.one(ctx, of.at, of.client)
		}
	}
	slices.SortFunc(e.result.Rejected, func(a, b admin.Rejected) int { return a.Index - b.Index })
	return e.result, err
}

// settled takes in what became of some changes. A client that exists already is looked at by itself.
func (e *enrolment) settled(ctx context.Context, made []loaded, refusals []state.Refusal) error {
	e.result.New += len(made) - len(refusals)
	for _, r := range refusals {
		of := made[r.Index]
		if err := e.refused(ctx, of.at, of.client, r.Err); err != nil {
			return err
		}
	}
	return nil
}

// refused is about a creation that the store has refused.
func (e *enrolment) refused(ctx context.Context, at int, client credential.Client, why error) error {
	if errors.Is(why, state.ErrConflict) {
		return e.one(ctx, at, client)
	}
	return e.reject(at, why)
}
