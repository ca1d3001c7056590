package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/sandbox"
	"github.com/rotad/rotad/internal/stage"
)

var update = flag.Bool("update", false, "write the golden files")

// command runs rotad in this process.
func command(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(args, strings.NewReader(""), &stdout, &stderr, nil)
	return code, stdout.String(), stderr.String()
}

// demoLine is one object of "demo --json", as somebody else would read it.
type demoLine struct {
	Event      string    `json:"event"`
	Time       time.Time `json:"time"`
	Client     string    `json:"client"`
	Mode       string    `json:"mode"`
	Rotation   string    `json:"rotation"`
	Gap        *float64  `json:"gap_ms"`
	Detail     string    `json:"detail"`
	Violations *int      `json:"violations"`
	Refusals   int       `json:"refusals"`
	Mails      int       `json:"mails"`
}

func readDemo(t *testing.T, out string) []demoLine {
	t.Helper()
	var lines []demoLine
	for scanner := bufio.NewScanner(strings.NewReader(out)); scanner.Scan(); {
		var line demoLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("%q: %v", scanner.Text(), err)
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		t.Fatal("nothing was printed")
	}
	return lines
}

// TestDemoEventsAreTheGoldenList plays every client through a whole life, as fast as it goes.
func TestDemoEventsAreTheGoldenList(t *testing.T) {
	lines := readDemo(t, playOnce(t, time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)))
	lives := map[string]string{}
	for _, line := range lines[:len(lines)-1] {
		checkDemoLine(t, line)
		lives[line.Mode+" "+line.Client] += " " + line.Event
	}
	if last := lines[len(lines)-1]; last.Event != "summary" || last.Violations == nil || *last.Violations != 0 || last.Refusals == 0 || last.Mails == 0 {
		t.Errorf("the last line is %+v", last)
	}
	var golden strings.Builder
	for _, client := range slices.Sorted(maps.Keys(lives)) {
		fmt.Fprintf(&golden, "%s:%s\n", client, lives[client])
	}
	compareGolden(t, filepath.Join("testdata", "demo-events.golden"), golden.String())
}

// TestDemoLivesThroughClockChanges begins in weeks after which the clocks go forward and back while secrets overlap.
func TestDemoLivesThroughClockChanges(t *testing.T) {
	for _, day := range []time.Time{
		time.Date(2026, 3, 16, 12, 0, 0, 0, time.UTC), time.Date(2026, 10, 12, 12, 0, 0, 0, time.UTC),
	} {
		t.Run(day.Format(time.DateOnly), func(t *testing.T) {
			playOnce(t, day)
		})
	}
}

// playOnce plays a whole demo and returns what it printed.
func playOnce(t *testing.T, day time.Time) string {
	t.Helper()
	return playBroken(t, day, "")
}

// playBroken plays a whole demo in which something is broken.
func playBroken(t *testing.T, day time.Time, spoil stage.Act) string {
	t.Helper()
	var out, errOut bytes.Buffer
	a := &app{out: &out, err: &errOut, json: true}
	f := demoFlags{
		once: true, speed: "100d/s", dir: filepath.Join(t.TempDir(), "demo"), limit: 5 * time.Minute, spoil: string(spoil), haste: 20,
	}
	if code := a.exit(a.demo(t.Context(), f, demoBegin(day))); code != exitDone || errOut.Len() > 0 {
		t.Errorf("exit code %d: %s\n%s", code, errOut.String(), out.String())
	}
	return out.String()
}

func checkDemoLine(t *testing.T, line demoLine) {
	t.Helper()
	before := []string{"warned", "announced"} // what is told while no rotation is under way
	switch {
	case line.Time.IsZero(), line.Client == "", line.Mode == "":
		t.Errorf("an event without time, client or mode: %+v", line)
	case (line.Rotation == "") != slices.Contains(before, line.Event):
		t.Errorf("%s has rotation %q", line.Event, line.Rotation)
	case (line.Gap != nil) != (line.Event == "cutover_gap"), line.Gap != nil && *line.Gap <= 0:
		t.Errorf("gap_ms of %+v", line)
	}
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDemoConfigurationIsOneForRealLife lets the real checks look at the demo's configuration, and at its world.
func TestDemoConfigurationIsOneForRealLife(t *testing.T) {
	world := newTestWorld(t)
	path, err := world.configure()
	if err != nil {
		t.Fatal(err)
	}
	code, out, errOut := command(t, "check", "--config", path, "--strict", "--online")
	if code != exitDone || !strings.Contains(out, "0 warnings") {
		t.Errorf("exit code %d:\n%s%s", code, out, errOut)
	}
}

func newTestWorld(t *testing.T) *demoWorld {
	t.Helper()
	begin := demoBegin(time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC))
	world, err := newDemoWorld(t.Context(), newDemoClock(begin), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.close(); err != nil {
			t.Error(err)
		}
	})
	if err := world.populate(begin); err != nil {
		t.Fatal(err)
	}
	return world
}

// newTestPlay is a play without a daemon: what happens to its consumers, a test decides.
func newTestPlay(t *testing.T) (*demoPlay, *bytes.Buffer) {
	t.Helper()
	world := newTestWorld(t)
	path, err := world.configure()
	if err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(path, configKinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var out bytes.Buffer
	play := newDemoPlay(&app{out: &out, json: true}, world, demoSpeed, demoFlags{once: true})
	play.cast(t.Context(), cfg.Clients)
	for _, actor := range play.actors {
		if got := play.login(t.Context(), actor); got != sandbox.Served {
			t.Fatalf("%s: %s", actor.client.ID, got)
		}
		play.lived[actor.client.ID] = true
	}
	return play, &out
}

func TestDemoConsumerThatIsCutOffIsAViolation(t *testing.T) {
	for _, id := range []string{demoTwoSlot, demoGrace, demoManual} {
		t.Run(id, func(t *testing.T) {
			play, out := newTestPlay(t)
			clientID, idp := id, play.world.idp
			switch id {
			case demoTwoSlot:
				clientID = demoAppID
			case demoManual:
				idp = play.world.odc.IdP
			}
			if _, _, err := idp.Issue(clientID, sandbox.Issue{}); err != nil {
				t.Fatal(err)
			}
			play.login(t.Context(), play.actors[id])
			if err := play.finish(); err == nil || play.violations != 1 {
				t.Errorf("%d violations, error %v", play.violations, err)
			}
			if lines := readDemo(t, out.String()); lines[0].Event != "violation" || lines[0].Client != id {
				t.Errorf("%+v", lines)
			}
		})
	}
}

func TestDemoRefusalInTheGapOfACutoverIsNoViolation(t *testing.T) {
	play, out := newTestPlay(t)
	actor := play.actors[demoCutover]
	replace := func() {
		play.cutBegins(actor)
		if err := play.world.keycloak.SetSecret(demoCutover, "replaced"); err != nil {
			t.Fatal(err)
		}
		play.cutIsFelt(t.Context(), actor, 200)
	}
	replace()
	play.login(t.Context(), actor)
	play.world.kv.Put("secret", "apps/intranet/oidc", map[string]any{"client_id": demoCutover, "client_secret": "replaced"})
	play.cutEnds(t.Context(), actor, credential.Audit{Client: demoCutover, Mode: credential.ModeHardCutover, Rotation: "r"})
	if err := play.finish(); err != nil || play.refusals != 2 {
		t.Errorf("%d refusals, error %v", play.refusals, err)
	}
	lines := readDemo(t, out.String())
	if lines[0].Event != "cutover_gap" || lines[0].Gap == nil || *lines[0].Gap < 1 {
		t.Errorf("%+v", lines)
	}
}

func TestDemoRefusalAfterTheGapIsAViolation(t *testing.T) {
	play, _ := newTestPlay(t)
	actor := play.actors[demoCutover]
	play.cutBegins(actor)
	if err := play.world.keycloak.SetSecret(demoCutover, "replaced"); err != nil {
		t.Fatal(err)
	}
	play.cutIsFelt(t.Context(), actor, 200)
	play.cutEnds(t.Context(), actor, credential.Audit{Client: demoCutover}) // although Vault still hands out the old one
	if err := play.finish(); err == nil {
		t.Error("no violation")
	}
}

func TestDemoCutoverThatNobodyFeltIsAViolation(t *testing.T) {
	play, _ := newTestPlay(t)
	actor := play.actors[demoCutover]
	play.cutBegins(actor)
	play.cutIsFelt(t.Context(), actor, 503) // nothing was replaced
	if actor.cut {
		t.Error("refusals stay permitted although nothing was replaced")
	}
	play.cutEnds(t.Context(), actor, credential.Audit{Client: demoCutover})
	if err := play.finish(); err == nil {
		t.Error("no violation")
	}
}

func TestDemoThatEndsEarlyIsNoSuccess(t *testing.T) {
	play, _ := newTestPlay(t)
	delete(play.lived, demoManual)
	if err := play.finish(); err == nil || !strings.Contains(err.Error(), "7 of 8") {
		t.Errorf("%v", err)
	}
}

func TestDemoTakesNothingThatIsThere(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := command(t, "demo", "--once", "--dir", dir); code != exitRefused || !strings.Contains(errOut, "hint:") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

func TestDemoSpeedIsDemoTimePerSecond(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": demoSpeed, "1d/s": demoDay, "12h/s": 12 * time.Hour, "90s": 90 * time.Second, "fast": 0, "0s/s": 0, "5/s": 0,
	} {
		got, err := demoFlags{speed: text}.rate()
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	if got, err := (demoFlags{once: true}).rate(); got != demoOnceSpeed || err != nil {
		t.Errorf("once: %s, %v", got, err)
	}
}

func TestDemoShowsEveryEventToPeople(t *testing.T) {
	screen := &demoLines{zone: time.UTC}
	for _, mode := range []credential.Mode{
		credential.ModeTwoSlot, credential.ModeCaller, credential.ModeGraceWindow, credential.ModeHardCutover, credential.ModeManual,
	} {
		for _, event := range append(demoEvents(), "cutover_gap") {
			e := demoEvent{Event: string(event), Mode: mode, Client: "c", Gap: 3}
			e.entry.Detail = "until 2026-03-02T08:00:00Z"
			if text := screen.sentence(e); text == "" || strings.Contains(text, "2026-03-02T") && event == credential.EventOverlap {
				t.Errorf("%s of %s: %q", event, mode, text)
			}
		}
	}
}

// Whoever types what the demo suggests, while it begins, must not be told that a rotation is under way already.
func TestDemoSuggestsWhatWorks(t *testing.T) {
	lines := &demoLines{zone: demoZone()}
	text := lines.greeting(&demoPlay{world: &demoWorld{}, speed: demoSpeed, socket: "admin.sock"}, "", "")
	if !strings.Contains(text, " rotate "+demoTried+" --socket ") || !strings.Contains(text, " history "+demoTried+" --socket ") {
		t.Errorf("it suggests\n%s", text)
	}
	const begins = 14 * demoDay // rotate_before
	if own := demoLifetime - begins - demoRoles()[demoTried].age; own < 15*demoDay {
		t.Errorf("the turn of %s comes after %s", demoTried, own)
	}
	if !strings.Contains(text, "your own zone, and name it") {
		t.Error("nothing says that other commands write other times")
	}
}

func TestDemoCutsLinesToTheTerminal(t *testing.T) {
	screen := &demoLines{zone: time.UTC, width: func() int { return 60 }}
	line := screen.line(demoEvent{Event: "violation", Client: "c", Detail: strings.Repeat("ä", 100)})
	if n := len([]rune(strings.TrimSuffix(line, "\n"))); n != 59 || !strings.HasSuffix(line, "…\n") {
		t.Errorf("%d characters: %q", n, line)
	}
}

// A machine that is too slow for the demo has violated nothing; whose life was not over is said, and what to do.
func TestADemoThatIsCutOffSaysWhoseLivesWereNotOver(t *testing.T) {
	var out, errOut bytes.Buffer
	a := &app{out: &out, err: &errOut, json: true}
	f := demoFlags{once: true, dir: filepath.Join(t.TempDir(), "demo"), limit: time.Nanosecond, haste: 20}
	code := a.exit(a.demo(t.Context(), f, demoBegin(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))))
	if code != exitFailed || strings.Contains(out.String(), "violation\"") {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
	for _, want := range []string{"after 0 of 8 lives", demoManual, "hint: ", "run it again"} {
		if !strings.Contains(errOut.String(), want) {
			t.Errorf("%q does not say %q", errOut.String(), want)
		}
	}
}
