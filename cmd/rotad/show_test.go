package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

func TestShowSaysWhoseMomentEndsAnOldSecret(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*credential.Record)
		want   []string
	}{
		"the overlap, and then the provider": {
			func(r *credential.Record) {
				r.Caps.Mode, r.Rotation.Caps.Mode = credential.ModeGraceWindow, credential.ModeGraceWindow
				r.Rotation.RevokeAfter, r.Rotation.OldDies = monday().Add(29*time.Second), monday().Add(35*time.Second)
			},
			[]string{
				`old secret stays until +at least .* \(in 29s\): the overlap that its policy promises`,
				`old secret dies +.* \(in 35s\): the provider ends it by itself`,
				`next +revoke, .* \(in 29s\)`,
			},
		},
		"the overlap has ended, the window is closed": {
			func(r *credential.Record) {
				r.Rotation.RevokeAfter = monday().Add(-12 * time.Hour)
				r.Rotation.Policy.Window = credential.WindowSpec{Cron: "0 9 * * TUE", Duration: 2 * time.Hour, Timezone: "UTC"}
				r.Due = monday().Add(21 * time.Hour)
			},
			[]string{
				`old secret stays until +at least .* \(12h ago\): the overlap that its policy promises`,
				`next +revoke, .* \(in 21h\)`,
			},
		},
		"nothing is promised before it is published": {
			func(r *credential.Record) {
				r.Rotation.Phase, r.Rotation.Promoted = credential.PhaseStaged, 0
				r.Rotation.RevokeAfter = time.Time{}
			},
			nil,
		},
		"nothing is kept in a cutover":      {func(r *credential.Record) { r.Rotation.Cutover = true }, nil},
		"nothing is kept of a first secret": {func(r *credential.Record) { r.Rotation.OldVersion = 0 }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rec := plannable(credential.ModeTwoSlot)
			rec.Rotation = &credential.Rotation{
				Phase: credential.PhaseOverlap, Client: rec.Client, Caps: rec.Caps, OldVersion: 4, Promoted: 5, PromotedAt: monday(), Since: monday(),
				RevokeAfter: monday().Add(aDay),
			}
			test.change(&rec)
			var out strings.Builder
			if err := showText(&out, rec, look(rec, planPolicy(), monday()), monday()); err != nil {
				t.Fatal(err)
			}
			for _, line := range test.want {
				if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(out.String()) {
					t.Errorf("%s is missing in\n%s", line, out.String())
				}
			}
			if test.want == nil && strings.Contains(out.String(), "old secret") {
				t.Errorf("got\n%s", out.String())
			}
		})
	}
}

// A word of rotad's own, such as empty, is followed by what it means.
func TestShowSaysWhatTheFirstLookHasFound(t *testing.T) {
	for sight, want := range map[credential.FirstSight]string{
		credential.SightEmpty:     `first look +empty: nothing stood in Vault`,
		credential.SightMismatch:  `first look +mismatch: the provider refuses`,
		credential.SightUnknownID: `first look +adopted-unknown-id: the provider accepts`,
		credential.SightAdopted:   `first look +adopted\n`,
	} {
		rec := plannable(credential.ModeTwoSlot)
		rec.Sight = sight
		var out strings.Builder
		if err := showText(&out, rec, look(rec, planPolicy(), monday()), monday()); err != nil || !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%v\n%swant %s", err, out.String(), want)
		}
	}
}
