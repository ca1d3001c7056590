package telekom

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/providers"
)

// pollEvery is the pause between two looks at a rotation that is under way; that of roverctl.
const pollEvery = time.Second

// pause waits for the next look. It fails when no time is left.
func pause(ctx context.Context) error {
	next, cancel := context.WithTimeout(ctx, pollEvery)
	defer cancel()
	<-next.Done()
	return ctx.Err()
}

// converge waits until a rotation is complete. Until the controller has seen the wish, the status is complete and still
// the old one; so it is over when the status is complete and shows another value than before. Where the platform said that
// a rotation is under way already, that one is waited for: its secret is the current one afterwards, and the one that
// consumers have counts down, whoever asked for it.
func (p *provider) converge(ctx context.Context, name string, before status, joined bool) (status, error) {
	last := "not read"
	for {
		seen, err := p.settled(ctx, "create", name)
		if err == nil && !seen.current.Equal(before.current) {
			return seen, nil
		}
		last = progress(seen, err, last)
		if p.pause(ctx) != nil {
			return status{}, p.api.fault("create", providers.ClassIndeterminate, unfinished(last, joined))
		}
	}
}

// progress says in a few words where a rotation stands; a look that failed changes nothing of what is known.
func progress(seen status, err error, last string) string {
	switch {
	case providers.ClassOf(err) == providers.ClassBusy:
		return "still working"
	case err != nil:
		return last
	}
	return seen.word + ", with the secret from before"
}

func unfinished(last string, joined bool) error {
	what := "the platform has taken the wish to rotate"
	if joined {
		what = "another rotation was under way already (HTTP 409)"
	}
	return fmt.Errorf("%s, and it was not complete within the deadline (last seen: %s); the secret is read back when it is", what, last)
}
