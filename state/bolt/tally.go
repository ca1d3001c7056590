package bolt

import (
	"context"
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/state"
)

// metaTally is what the keys of tallies in the bucket meta begin with; the name of a provider follows.
const metaTally = "tally\x00"

// Tally returns what has been begun under a provider; the zero value where nothing has.
func (s *Store) Tally(ctx context.Context, provider string) (t credential.Tally, err error) {
	err = s.view(ctx, func(x *txn) error {
		t, err = x.tally(provider)
		return err
	})
	if err != nil {
		return credential.Tally{}, fmt.Errorf("reading the tally of %s: %w", provider, err)
	}
	return t, nil
}

func (t *txn) tally(provider string) (credential.Tally, error) {
	payload, found, err := t.get(bktMeta, metaTally+provider)
	if err != nil || !found {
		return credential.Tally{}, err
	}
	return state.Decode[credential.Tally](payload)
}

// strike makes the strokes of a change in memory. It is false where one of them was decided from a tally that has changed
// since.
func (t *txn) strike(strokes []credential.Stroke) (after map[string]credential.Tally, ok bool, err error) {
	if len(strokes) == 0 {
		return nil, true, nil
	}
	after = make(map[string]credential.Tally, 1)
	for _, s := range strokes {
		tally, known := after[s.Provider]
		if !known {
			if tally, err = t.tally(s.Provider); err != nil {
				return nil, false, err
			}
		}
		if tally, ok = tally.With(s); !ok {
			return nil, false, nil
		}
		after[s.Provider] = tally
	}
	return after, true, nil
}

// putStrokes writes what strokes make of the tallies. It is false, and nothing is written, where they were decided from outdated ones.
func (t *txn) putStrokes(strokes []credential.Stroke) (current bool, err error) {
	all, current, err := t.strike(strokes)
	if err != nil || !current {
		return false, err
	}
	for provider, tally := range all {
		row, err := state.Encode(&tally)
		if err != nil {
			return false, err
		}
		t.put(bktMeta, metaTally+provider, row)
	}
	return true, nil
}

// tallies compares what the waves count with the records that say they are part of them.
func (c *checker) tallies() error {
	return c.each(bktMeta, func(k, payload []byte) error {
		provider, ok := strings.CutPrefix(string(k), metaTally)
		if !ok {
			return nil
		}
		t, err := state.Decode[credential.Tally](payload)
		if err != nil {
			return err
		}
		for _, count := range []struct {
			state credential.WaveState
			have  int
		}{
			{credential.WaveWaiting, t.Wave.Waiting}, {credential.WaveUnderWay, t.Wave.UnderWay - t.Wave.Urgent}, {credential.WaveUrgent, t.Wave.Urgent},
		} {
			m := credential.Membership{Provider: provider, Wave: t.Wave.ID, State: count.state}
			if want := c.members[m]; want != count.have {
				c.note("the wave of %s counts %d clients as %s instead of %d", provider, count.have, count.state, want)
			}
		}
		return nil
	})
}
