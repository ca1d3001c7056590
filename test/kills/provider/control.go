package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/test/kills/wire"
)

// control is what the driver asks for: it is no part of any provider.
func (w *world) control(mux *http.ServeMux) {
	mux.HandleFunc("GET "+wire.PathHealth, func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST "+wire.PathRegister, answering(w.register))
	mux.HandleFunc("POST "+wire.PathIssue, answering(w.issue))
	mux.HandleFunc("POST "+wire.PathRemoveOld, answering(w.removeOld))
	mux.HandleFunc("POST "+wire.PathSecrets, answering(w.secrets))
	mux.HandleFunc("POST "+wire.PathArm, answering(func(a wire.Trap) (any, error) { w.trap.arm(a); return nil, nil }))
	mux.HandleFunc("POST "+wire.PathShut, answering(func(struct{}) (any, error) { return w.trap.closed(), nil }))
}

// answering decodes a request, and encodes what comes of it.
func answering[T any](do func(T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		err := json.NewDecoder(r.Body).Decode(&in)
		var out any
		if err == nil {
			out, err = do(in)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(out)
	}
}

func (w *world) register(c wire.Client) (any, error) {
	switch c.Kind {
	case wire.KindRealmGrace:
		return nil, w.grace.Register(sandbox.KeycloakClient{ClientID: c.ID, Secret: c.Secret, ServiceAccount: true})
	case wire.KindRealmCut:
		return nil, w.cutover.Register(sandbox.KeycloakClient{ClientID: c.ID, Secret: c.Secret, ServiceAccount: true})
	}
	return nil, w.idp.Register(sandbox.Registration{ClientID: c.ID, Secret: c.Secret})
}

// issue is a person in the portal who makes a new secret beside the old one.
func (w *world) issue(c wire.Client) (any, error) {
	_, value, err := w.idp.Issue(c.ID, sandbox.Issue{KeepOld: -1, TTL: 90 * 24 * time.Hour})
	return value, err
}

// removeOld is a person in the portal who removes all but the newest.
func (w *world) removeOld(c wire.Client) (any, error) { return w.idp.Portal().RemoveOld(c.ID) }

// secrets lists what stands at the provider, and whether it logs in.
func (w *world) secrets(c wire.Client) (any, error) {
	live := map[string]bool{}
	for _, s := range w.idp.Live(c.ID) {
		live[s.ID] = true
	}
	list := []wire.Secret{}
	for _, s := range w.idp.Secrets(c.ID) {
		list = append(list, wire.Secret{ID: s.ID, Label: s.Label, Live: live[s.ID]})
	}
	return list, nil
}
