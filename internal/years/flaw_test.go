package years_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// flaw is something that a fleet's daemon does wrong on purpose, so that the judge is seen to see it.
type flaw string

// The flaws.
const (
	sound     flaw = ""
	unlocked  flaw = "every window is always open"
	forgetful flaw = "what was mailed is not written down at once"
	oneClock  flaw = "the clock of vault is the wall clock"
	sleepy    flaw = "the loop looks at its due entries by the hour"
	early     flaw = "what is published is dated by a clock that is ahead"
)

// TestJudgeSees: each flaw is found, within a small fleet and a short time.
func TestJudgeSees(t *testing.T) {
	origin := time.Date(2027, 9, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		flaw flaw
		plan plan
		says string
	}{
		{unlocked, plan{seed: 11, clients: 15, years: 0.3, origin: origin, scan: weekly, only: nothing}, "outside of its window"},
		{forgetful, plan{seed: 12, clients: 5, years: 0.2, origin: origin, scan: weekly, only: nothing}, "was mailed twice"},
		{oneClock, plan{seed: 17, clients: 15, years: 0.3, origin: origin, scan: weekly, only: jumps}, "I16 clock"},
		{sleepy, plan{seed: 14, clients: 5, years: 0.2, origin: origin, scan: weekly, only: nothing}, "was claimed"},
		{early, plan{seed: 15, clients: 5, years: 0.3, origin: origin, scan: weekly, only: nothing}, "anew that a right clock has dated"},
	} {
		t.Run(string(c.flaw), func(t *testing.T) {
			t.Parallel()
			said := strings.Join(live(t, c.plan, c.flaw).verdict(c.plan), "\n")
			if !strings.Contains(said, c.says) {
				t.Errorf("%s: the judge did not see it; he said:\n%s", c.plan, said)
			}
		})
	}
}

// windows gives the daemon its windows.
func (f *fleet) window(spec credential.WindowSpec) credential.Window {
	if f.flaw == unlocked {
		return credential.Always{}
	}
	return f.windows.get(spec)
}

// independent is the time that Vault and providers tell.
func (f *fleet) independent() time.Time {
	if f.flaw == oneClock {
		return f.clocks.wall()
	}
	return f.clocks.truth()
}

// published is how what is published now is dated.
func (f *fleet) published() time.Time {
	if f.flaw == early {
		return f.clocks.truth().Add(time.Hour)
	}
	return f.clocks.truth()
}

// due is when the loop's timer ends.
func (f *fleet) due(real func() (time.Time, bool)) func() (time.Time, bool) {
	if f.flaw == sleepy {
		return func() (time.Time, bool) { return time.Time{}, false }
	}
	return real
}

// settleNotices writes notices down. A forgetful one needs to be told twice.
func (o outbox) settleNotices(ctx context.Context, notices []credential.Notice) error {
	for _, n := range notices {
		if o.forgets == nil || n.State != credential.NoticeSent {
			continue
		}
		if _, again := o.forgets.LoadOrStore(n.Seq, true); !again {
			return nil
		}
	}
	return o.store.Settle(ctx, notices...)
}

func (f *fleet) forgets() *sync.Map {
	if f.flaw == forgetful {
		return &sync.Map{}
	}
	return nil
}
