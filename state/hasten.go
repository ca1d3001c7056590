package state

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// hastening is what Hasten needs of a store; every store has it.
type hastening interface {
	List(ctx context.Context, after string, n int) ([]credential.Record, error)
	CommitMany(ctx context.Context, changes []credential.Change) ([]Refusal, error)
}

// Hasten lets everything that is due after a moment fall due at that moment: the wall clock was set back to it, so that
// what was written by the clock before could sleep for as long as the jump was. What falls due is decided anew, by the
// clock as it is now. A record that somebody changes meanwhile is decided anew by that change.
func Hasten(ctx context.Context, store hastening, to time.Time) error {
	last, tries := "", 0
	for {
		records, err := store.List(ctx, last, PageSize)
		if err != nil {
			return fmt.Errorf("reading what is due after the clock was set back: %w", err)
		}
		if len(records) == 0 {
			return nil
		}
		refused, err := store.CommitMany(ctx, hastened(records, to))
		if err != nil {
			return fmt.Errorf("letting fall due what the clock was set back before: %w", err)
		}
		if tries++; len(refused) == 0 || tries == 8 { // else somebody committed meanwhile, perhaps by the clock as it was
			last, tries = records[len(records)-1].Client.ID, 0
		}
	}
}

func hastened(records []credential.Record, to time.Time) []credential.Change {
	var changes []credential.Change
	for _, r := range records {
		if !r.Due.After(to) {
			continue
		}
		r.Due, r.DueFor = to.UTC().Truncate(time.Microsecond), "clock"
		changes = append(changes, credential.Change{Record: r, Keep: true})
	}
	return changes
}
