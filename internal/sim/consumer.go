package sim

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// readsEvery is how often the consumer reads Vault and says which version it runs on. It is longer than the overlap, so that
// one often has to be extended.
const readsEvery = 4 * 24 * time.Hour

// saying is what a consumer has said, as the world knows it: the record may be an older copy.
type saying struct {
	version  int
	at       int       // the call at which it said so
	next     time.Time // when it reads Vault again
	noReturn int       // the call at which the point of no return was passed last
	revoking bool
}

// passed notes the point of no return.
func (s *saying) passed(p credential.Phase, call int) {
	if p == credential.PhaseRevoking && !s.revoking {
		s.noReturn = call
	}
	s.revoking = p == credential.PhaseRevoking
}

// late says whether it spoke after the point of no return: nothing that is said then is heard any more.
func (s *saying) late() bool { return s.revoking && s.at >= s.noReturn }

// begins gives the client a consumer, where the mode has one.
func (l *Life) begins(m Mode, client *credential.Client) {
	if !m.Used {
		return
	}
	client.Consumers = []credential.NamedConsumer{{Name: "app"}}
	l.policy.OverlapEnds = credential.EndsMoved
	l.said.next = l.World.Wall
}

// speaksBefore lets the consumer read Vault, if its time comes before rotad's, and says whether it did.
func (l *Life) speaksBefore(wait time.Duration) bool {
	if !l.Mode.Used || l.silent || l.store.gone {
		return false
	}
	until := l.said.next.Sub(l.World.Wall)
	if until > wait {
		return false
	}
	l.World.Advance(max(until, 0))
	l.said.next = l.World.Wall.Add(readsEvery)
	if l.Vault.Hands() != "" {
		l.say(l.Vault.Versions())
	}
	return true
}

// say tells rotad which version of Vault the consumer runs on.
func (l *Life) say(version int) {
	l.said.passed(l.store.rec.Phase(), len(l.World.Trace)) // a process may have died in the very commit that passed it
	if l.Mode.Used && l.wish(rotation.RunsOn("app", version)) {
		l.said.version, l.said.at = version, len(l.World.Trace)
	}
}
