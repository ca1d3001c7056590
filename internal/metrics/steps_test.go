package metrics_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

var stepLine = regexp.MustCompile(`(?m)^rotad_rotation_step_duration_seconds_(sum|count)\{step="(\w+)"\} (\S+)$`)

// took returns the steps that were measured, as "step=seconds", with "/times" where it was more than once.
func took(t *testing.T, b *bench) string {
	t.Helper()
	sums := map[string]string{}
	var measured []string
	for _, m := range stepLine.FindAllStringSubmatch(b.scrape(t), -1) {
		switch step, value := m[2], m[3]; {
		case m[1] == "sum":
			sums[step] = value
		case value == "1":
			measured = append(measured, step+"="+sums[step])
		case value != "0":
			measured = append(measured, step+"="+sums[step]+"/"+value)
		}
	}
	return strings.Join(measured, " ")
}

func at(phase credential.Phase, since time.Duration) credential.Record {
	return registered("a", rotating(credential.Rotation{ID: "r1", Phase: phase, Since: noon.Add(since)}))
}

func steady(last string, since time.Duration) credential.Record {
	rec := registered("a")
	rec.Last = credential.Last{Rotation: last, At: noon.Add(since), Outcome: "done"}
	return rec
}

func TestStepsAreMeasuredFromPhaseToPhase(t *testing.T) {
	commit := func(recs ...credential.Record) func(*bench) {
		return func(b *bench) {
			for _, rec := range recs {
				b.Committed(credential.Change{Record: rec})
			}
		}
	}
	for name, tc := range map[string]struct {
		story func(*bench)
		want  string
	}{
		"a whole rotation": {commit(
			at(credential.PhaseIntent, 0), at(credential.PhaseStaged, 2*time.Second), at(credential.PhaseVerified, 10*time.Second),
			at(credential.PhaseOverlap, 11*time.Second), at(credential.PhaseRevoking, 3*day), steady("r1", 3*day+5*time.Second),
		), "intent=2 overlap=259189 revoking=5 staged=8 verified=1"},
		"a commit within a phase ends nothing": {commit(
			at(credential.PhaseIntent, 0), at(credential.PhaseIntent, 0), at(credential.PhaseStaged, 2*time.Second),
		), "intent=2"},
		"a step that began before this process counts once it was seen": {func(b *bench) {
			b.Seen(at(credential.PhaseOverlap, -day))
			b.Seen(at(credential.PhaseOverlap, -day))
			commit(at(credential.PhaseRevoking, 0))(b)
		}, "overlap=86400"},
		"what was never seen is not measured": {commit(at(credential.PhaseRevoking, 0), steady("r1", time.Minute)), "revoking=60"},
		"a rotation that ended unseen is not measured": {commit(
			at(credential.PhaseIntent, 0), steady("r2", time.Hour),
		), ""},
		"a clock that was set back counts as no time": {commit(
			at(credential.PhaseIntent, 0), at(credential.PhaseStaged, -time.Hour),
		), "intent=0"},
		"the end and the next begin in one commit": {func(b *bench) {
			next := steady("r1", time.Minute)
			next.Rotation = &credential.Rotation{ID: "r2", Phase: credential.PhaseIntent, Since: noon.Add(time.Minute)}
			staged := next
			staged.Rotation = &credential.Rotation{ID: "r2", Phase: credential.PhaseStaged, Since: noon.Add(2 * time.Minute)}
			commit(at(credential.PhaseRevoking, 0), next, staged)(b)
		}, "intent=60 revoking=60"},
		"a renamed client keeps its step": {func(b *bench) {
			commit(at(credential.PhaseOverlap, 0))(b)
			renamed := at(credential.PhaseOverlap, 0)
			renamed.Client.ID = "b"
			b.Committed(credential.Change{Record: renamed, Rename: "a"})
			renamed = at(credential.PhaseRevoking, time.Hour)
			renamed.Client.ID = "b"
			commit(renamed)(b)
		}, "overlap=3600"},
		"an archived client is forgotten": {func(b *bench) {
			b.Committed(credential.Change{Record: at(credential.PhaseOverlap, 0), Archive: true})
			commit(at(credential.PhaseRevoking, time.Hour))(b)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(&source{})
			tc.story(b)
			if got := took(t, b); got != tc.want {
				t.Errorf("measured %q, want %q", got, tc.want)
			}
		})
	}
}

func TestStepsReachThirtyDays(t *testing.T) {
	b := newBench(&source{})
	b.Committed(credential.Change{Record: at(credential.PhaseOverlap, 0)})
	b.Committed(credential.Change{Record: at(credential.PhaseRevoking, 29*day)})
	text := b.scrape(t)
	for _, want := range []string{
		`rotad_rotation_step_duration_seconds_bucket{step="overlap",le="1.2096e+06"} 0`,
		`rotad_rotation_step_duration_seconds_bucket{step="overlap",le="2.592e+06"} 1`,
	} {
		if !containsAny(text, want+"\n") {
			t.Errorf("the scrape lacks %s", want)
		}
	}
}
