package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/state"
)

// A secret without expiry that somebody stands for is quiet, and everybody can see who, why and until when. What is counted
// as unknown stays counted.
func TestASecretWithoutExpiryIsAcknowledgedAndVisible(t *testing.T) {
	until := monday().Add(100 * aDay)
	for name, test := range map[string]struct {
		change       func(*credential.Record)
		now          time.Time
		show, status string
		notices      int
	}{
		"acknowledged": {nil, monday(), `no expiry +acknowledged by anna, until .*\(in 100d\): hardware`, `^unknown \(anna, until 20\d\d-\d\d-\d\d: hardware\)$`, 0},
		"never": {
			func(r *credential.Record) { r.Current.Never = true }, monday(), `no expiry +acknowledged by anna, until`, `^never \(anna, until .*: hardware\)$`, 0,
		},
		"ended": {nil, until, `no expiry +acknowledged by anna, which has ended: .*: hardware`, `^unknown \(anna, ended .*: hardware\)$`, 1},
		"not acknowledged": {
			func(r *credential.Record) { r.Client.NoExpiry = credential.NoExpiry{} }, monday(), "", `^unknown$`, 1,
		},
		"an expiry is known": {
			func(r *credential.Record) { r.Current.Expires = until.Add(900 * aDay) }, monday(), "", `^20\d\d-\d\d-\d\d \(in \d+d\)$`, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			rec := plannable(credential.ModeManual)
			rec.Current.Expires, rec.Client.Expires = time.Time{}, time.Time{}
			rec.Client.NoExpiry = credential.NoExpiry{By: "anna", Reason: "hardware", Until: until}
			if test.change != nil {
				test.change(&rec)
			}
			var out strings.Builder
			if err := showText(&out, rec, look(rec, planPolicy(), test.now), test.now); err != nil {
				t.Fatal(err)
			}
			if matched := regexp.MustCompile(test.show).MatchString(out.String()); !matched || test.show == "" && strings.Contains(out.String(), "no expiry") {
				t.Errorf("rotad show says\n%s, want %s", out.String(), test.show)
			}
			row := rowOf(rec, planPolicy(), test.now)
			if got := expiryText(row, test.now); !regexp.MustCompile(test.status).MatchString(got) {
				t.Errorf("rotad status says %q, want %s", got, test.status)
			}
			env := rotation.Env{Now: test.now, Second: test.now, Policy: planPolicy(), NextLook: test.now.Add(time.Hour)}
			told := 0
			for _, n := range rotation.Plan(rec, env).Notices {
				if n.Kind == credential.NoticeNoExpiry {
					told++
				}
			}
			if told != test.notices {
				t.Errorf("%d notices, want %d", told, test.notices)
			}
			if unknown := !rec.Current.Never && rec.Current.Expires.IsZero(); state.WithoutExpiry(&rec) != unknown {
				t.Errorf("counted as without expiry: %t", !unknown)
			}
		})
	}
}
