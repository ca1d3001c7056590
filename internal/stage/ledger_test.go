package stage_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/stage"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func fingerprint(value string) stage.Fingerprint {
	return stage.FingerprintOf(credential.NewSensitive(value))
}

func TestLedgerKnowsValuesByTheirLetters(t *testing.T) {
	l := stage.NewLedger()
	l.Wrote("a", 1, fingerprint("first-clear-value"), "at the beginning")
	at := noon
	login := func(value string, answer stage.Answer, times int) {
		for range times {
			at = at.Add(time.Hour)
			in := stage.Login{Client: "a", By: "prompt", Answer: answer, At: at}
			if value != "" {
				in.Value = fingerprint(value)
			}
			l.Login(in)
		}
	}
	login("first-clear-value", stage.Accepted, 3)
	login("", stage.Unanswered, 2)
	l.Wrote("a", 2, fingerprint("second-clear-value"), "rotad")
	login("second-clear-value", stage.Accepted, 2)
	login("first-clear-value", stage.Refused, 1)

	c := stage.Client{ID: "a", Versions: []stage.Version{{Number: 2}, {Number: 1}}}
	l.Tell(&c)
	var runs, values, versions []string
	for _, r := range c.Runs {
		runs = append(runs, fmt.Sprintf("%s %s %d", r.Label, r.Answer, r.Logins))
	}
	for _, v := range c.Values {
		values = append(values, fmt.Sprintf("%s v%d %d/%d", v.Label, v.Version, v.Accepted, v.Refused))
	}
	for _, v := range c.Versions {
		versions = append(versions, fmt.Sprintf("%d %s by %s", v.Number, v.Label, v.By))
	}
	for got, want := range map[string]string{
		strings.Join(runs, ", "):     "A accepted 3,  unanswered 2, B accepted 2, A refused 1",
		strings.Join(values, ", "):   "A v1 3/1, B v2 2/0",
		strings.Join(versions, ", "): "2 B by rotad, 1 A by at the beginning",
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	l.Login(stage.Login{Client: "b", By: "prompt", Value: fingerprint("x"), Answer: stage.Refused, At: at})
	for client, want := range map[string]string{"a": "6 1", "": "7 2", "c": "0 0"} {
		answered, refused := l.Refusals(client)
		if got := fmt.Sprint(answered, refused); got != want {
			t.Errorf("%q: %s, want %s", client, got, want)
		}
	}
	text, err := json.Marshal(c)
	if err != nil || strings.Contains(string(text), "clear-value") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestLedgerKeepsPhasesAndForgetsWhatIsOld(t *testing.T) {
	l := stage.NewLedger()
	for i, phase := range []credential.Phase{
		credential.PhaseSteady, credential.PhaseSteady, credential.PhaseOverlap, credential.PhaseRevoking,
	} {
		l.Phase("a", phase, noon.Add(time.Duration(i)*time.Hour))
	}
	for i := range 1000 {
		l.Mark("a", stage.Mark{At: noon, What: fmt.Sprint(i)})
	}
	c := stage.Client{ID: "a"}
	l.Tell(&c)
	if len(c.Spans) != 3 || !c.Spans[0].To.Equal(c.Spans[1].From) || !c.Spans[2].To.IsZero() {
		t.Errorf("%+v", c.Spans)
	}
	if n := len(c.Marks); n > 300 || c.Marks[n-1].What != "999" {
		t.Errorf("%d marks", n)
	}
}

// A list that is empty is an empty list for the page, never null.
func TestLedgerOfAnUnknownClientIsEmpty(t *testing.T) {
	c := stage.Client{ID: "a", Forecast: []stage.Mark{}, Versions: []stage.Version{}}
	stage.NewLedger().Tell(&c)
	if text, err := json.Marshal(c); err != nil || strings.Contains(string(text), "null") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestStoryTellsAChapterWhatBelongsToIt(t *testing.T) {
	var s stage.Story
	say := func(client, text string) { s.Tell(stage.Line{At: noon, Client: client, Text: text}) }
	say("a", "before")
	n := s.Begin(stage.Chapter{Act: stage.ActVault, Client: "a", Title: "Vault is down"})
	say("a", "mine")
	say("b", "another's")
	say("", "everybody's")
	s.End(n, noon, "well")
	say("a", "after")
	var scene stage.Scene
	s.Fill(&scene)
	var texts []string
	for _, l := range scene.Story[0].Lines {
		texts = append(texts, l.Text)
	}
	if got := strings.Join(texts, ", "); got != "mine, everybody's" || scene.Story[0].Verdict != "well" {
		t.Errorf("%s: %+v", got, scene.Story)
	}
	if len(scene.Feed) != 5 || scene.Feed[0].Text != "after" {
		t.Errorf("%+v", scene.Feed)
	}
	for range 100 {
		s.Begin(stage.Chapter{})
		say("a", "more")
	}
	s.Fill(&scene)
	if len(scene.Story) > 10 || len(scene.Feed) > 100 || scene.Story[0].N != n+100 {
		t.Errorf("%d chapters, %d lines", len(scene.Story), len(scene.Feed))
	}
}
