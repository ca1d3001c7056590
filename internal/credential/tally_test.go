package credential_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

func waveStart() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func pace() credential.Pace {
	return credential.Pace{Steps: []credential.WaveStep{{Clients: 1}, {Percent: 1}, {Percent: 10}}, Least: 10}
}

func TestAStepBeginsWhenTheOnesBeforeAreConfirmed(t *testing.T) {
	for name, test := range map[string]struct {
		wave  credential.Wave
		limit int
		room  bool
	}{
		"one first":                         {credential.Wave{Waiting: 1000}, 1, true},
		"no second beside it":               {credential.Wave{Waiting: 999, UnderWay: 1}, 1, false},
		"then 1 %":                          {credential.Wave{Waiting: 999, Confirmed: 1}, 11, true},
		"the tenth of them":                 {credential.Wave{Waiting: 990, UnderWay: 9, Confirmed: 1}, 11, true},
		"not an eleventh":                   {credential.Wave{Waiting: 989, UnderWay: 10, Confirmed: 1}, 11, false},
		"not before all of them are":        {credential.Wave{Waiting: 989, UnderWay: 1, Confirmed: 10}, 11, false},
		"then 10 %":                         {credential.Wave{Waiting: 989, Confirmed: 11}, 111, true},
		"then the rest":                     {credential.Wave{Waiting: 889, Confirmed: 111}, credential.NoBound, true},
		"a share of few is one":             {credential.Wave{Waiting: 5, Confirmed: 1}, 2, true},
		"nothing after a failure":           {credential.Wave{Waiting: 998, Confirmed: 1, Failed: 1, Failure: failed(-time.Hour)}, 0, false},
		"few go on after a failure":         {credential.Wave{Waiting: 8, Failed: 1, Failure: failed(-time.Minute)}, 1, true},
		"once it is known how few they are": {credential.Wave{Waiting: 8, Failed: 1, Failure: failed(-59 * time.Second)}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			test.wave.ID = "w"
			if limit, room := test.wave.Room(pace(), waveStart()); limit != test.limit || room != test.room {
				t.Errorf("%d may have begun, room %t; want %d, %t", limit, room, test.limit, test.room)
			}
		})
	}
}

func failed(ago time.Duration) *credential.WaveFailure {
	return &credential.WaveFailure{At: waveStart().Add(ago), Client: "first", Code: "unauthorized"}
}

// TestAStrokeIsMadeFromWhatItSaw: two that decide at once do not both get the last turn, and who has not seen a failure does
// not begin after it.
func TestAStrokeIsMadeFromWhatItSaw(t *testing.T) {
	waiting := credential.Wave{ID: "w", Waiting: 20}
	for name, test := range map[string]struct {
		wave   credential.Wave
		stroke credential.Stroke
		made   bool
	}{
		"the first":              {waiting, credential.Stroke{Kind: credential.StrokeBegun, Wave: "w", Limit: 1}, true},
		"the second of one":      {credential.Wave{ID: "w", Waiting: 19, UnderWay: 1}, credential.Stroke{Kind: credential.StrokeBegun, Wave: "w", Limit: 1}, false},
		"after a failure unseen": {credential.Wave{ID: "w", Waiting: 19, Failed: 1, Failure: failed(0)}, credential.Stroke{Kind: credential.StrokeBegun, Wave: "w", Limit: 1}, false},
		"after a failure seen":   {credential.Wave{ID: "w", Waiting: 19, Failed: 1, Failure: failed(0)}, credential.Stroke{Kind: credential.StrokeBegun, Wave: "w", Limit: 1, Failed: 1}, true},
		"of another wave":        {waiting, credential.Stroke{Kind: credential.StrokeBegun, Wave: "before", Limit: 1}, false},
		"into another wave":      {waiting, credential.Stroke{Kind: credential.StrokeJoined, Wave: "other"}, false},
		"into one that is over":  {credential.Wave{ID: "w", Confirmed: 3}, credential.Stroke{Kind: credential.StrokeJoined, Wave: "other"}, true},
		"urgent":                 {waiting, credential.Stroke{Kind: credential.StrokeUrgent, Wave: "w"}, true},
		"a second urgent one":    {credential.Wave{ID: "w", Waiting: 19, UnderWay: 1, Urgent: 1}, credential.Stroke{Kind: credential.StrokeUrgent, Wave: "w"}, false},
		"late, of one before":    {waiting, credential.Stroke{Kind: credential.StrokeConfirmed, Wave: "before", From: credential.WaveUnderWay}, true},
	} {
		t.Run(name, func(t *testing.T) {
			test.stroke.At = waveStart()
			after, made := credential.Tally{Wave: test.wave}.With(test.stroke)
			if made != test.made {
				t.Fatalf("made %t, want %t", made, test.made)
			}
			if !made && after.Wave != test.wave || test.stroke.Wave == "before" && after.Wave != test.wave {
				t.Errorf("it changed the wave: %+v", after.Wave)
			}
		})
	}
}

func TestAResumedWaveBeginsWithItsFirstStep(t *testing.T) {
	w := credential.Wave{ID: "w", Waiting: 800, UnderWay: 0, Confirmed: 111, Failed: 3, Failure: failed(-time.Hour), Told: true}
	after, ok := credential.Tally{Wave: w}.With(credential.Stroke{Kind: credential.StrokeResumed, Wave: "w", At: waveStart()})
	if limit, room := after.Wave.Room(pace(), waveStart()); !ok || limit != 1 || !room || after.Wave.Told {
		t.Errorf("%+v: %d may have begun, room %t", after.Wave, limit, room)
	}
}

// TestAFailureIsRememberedUntilTheOthersHaveCome: a canary that fails before any other of its wave has come stops them all
// the same; another one the next day meets nothing.
func TestAFailureIsRememberedUntilTheOthersHaveCome(t *testing.T) {
	w := credential.Wave{ID: "w", Failed: 1, Failure: failed(0)}
	if now := waveStart(); w.Over(now) || w.Over(now.Add(credential.WaveSettle-1)) || !w.Over(now.Add(credential.WaveSettle)) {
		t.Error("a failure is forgotten too early, or not at all")
	}
	if w.Waiting = 1; w.Over(waveStart().Add(24 * time.Hour)) {
		t.Error("somebody waits, and the wave is over")
	}
}

// TestNoWaveTouchesMoreThanItsSteps plays waves with random outcomes and a random order: whenever the first failure is known,
// no more have begun than the steps allowed by what was confirmed, and the counts stay those of the clients.
func TestNoWaveTouchesMoreThanItsSteps(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(300)
		play := wavePlay{t: t, r: r, n: n, tally: credential.Tally{}}
		for range n {
			play.stroke(credential.Stroke{Kind: credential.StrokeJoined, Wave: "w"})
		}
		for range 4 * n {
			play.step()
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

type wavePlay struct {
	t        *testing.T
	r        *rand.Rand
	n        int
	tally    credential.Tally
	underWay int
}

func (p *wavePlay) stroke(s credential.Stroke) bool {
	s.At = waveStart()
	after, ok := p.tally.With(s)
	p.tally = after
	return ok
}

func (p *wavePlay) step() {
	w := p.tally.Wave
	if p.underWay > 0 && p.r.IntN(2) == 0 {
		p.underWay--
		end := credential.Stroke{Kind: credential.StrokeConfirmed, Wave: "w", From: credential.WaveUnderWay}
		switch p.r.IntN(20) {
		case 0:
			end.Kind, end.Failure = credential.StrokeFailed, failed(0)
		case 1:
			end.Kind = credential.StrokeLeft
		}
		p.stroke(end)
		return
	}
	limit, room := w.Room(pace(), waveStart())
	if !room || w.Waiting == 0 {
		return
	}
	if w.Failure != nil {
		p.t.Errorf("room after a failure: %+v", w)
	}
	if p.stroke(credential.Stroke{Kind: credential.StrokeBegun, Wave: "w", Limit: limit, Failed: w.Failed}) {
		p.underWay++
	}
	w = p.tally.Wave
	if w.UnderWay != p.underWay || w.Clients() > p.n || w.UnderWay+w.Confirmed > limit {
		p.t.Errorf("%d under way, %d may have begun: %+v", p.underWay, limit, w)
	}
}
