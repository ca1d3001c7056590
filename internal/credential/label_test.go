package credential_test

import (
	"testing"

	"github.com/rotad/rotad/internal/credential"
)

func TestLabels(t *testing.T) {
	for _, want := range []struct {
		label, rotation string
		attempt         int
	}{
		{credential.Label("0198-a", 1), "0198-a", 1},
		{credential.Label("x/y", 12), "x/y", 12},
		{"rotad/0198-a/", "", 0},
		{"rotad/0198-a/0", "", 0},
		{"rotad/0198-a/-1", "", 0},
		{"rotad//1", "", 0},
		{"rotad/1", "", 0},
		{"Rotad/0198-a/1", "", 0},
		{"rotad", "", 0},
		{"", "", 0},
		{"backup rotad/0198-a/1", "", 0},
		{"rotad/0198-a/1x", "", 0},
	} {
		rotation, attempt, ok := credential.ParseLabel(want.label)
		if ok != (want.attempt > 0) || ok && (rotation != want.rotation || attempt != want.attempt) {
			t.Errorf("%q: %q %d %t, want %q %d", want.label, rotation, attempt, ok, want.rotation, want.attempt)
		}
	}
}
