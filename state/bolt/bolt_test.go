package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/rotad/rotad/state/bolt"
	"github.com/rotad/rotad/state/statetest"
)

// open opens a state file and closes it when the test ends.
func open(t testing.TB, path string, o bolt.Options) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Store {
		return open(t, filepath.Join(t.TempDir(), "rotad.db"), bolt.Options{})
	})
}
