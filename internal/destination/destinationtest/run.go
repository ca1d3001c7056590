// Package destinationtest is the conformance suite that every kind of destination passes.
//
//	Run ──► one World per test ──► Set.Deliver ──► the place
//	             └── what the place holds is asked of the World, never of rotad
package destinationtest

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/destination"
)

// World is one place, and a way to look at it and to break it.
type World interface {
	// Destination is the place, which holds nothing yet. It names the fields as they are, and the old ones with the
	// suffix "_previous".
	Destination() credential.Destination
	// Held is what a consumer reads there now; empty = nothing. It is asked while the place is being written.
	Held(t *testing.T) map[string]string
	// Stamp changes whenever the place is written.
	Stamp(t *testing.T) string
	// Tamper lets somebody else change what the place holds.
	Tamper(t *testing.T)
	// Break makes the place unwritable until mend is called.
	Break(t *testing.T) (mend func())
}

// Equipped is a World whose places need something of rotad's.
type Equipped interface {
	World
	// Set is what delivers to them.
	Set() destination.Set
}

func setOf(w World) destination.Set {
	if e, ok := w.(Equipped); ok {
		return e.Set()
	}
	return destination.Set{}
}

// Run asks everything of a kind.
func Run(t *testing.T, open func(*testing.T) World) {
	for name, ask := range map[string]func(*testing.T, World){
		"holds what was delivered":       holdsWhatWasDelivered,
		"is not touched when it fits":    untouchedWhenItFits,
		"is mended when it was changed":  mendedWhenChanged,
		"holds the old one for a while":  oldBeside,
		"shows no half":                  noHalf,
		"fails in words without a value": failsInWords,
		"is left alone without time":     leftAlone,
	} {
		t.Run(name, func(t *testing.T) { ask(t, open(t)) })
	}
}

const (
	first  = "first-secret-value-of-this-test"
	second = "second-secret-value-of-this-test"
)

func bundleOf(secret string) credential.Bundle {
	return credential.Bundle{
		credential.FieldClientID:     credential.NewSensitive("billing"),
		credential.FieldClientSecret: credential.NewSensitive(secret),
	}
}

func copyOf(version int, secret string) credential.Copy {
	return credential.Copy{Client: "billing", Version: version, Bundle: bundleOf(secret)}
}

func deliver(t *testing.T, w World, c credential.Copy, written bool) {
	t.Helper()
	got, err := setOf(w).Deliver(t.Context(), w.Destination(), c)
	if err != nil || got != written {
		t.Fatalf("written %t, want %t; %v", got, written, err)
	}
}

func expect(t *testing.T, w World, secret, previous string) {
	t.Helper()
	want := map[string]string{"client_id": "billing", "client_secret": secret}
	if previous != "" {
		want["client_secret_previous"] = previous
	}
	if !maps.Equal(w.Held(t), want) {
		t.Fatal("the place does not hold what was delivered")
	}
}

func holdsWhatWasDelivered(t *testing.T, w World) {
	deliver(t, w, copyOf(1, first), true)
	expect(t, w, first, "")
	deliver(t, w, copyOf(2, second), true)
	expect(t, w, second, "")
}

func untouchedWhenItFits(t *testing.T, w World) {
	deliver(t, w, copyOf(1, first), true)
	stamp := w.Stamp(t)
	deliver(t, w, copyOf(1, first), false)
	if w.Stamp(t) != stamp {
		t.Error("it was written again: whoever watches it reloads for nothing")
	}
}

func mendedWhenChanged(t *testing.T, w World) {
	deliver(t, w, copyOf(1, first), true)
	w.Tamper(t)
	deliver(t, w, copyOf(1, first), true)
	expect(t, w, first, "")
}

func oldBeside(t *testing.T, w World) {
	both := copyOf(2, second)
	both.Previous = bundleOf(first)
	deliver(t, w, both, true)
	expect(t, w, second, first)
	deliver(t, w, copyOf(2, second), true)
	expect(t, w, second, "")
}

func noHalf(t *testing.T, w World) {
	deliver(t, w, copyOf(1, first), true)
	done := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if held := w.Held(t); held["client_secret"] != first && held["client_secret"] != second || held["client_id"] != "billing" {
				t.Error("a reader saw neither the old content nor the new one")
				return
			}
		}
	})
	for i := range 50 {
		deliver(t, w, copyOf(i, [2]string{second, first}[i%2]), true)
	}
	close(done)
	readers.Wait()
}

func failsInWords(t *testing.T, w World) {
	deliver(t, w, copyOf(1, first), true)
	mend := w.Break(t)
	written, err := setOf(w).Deliver(t.Context(), w.Destination(), copyOf(2, second))
	if err == nil || written {
		t.Fatal("a place that cannot be written was written")
	}
	if text := err.Error(); strings.Contains(text, second) || strings.Contains(text, first) || !strings.Contains(text, w.Destination().Place()) {
		t.Error("the error has a secret in it, or does not name the place")
	}
	mend()
	deliver(t, w, copyOf(2, second), true)
	expect(t, w, second, "")
}

func leftAlone(t *testing.T, w World) {
	deliver(t, w, copyOf(1, first), true)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if written, err := setOf(w).Deliver(ended, w.Destination(), copyOf(2, second)); err == nil || written {
		t.Fatal("written although there was no time")
	}
	expect(t, w, first, "")
}
