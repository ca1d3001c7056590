package main

import (
	"strings"
	"testing"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/credential"
)

func TestAClientThatTheProviderDoesNotKnowMayBeMistyped(t *testing.T) {
	rec := plannable(credential.ModeTwoSlot)
	world := admin.World{Now: monday(), Policies: map[string]credential.Policy{"default": planPolicy()}}
	for code, want := range map[credential.HoldCode]bool{credential.HoldClientMissing: true, credential.HoldMismatch: false} {
		rec.Hold = &credential.Hold{Code: code, Since: monday()}
		var out strings.Builder
		if err := showFirst(&out, rec, world); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "rotad remove "+rec.Client.ID+"\n"); got != want {
			t.Errorf("%s: the way back is shown: %t\n%s", code, got, out.String())
		}
	}
}
