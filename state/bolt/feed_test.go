package bolt_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotad/rotad/state"
	"github.com/rotad/rotad/state/bolt"
)

func TestTheGenerationOfAFeedOutlivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rotad.db")
	for want := range uint64(3) {
		s, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Feed(t.Context(), "payments"); err != nil || got != want {
			t.Errorf("%d, want %d (%v)", got, want, err)
		}
		if got, err := s.ChangeFeed(t.Context(), "payments"); err != nil || got != want+1 {
			t.Errorf("changed to %d, want %d (%v)", got, want+1, err)
		}
		if got, err := s.Feed(t.Context(), "others"); err != nil || got != 0 {
			t.Errorf("the feed of others has generation %d (%v)", got, err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, owner := range []string{"", strings.Repeat("a", state.MaxIDLength+1)} {
		if _, err := s.ChangeFeed(t.Context(), owner); err == nil {
			t.Errorf("an owner of %d bytes has a feed", len(owner))
		}
	}
}
