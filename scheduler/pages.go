package scheduler

import (
	"context"
	"errors"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/failpoint"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// Walks says that clients of a provider are seen in the pages of its tenant, once per tick of the schedule. Then a look at one
// client alone falls due only where the next walk has not seen it.
func (s *Scheduler) Walks(provider string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.walked == nil {
		s.walked = map[string]bool{}
	}
	s.walked[provider] = on
}

func (s *Scheduler) walks(provider string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.walked[provider]
}

// NextScan returns when a walk is to begin: the next tick of the schedule; zero = never.
func (s *Scheduler) NextScan() time.Time { return s.world.Load().Scan.Next(s.Now()) }

// Quiet says whether what a page shows of a client is all that a look at it would ask of its provider: nothing is under way, it is
// known which of the listed secrets Vault hands out, and no earlier look has left a doubt.
func Quiet(rec credential.Record) bool {
	return rec.Rotation == nil && rec.Hold == nil && !rec.Leaving && rec.Sight == credential.SightAdopted && rec.Current.ID != "" &&
		!rec.Presumed && rec.Missing == 0 && rec.Refused == 0 && rec.Backoff.Attempts == 0 && !rec.Request.Rotate
}

// See takes what a page shows of a client for the look at it. The caller has claimed the record, which is Quiet, and gives the
// claim free afterwards. Vault is read as in any look; what is to be done then is done by the loop, which looks for itself.
func (s *Scheduler) See(ctx context.Context, rec credential.Record, seen providers.Snapshot) error {
	connection, ok := s.connection(rec)
	if !ok {
		return ErrNothing
	}
	if seen.Caps.Mode == credential.ModeGraceWindow && seen.Caps.Grace == 0 {
		seen.Caps.Grace = rec.Client.Grace // a person's word, which no list knows
	}
	began := s.Elapsed()
	failpoint.Hit("effect", "see", rec.Client.ID)
	outcome := s.Executor.Run(ctx, providers.Shown(connection.Provider, seen), rec, rotation.EffectLook, s.Env(rec))
	if s.Watch != nil {
		s.Watch.Effect(rec, rotation.EffectLook, outcome, s.Elapsed()-began)
	}
	s.log(rec, rotation.EffectLook, outcome, s.Elapsed()-began)
	if ctx.Err() != nil {
		return ctx.Err() // cut off by a shutdown, which proves nothing
	}
	rec, d, err := s.takeIn(ctx, rec, rotation.EffectLook, outcome)
	if err == nil && d.Effect != rotation.EffectNone && !d.Archive {
		err = s.letGo(ctx, rec) // something falls due: the loop does it
	}
	if err != nil && !errors.Is(err, ErrNothing) {
		s.fail(err)
	}
	return err
}
