package bolt

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/state"
)

// metaOutage begins the keys in the bucket meta of providers that do not answer.
const metaOutage = "outage\x00"

// toldMark stands behind the time of an outage that people know of.
const toldMark = 't'

// Outage returns since when a provider does not answer, and whether people know; zero = nothing is known of one.
func (s *Store) Outage(ctx context.Context, provider string) (since time.Time, told bool, err error) {
	err = s.view(ctx, func(t *txn) error {
		value, ok, failed := t.get(bktMeta, metaOutage+provider)
		if failed != nil || !ok || len(value) < timeLength {
			return failed
		}
		since, told = parseTimeKey(string(value[:timeLength])), len(value) > timeLength
		return nil
	})
	return since, told, err
}

// SetOutage notes since when a provider does not answer, and whether people know; zero = it answers.
func (s *Store) SetOutage(ctx context.Context, provider string, since time.Time, told bool) error {
	if provider == "" || len(provider) > state.MaxIDLength {
		return fmt.Errorf("noting the outage of a provider: %w", state.ErrInvalid)
	}
	err := s.write(ctx, func(t *txn) error {
		if since.IsZero() {
			t.drop(bktMeta, metaOutage+provider)
			return nil
		}
		value := []byte(timeKey(since))
		if told {
			value = append(value, toldMark)
		}
		t.put(bktMeta, metaOutage+provider, value)
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting the outage of a provider: %w", err)
	}
	return nil
}
