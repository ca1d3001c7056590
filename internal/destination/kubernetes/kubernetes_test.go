package kubernetes_test

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination"
	"github.com/rotad/rotad/internal/destination/destinationtest"
	"github.com/rotad/rotad/internal/destination/kubernetes"
)

func TestConformance(t *testing.T) {
	t.Run("made by rotad", func(t *testing.T) {
		destinationtest.Run(t, func(t *testing.T) destinationtest.World { return newWorld(t) })
	})
	t.Run("made by somebody else", func(t *testing.T) {
		destinationtest.Run(t, func(t *testing.T) destinationtest.World {
			w := newWorld(t)
			w.put(nil)
			return w
		})
	})
}

// The application mounts the Secret and reads keys of its own naming; what others keep there survives byte for byte.
func TestOnlyOwnKeysAreWrittenAndRemoved(t *testing.T) {
	w := newWorld(t)
	w.place.Names = map[string]string{"client_id": "AUTH_CLIENT_ID", "client_secret": "AUTH_CLIENT_SECRET"}
	w.place.Previous = map[string]string{"client_secret": "AUTH_CLIENT_SECRET_OLD"}
	w.put(nil)
	before := w.cluster.Object(namespace, name)
	both := copyOf("second")
	both.Previous = bundleOf("first")
	for _, step := range []struct {
		copied bool
		want   map[string]string
	}{
		{true, map[string]string{"AUTH_CLIENT_ID": "billing", "AUTH_CLIENT_SECRET": "second", "AUTH_CLIENT_SECRET_OLD": "first"}},
		{false, map[string]string{"AUTH_CLIENT_ID": "billing", "AUTH_CLIENT_SECRET": "second"}},
	} {
		c := both
		if !step.copied {
			c.Previous = nil
		}
		if written, err := kubernetes.Deliver(t.Context(), w.place, c); err != nil || !written {
			t.Fatalf("written %t, %v", written, err)
		}
		want := maps.Clone(step.want)
		want["theirs"] = "their value\x00\xff"
		if got := w.data(); !maps.Equal(got, want) {
			t.Errorf("the keys are %v", got)
		}
	}
	after := w.cluster.Object(namespace, name)
	for _, o := range []map[string]any{before, after} {
		delete(o, "data")
		delete(o["metadata"].(map[string]any), "resourceVersion")
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the Secret of somebody else was\n%v\nand is\n%v", before, after)
	}
}

func TestTheVersionStandsInASecretThatNamesIt(t *testing.T) {
	w := newWorld(t)
	w.place.Previous, w.place.Names = nil, map[string]string{"client_secret": "password", "version": "secret-version"}
	c := credential.Copy{Client: "billing", Version: 41, Bundle: credential.Bundle{credential.FieldClientSecret: credential.NewSensitive("s3cret")}}
	for _, written := range []bool{true, false} {
		got, err := destination.Set{}.Deliver(t.Context(), w.Destination(), c)
		if err != nil || got != written {
			t.Fatalf("written %t, want %t; %v", got, written, err)
		}
	}
	if held := w.Held(t); held["secret-version"] != "41" || len(held) != 2 {
		t.Errorf("it holds %d keys, and version %q", len(held), held["secret-version"])
	}
}

func TestASecretThatIsMadeIsOpaqueAndSaysWhose(t *testing.T) {
	w := newWorld(t)
	if _, err := kubernetes.Deliver(t.Context(), w.place, copyOf("first")); err != nil {
		t.Fatal(err)
	}
	o := w.cluster.Object(namespace, name)
	labels := o["metadata"].(map[string]any)["labels"]
	if o["type"] != "Opaque" || !reflect.DeepEqual(labels, map[string]any{"app.kubernetes.io/managed-by": "rotad"}) {
		t.Errorf("made as %v with the labels %v", o["type"], labels)
	}
}

// Somebody else acts between rotad's look and its write: their change is seen and kept, and rotad's is made on top.
func TestSomebodyElseIsFaster(t *testing.T) {
	for name, test := range map[string]struct {
		exists bool
		act    func(*world)
		theirs string
	}{
		"changes another key":    {true, func(w *world) { w.change("theirs", "theirs, changed") }, "theirs, changed"},
		"changes the same key":   {true, func(w *world) { w.change("client_secret", "elsewhere") }, "their value\x00\xff"},
		"makes it":               {false, func(w *world) { w.put(nil) }, "their value\x00\xff"},
		"deletes it":             {true, func(w *world) { w.cluster.Delete(namespace, "billing-oidc") }, ""},
		"deletes and remakes it": {true, func(w *world) { w.cluster.Delete(namespace, "billing-oidc"); w.put(nil) }, "their value\x00\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.exists {
				w.put(nil)
			}
			w.cluster.BeforeChange(func() { test.act(w) })
			if written, err := kubernetes.Deliver(t.Context(), w.place, copyOf("first")); err != nil || !written {
				t.Fatalf("written %t, %v", written, err)
			}
			want := map[string]string{"client_id": "billing", "client_secret": "first", "theirs": test.theirs}
			if test.theirs == "" {
				delete(want, "theirs")
			}
			if got := w.data(); !maps.Equal(got, want) {
				t.Errorf("the keys are %v", got)
			}
		})
	}
}

// Who changes it at every moment does not keep rotad busy for ever.
func TestSomebodyElseIsAlwaysFaster(t *testing.T) {
	w := newWorld(t)
	w.put(nil)
	var act func()
	changes := 0
	act = func() { changes++; w.change("theirs", strings.Repeat("x", changes)); w.cluster.BeforeChange(act) }
	w.cluster.BeforeChange(act)
	written, err := kubernetes.Deliver(t.Context(), w.place, copyOf("first"))
	if err == nil || written || changes != 5 || !strings.Contains(err.Error(), "somebody else changes it all the time") {
		t.Errorf("written %t after %d changes of somebody else: %v", written, changes, err)
	}
}

// Somebody whose own copy comes back after every change, as with a tool that deploys the Secret: that is said.
func TestSomebodyElsePutsItBack(t *testing.T) {
	w := newWorld(t)
	w.put(nil)
	w.faults.Rewrite(whenPatched, func(b []byte) []byte { w.cluster.Delete(namespace, name); w.put(nil); return b })
	written, err := kubernetes.Deliver(t.Context(), w.place, copyOf("first"))
	if err == nil || written || !strings.Contains(err.Error(), "does not hold what was written: somebody else writes it") {
		t.Errorf("written %t, %v", written, err)
	}
}
