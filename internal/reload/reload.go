// Package reload makes consumers take a new secret: by a command, a systemd unit, a signal, an HTTP request or a rollout.
//
//	rotation (one step after the other) ──► Do ──┬──► command: no shell, no secret in it, its whole group ended in time
//	                                             ├──► systemctl reload-or-restart unit
//	                                             ├──► signal to the process of a pid file
//	                                             └──► POST, without a body
//
// A step may be done twice: a process may die between the deed and the note that it was done. What a command prints is not
// kept, because nobody knows what it prints.
package reload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/reload/rollout"
)

// timeout bounds one step. A service that takes longer to restart is asked after its health afterwards.
const timeout = 2 * time.Minute

// asking bounds one question after a step.
const asking = 20 * time.Second

// Do does one step, for an occasion. An error says that it may not have been done.
func Do(ctx context.Context, r credential.Reload, o credential.Occasion) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var err error
	switch r.Kind() {
	case "command":
		err = run(ctx, r.Command)
	case "unit":
		err = run(ctx, append([]string{systemctl()}, r.Unit.Arguments()...))
	case "signal":
		err = send(r.Signal)
	case "request":
		err = request(ctx, r.Request)
	case "rollout":
		err = rollout.Restart(ctx, *r.Rollout, o)
	default:
		err = errors.New("nothing is to be done")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.What(), err)
	}
	return nil
}

// Settled says with an error how far from its end is what Do has begun for an occasion. What Do does by itself is over with it.
func Settled(ctx context.Context, r credential.Reload, o credential.Occasion) error {
	if r.Rollout == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	if err := rollout.Settled(ctx, *r.Rollout, o); err != nil {
		return fmt.Errorf("%s: %w", r.What(), err)
	}
	return nil
}

// Check says what would keep a step from being done, as far as it can be seen without doing anything.
func Check(ctx context.Context, r credential.Reload) error {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	var err error
	switch r.Kind() {
	case "command":
		err = executable(r.Command[0])
	case "rollout":
		err = rollout.Check(ctx, *r.Rollout)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.What(), err)
	}
	return nil
}
