package scheduler

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// The pauses of clients whose provider is not asked.
const (
	// longestLater is the longest time for which a client is put off because its provider does not answer. It is what a
	// client may be late after the provider's return.
	longestLater = 10 * time.Minute
	// tellAway is how long a provider may be silent before people hear of it.
	tellAway = 10 * time.Minute
)

// later puts an effect off that can wait while its provider does not answer or has asked for a pause; one that is due then
// goes on as the probe. The notices of the decision are not put off, and nothing is counted as a failure. The longer an
// outage lasts the more seldom each client asks, so that it costs little however many there are.
func (s *Scheduler) later(rec credential.Record, d rotation.Decision) rotation.Decision {
	if d.Effect == rotation.EffectNone || d.Archive {
		return d
	}
	connection, ok := s.connection(d.Record)
	if !ok || !rotation.CanWait(d.Record, d.Effect) {
		return d
	}
	elapsed, now := s.Elapsed(), s.Now()
	p := connection.Breaker.Admit(elapsed)
	if p.Wait == 0 {
		return d
	}
	wait, why := p.Wait, credential.Reason("throttled")
	if p.Open {
		wait, why = max(wait, min(p.Outage/4, longestLater/2)), "provider-away"
	}
	wait += rotation.Spread(rec.Client.ID, min(wait, longestLater/2))
	d = d.Later(rec, now.Add(wait), why)
	if connection.Breaker.Tell(elapsed, tellAway) {
		s.Log.Warn("a provider does not answer; only probes go there", "provider", provider(rec), "for", p.Outage.Round(time.Second), "calls", p.Silent)
		d = d.TellAway(s.Env(d.Record), now.Add(-p.Outage), p.Silent)
	}
	return d
}

// readTally adds what has been begun under a provider, where that decides anything.
func (s *Scheduler) readTally(env *rotation.Env, provider string) (err error) {
	if s.Tally == nil || len(env.Pace.Steps) == 0 && env.Pace.Quota == 0 {
		return nil
	}
	env.Tally, err = s.Tally(provider)
	return err
}
