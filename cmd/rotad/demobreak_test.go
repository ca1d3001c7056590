package main

import (
	"slices"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/stage"
)

// Whatever is broken in the worst moment of a rotation, every life ends as it should: no service is cut off, and rotad
// says what it did.
func TestDemoLivesThroughEveryBreak(t *testing.T) {
	for act, wants := range map[stage.Act][]string{
		stage.ActVault: {"broken", "mended"},
		stage.ActIdP:   {"broken", "unknown", "mended", "orphan"},
		stage.ActSMTP:  {"broken", "mended"},
		stage.ActKill:  {"broken", "mended", "unknown", "orphan"},
		stage.ActHand:  {"broken", "held", "mended", "released"},
	} {
		t.Run(string(act), func(t *testing.T) {
			t.Parallel()
			lines := readDemo(t, playBroken(t, time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), act))
			events := map[string]int{}
			for _, line := range lines {
				events[line.Event]++
				if line.Event == "broken" && line.Client != demoTwoSlot {
					t.Errorf("it broke for %s", line.Client)
				}
			}
			for _, want := range wants {
				if events[want] == 0 {
					t.Errorf("nothing was %s: %v", want, events)
				}
			}
			if last := lines[len(lines)-1]; last.Violations == nil || *last.Violations != 0 || last.Mails == 0 {
				t.Errorf("it ended with %+v", last)
			}
		})
	}
}

// Between a kill and the next life there is a moment that a slow disk makes long.
func TestDemoTimeDoesNotRunAheadOfADeadDaemon(t *testing.T) {
	if !new(demoPlay).busy() {
		t.Error("time runs on while there is no daemon")
	}
}

func TestDemoBreaksOnlyWhatThereIs(t *testing.T) {
	for _, act := range demoBreaks() {
		if err := (demoFlags{spoil: string(act)}).check(); err != nil {
			t.Error(err)
		}
		if demoTitle(act) == "" || demoStruck(act) == "" || demoMended(act) == "" {
			t.Errorf("%s has no words", act)
		}
	}
	if code, _, errOut := command(t, "demo", "--break", "everything"); code != exitWrong || !slices.Contains([]string{
		"error: there is no break \"everything\"\nhint: break vault, smtp, idp, kill or hand\n",
	}, errOut) {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

func TestDemoForeseesInWords(t *testing.T) {
	for _, c := range []struct{ what, text, want string }{
		{willTell, "rotated", "A mail says where the new secret is"},
		{willTell, "rotated, to the admins", "A mail says where the new secret is"},
		{willTell, "warning 7d", "A mail warns: it expires in 7d"},
		{willTell, "old-remind", "A mail: old-remind"},
		{willNotTell, "warning 30d: automatic rotation on 2026-12-08", ""},
		{willRotate, "begins (scheduled)", "The rotation begins"},
		{willPublish, "the new secret stands in secret/a version 3", "Vault hands out the new secret, as version 3"},
		{willRevoke, "the old secret 4711 ends", "The old secret stops working"},
		{willWait, "a person submits", "A person submits"},
	} {
		if got := demoForeseen(event{What: c.what, Text: c.text}); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.what, c.text, got, c.want)
		}
	}
}
