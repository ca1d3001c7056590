package statetest

import (
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

func tallyRules() []rule {
	return []rule{
		{"a tally changes with the record that its stroke is about, or not at all", tallyWithRecord},
		{"a stroke that cannot be made any more is a conflict, and nothing of the change is made", tallyConflict},
		{"each provider has a tally of its own", tallyApart},
		{"creates of another day do not count", tallyDays},
	}
}

func (w world) tally(provider string) credential.Tally {
	w.Helper()
	t, err := w.Tally(w.Context(), provider)
	if err != nil {
		w.Fatal(err)
	}
	return t
}

// in makes a client part of a wave, and returns the strokes of a kind.
func in(r *credential.Record, wave string, to credential.WaveState, kinds ...credential.StrokeKind) []credential.Stroke {
	r.Wave = credential.Membership{Provider: r.Client.Provider, Wave: wave, State: to}
	var all []credential.Stroke
	for _, kind := range kinds {
		all = append(all, credential.Stroke{Kind: kind, Provider: r.Client.Provider, Wave: wave, At: start(), Limit: 1})
	}
	return all
}

func tallyWithRecord(w world) {
	r := w.add("a", "p", start())
	w.same("before", w.tally("p"), credential.Tally{})
	strokes := in(&r, "w1", credential.WaveUnderWay, credential.StrokeJoined, credential.StrokeBegun)
	r = w.commit(credential.Change{Record: r, Strokes: strokes})
	want := credential.Tally{Wave: credential.Wave{ID: "w1", Began: start(), UnderWay: 1}}
	w.same("after", w.tally("p"), want)
	old := r
	old.Rev--
	if _, conflict, err := w.Commit(w.Context(), credential.Change{Record: old, Strokes: []credential.Stroke{
		{Kind: credential.StrokeConfirmed, Provider: "p", Wave: "w1", From: credential.WaveUnderWay},
	}}); err != nil || !conflict {
		w.Errorf("an outdated change: conflict %v, %v", conflict, err)
	}
	w.same("after an outdated change", w.tally("p"), want)
	w.sound()
}

func tallyConflict(w world) {
	a, b := w.add("a", "p", start()), w.add("b", "p", start())
	first := in(&a, "w1", credential.WaveUnderWay, credential.StrokeJoined, credential.StrokeBegun)
	w.commit(credential.Change{Record: a, Strokes: first})
	strokes := in(&b, "w1", credential.WaveUnderWay, credential.StrokeJoined, credential.StrokeBegun) // there was room for one
	b.DueFor = "rotate"
	winner, conflict, err := w.Commit(w.Context(), credential.Change{Record: b, Strokes: strokes})
	if err != nil || !conflict || winner.Rev != b.Rev || winner.DueFor != "look" {
		w.Errorf("conflict %v, %v, the record %+v", conflict, err, winner)
	}
	w.same("the record", w.must("b").Wave, credential.Membership{})
	w.same("the tally", w.tally("p").Wave.Waiting, 0)
	refusals, err := w.CommitMany(w.Context(), []credential.Change{{Record: b, Strokes: strokes}})
	if err != nil || len(refusals) != 1 || !errors.Is(refusals[0].Err, state.ErrConflict) {
		w.Errorf("among many: %v, %v", refusals, err)
	}
	w.sound()
}

func tallyApart(w world) {
	a, b := w.add("a", "p", start()), w.add("b", "q", start())
	one, two := in(&a, "w1", credential.WaveWaiting, credential.StrokeJoined), in(&b, "w2", credential.WaveWaiting, credential.StrokeJoined)
	w.commit(credential.Change{Record: a, Strokes: one})
	w.commit(credential.Change{Record: b, Strokes: two})
	w.same("waves", []string{w.tally("p").Wave.ID, w.tally("q").Wave.ID}, []string{"w1", "w2"})
	moved := w.must("a") // to another provider, and into its wave
	left := credential.Stroke{Kind: credential.StrokeLeft, Provider: "p", Wave: "w1", From: credential.WaveWaiting}
	moved.Client.Provider = "q"
	joined := in(&moved, "w2", credential.WaveWaiting, credential.StrokeJoined)
	w.commit(credential.Change{Record: moved, Strokes: append([]credential.Stroke{left}, joined...)})
	w.same("waiting", []int{w.tally("p").Wave.Waiting, w.tally("q").Wave.Waiting}, []int{0, 2})
	w.sound()
}

func tallyDays(w world) {
	r := w.add("a", "p", start())
	create := func(at time.Time, limit int) bool {
		strokes := []credential.Stroke{{Kind: credential.StrokeCreated, Provider: "p", At: at, Limit: limit}}
		next, conflict, err := w.Commit(w.Context(), credential.Change{Record: r, Strokes: strokes})
		if err != nil {
			w.Fatal(err)
		}
		r = next
		return !conflict
	}
	tomorrow := start().Add(24 * time.Hour)
	got := []bool{create(start(), 2), create(start(), 2), create(start(), 2), create(start(), 0), create(tomorrow, 2)}
	w.same("made", got, []bool{true, true, false, true, true})
	w.same("of the day", []int{w.tally("p").On(start()), w.tally("p").On(tomorrow)}, []int{0, 1})
}
