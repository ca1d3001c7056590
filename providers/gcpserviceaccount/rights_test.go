package gcpserviceaccount_test

import (
	"testing"

	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/providers"
)

func TestRightsAreThoseAtEachServiceAccount(t *testing.T) {
	w := newProject(t, sandbox.GoogleSettings{})
	weak, err := w.Register("weak", false)
	if err != nil {
		t.Fatal(err)
	}
	clients := []providers.Target{w.target("billing"), w.target("nobody")}
	for name, test := range map[string]struct {
		own           string
		missing, wide int
	}{
		"an account with every right": {own: w.own, wide: 3},
		"an account without any":      {own: weak, missing: 3},
	} {
		t.Run(name, func(t *testing.T) {
			reader, _ := providers.AsRightsReader(w.open(t, test.own, nil))
			rights, err := reader.Rights(t.Context(), clients)
			if err != nil {
				t.Fatal(err)
			}
			missing, wide := 0, 0
			for _, r := range rights {
				if r.Client != "id-of-billing" {
					t.Errorf("a right at nobody's account: %+v", r)
				}
				if r.Missing() {
					missing++
				}
				if r.TooWide() {
					wide++
				}
			}
			if missing != test.missing || wide != test.wide {
				t.Errorf("%d are missing, %d too wide: %+v", missing, wide, rights)
			}
		})
	}
	reader, _ := providers.AsRightsReader(w.open(t, w.own, nil))
	if _, err := reader.Rights(t.Context(), nil); providers.ClassOf(err) != providers.ClassUnsupported {
		t.Errorf("without a client nothing tells: %v", err)
	}
}
