package scheduler_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// hiccup is a store of which one commit fails, and the next one would be taken again.
type hiccup struct {
	*counting
	failed bool
}

func (h *hiccup) Commit(ctx context.Context, c credential.Change) (credential.Record, bool, error) {
	if !h.failed {
		h.failed = true
		return credential.Record{}, false, errDisk
	}
	return h.counting.Commit(ctx, c)
}

// TestAFailedCommitEndsTheDaemon: nobody knows whether the change was made, and that the next one works says nothing.
func TestAFailedCommitEndsTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.add(t, "billing")
		b.sch.Store = &hiccup{counting: b.store}
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		if err := b.run(ctx)(); !errors.Is(err, errDisk) {
			t.Errorf("the daemon went on after a commit of unknown outcome: %v", err)
		}
	})
}
