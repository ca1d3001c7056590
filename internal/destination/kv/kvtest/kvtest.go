// Package kvtest asks the destination vault everything that it relies on, of a server: of the sandbox in unit tests, and of a
// real Vault in the integration tests.
//
//	Run ──► destination.Set ──► vault.Client ──► Faults (a proxy at which others act) ──► server
//	    └── root token ─────────────────────────────────────────────────────────────────► server
package kvtest

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination/destinationtest"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/vault/vaulttest"
)

// Run asks a server. newServer is called once per test and may return the same server each time.
func Run(t *testing.T, newServer func(t *testing.T) vaulttest.Server) {
	t.Run("conformance", func(t *testing.T) {
		destinationtest.Run(t, func(t *testing.T) destinationtest.World { return newWorld(t, newServer(t)) })
	})
	t.Run("conformance beside others", func(t *testing.T) {
		destinationtest.Run(t, func(t *testing.T) destinationtest.World {
			w := newWorld(t, newServer(t))
			w.put(theirs)
			return w
		})
	})
	for name, ask := range map[string]func(*world){
		"only rotad's keys are written and removed": onlyOwnKeys,
		"a deleted version is written over":         overDeleted,
		"a destroyed version is written over":       overDestroyed,
		"a number is no text":                       numberIsNoText,
		"somebody else is faster":                   faster,
		"somebody else is always faster":            alwaysFaster,
		"somebody else puts it back":                putsItBack,
		"a lost reply is found by the next look":    lostReply,
		"a missing right says what to do":           missingRight,
		"a mount that is none says so":              noMount,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { ask(newWorld(t, newServer(t))) })
	}
}

// theirs is what others keep at the place, in spellings that reading and writing again could change.
const theirs = `"theirs":"their value <&> ä","count":12345678901234567890,"nested":{"z":[1,{"y":null}]}`

func onlyOwnKeys(w *world) {
	w.place.Names = map[string]string{"client_id": "id", "client_secret": "password", "version": "of"}
	w.place.Previous = map[string]string{"client_secret": "old_password"}
	w.put(theirs)
	before := w.data()
	both := copyOf(second)
	both.Previous = bundleOf(first)
	for _, c := range []credential.Copy{both, copyOf(second)} {
		want := maps.Clone(before)
		want["id"], want["password"], want["of"] = `"billing"`, `"`+second+`"`, `"7"`
		if c.Previous != nil {
			want["old_password"] = `"` + first + `"`
		}
		w.deliver(c, true)
		if got := w.data(); !maps.Equal(got, want) {
			w.t.Error("others' keys were touched, or rotad's are not as they should be")
		}
		w.deliver(c, false)
	}
	w.expectVersion(3)
}

func overDeleted(w *world) {
	w.put(theirs)
	w.must(http.MethodDelete, w.api("data"), nil)
	w.deliver(copyOf(first), true)
	w.expectVersion(2)
	w.expectKeys(`"client_id"`, `"client_secret"`)
}

func overDestroyed(w *world) {
	w.put(theirs)
	w.put(theirs)
	w.must(http.MethodPut, w.api("destroy"), map[string]any{"versions": []int{2}})
	w.deliver(copyOf(first), true)
	w.expectVersion(3)
	w.expectKeys(`"client_id"`, `"client_secret"`)
}

// numberIsNoText: a consumer in a typed language reads 12345 where it expects "12345", and fails.
func numberIsNoText(w *world) {
	w.put(`"client_id":"billing","client_secret":12345`)
	w.deliver(copyOf("12345"), true)
	w.put(`"client_id":"billing","client_secret":null`)
	w.deliver(copyOf(""), true)
	if got := w.data()["client_secret"]; got != `""` {
		w.t.Error("it is no text")
	}
}

// faster: what others do between rotad's look and its write is seen and kept, and rotad's keys are put on top.
func faster(w *world) {
	for name, act := range map[string]func(){
		"changes it":   func() { w.put(theirs) },
		"changes ours": func() { w.put(theirs + `,"client_secret":"elsewhere"`) },
	} {
		w.t.Run(strings.ReplaceAll(name, " ", "_"), func(*testing.T) {
			w.put(`"old":"data"`)
			w.beforeWrite(1, act)
			w.deliver(copyOf(first), true)
			w.expectKeys(`"client_id"`, `"client_secret"`, `"theirs"`, `"count"`, `"nested"`)
		})
	}
	w.put(theirs)
	w.beforeWrite(1, func() { w.must(http.MethodDelete, w.api("data"), nil); w.put(`"other":"data"`) })
	w.deliver(copyOf(second), true)
	w.expectKeys(`"client_id"`, `"client_secret"`, `"other"`)
}

func alwaysFaster(w *world) {
	changes := 0
	w.beforeWrite(-1, func() { changes++; w.put(theirs) })
	written, err := w.Set().Deliver(w.t.Context(), w.Destination(), copyOf(first))
	if err == nil || written || changes != 5 || !strings.Contains(err.Error(), "somebody else changes it all the time") {
		w.t.Errorf("written %t after %d changes of somebody else: %v", written, changes, err)
	}
	w.expectKeys(`"theirs"`, `"count"`, `"nested"`)
}

func putsItBack(w *world) {
	w.faults.Rewrite(sandbox.When{Method: http.MethodPut, Path: "/data/"}, func(b []byte) []byte { w.put(theirs); return b })
	written, err := w.Set().Deliver(w.t.Context(), w.Destination(), copyOf(first))
	if err == nil || written || !strings.Contains(err.Error(), "does not hold what was written: somebody else writes") {
		w.t.Errorf("written %t, %v", written, err)
	}
}

func lostReply(w *world) {
	w.faults.DropReply(sandbox.When{Method: http.MethodPut, Path: "/data/"})
	if written, err := w.Set().Deliver(w.t.Context(), w.Destination(), copyOf(first)); err == nil || written {
		w.t.Errorf("written %t, %v", written, err)
	}
	w.deliver(copyOf(first), false)
	w.expectVersion(1)
}

func missingRight(w *world) {
	w.place.Path = "not-" + w.place.Path
	_, err := w.Set().Deliver(w.t.Context(), w.Destination(), copyOf(first))
	if !errors.Is(err, credential.ErrDenied) || !strings.Contains(err.Error(), "rotad needs create, read and update") {
		w.t.Error(err)
	}
}

func noMount(w *world) {
	w.place.Mount = "nowhere"
	written, err := w.Set().Deliver(w.t.Context(), w.Destination(), copyOf(first))
	if err == nil || written || !strings.Contains(err.Error(), "vault: nowhere/"+w.place.Path) {
		w.t.Error(written, err)
	}
}

// data reads the place as somebody else: each key as the bytes that the server sends. nil = there is nothing.
func (w *world) data() map[string]string {
	w.t.Helper()
	status, answer := w.ask(http.MethodGet, w.api("data"), nil)
	if status == http.StatusNotFound {
		return nil
	}
	var body struct {
		Data struct {
			Data map[string]json.RawMessage `json:"data"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer, &body); err != nil || status != http.StatusOK {
		w.t.Errorf("HTTP %d, %v", status, err)
	}
	out := map[string]string{}
	for key, raw := range body.Data.Data {
		out[key] = string(raw)
	}
	return out
}
