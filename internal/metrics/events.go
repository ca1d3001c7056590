package metrics

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rotad/rotad/internal/credential"
)

// Providers says which providers are configured: the series of the closed sets are there from the start, and those of
// providers that are gone are dropped. It is called at the start and after each reload.
func (m *Metrics) Providers(names []string) {
	for _, gone := range m.signs.configured(names) {
		of := prometheus.Labels{"provider": clean(gone)}
		m.rotations.DeletePartialMatch(of)
		m.up.DeletePartialMatch(of)
		m.requests.DeletePartialMatch(of)
		m.request.DeletePartialMatch(of)
	}
	for _, name := range names {
		for _, outcome := range rotationOutcomes() {
			m.rotations.WithLabelValues(clean(name), outcome)
		}
	}
}

// Committed counts what a commit says: finished rotations, finished steps, successful looks, answers of people. It is called once for each
// change that was made, with the record as it was committed.
func (m *Metrics) Committed(change credential.Change) {
	rec := change.Record
	for _, entry := range change.Audit {
		if entry.Event == credential.EventConfirmed || entry.Event == credential.EventAborted {
			m.rotations.WithLabelValues(clean(rec.Client.Provider), outcomeOf(rec, entry)).Inc()
		}
		if verb, answered := answerOf(entry); answered {
			m.answers.WithLabelValues(verb, wayOf(entry)).Inc()
		}
	}
	if done, ok := m.steps.follow(change); ok {
		m.step.WithLabelValues(string(done.phase)).Observe(done.took.Seconds())
	}
	m.signs.looked(rec.Client.Provider, rec.Looked)
}

// outcomeOf returns how a rotation ended. What ends it without a new secret stands in the record's last outcome.
func outcomeOf(rec credential.Record, entry credential.Audit) string {
	switch {
	case entry.Event == credential.EventConfirmed:
		return outcomeDone
	case slices.Contains(rotationOutcomes(), rec.Last.Outcome):
		return rec.Last.Outcome
	default:
		return outcomeAborted
	}
}

// answerOf returns what a person has answered by an entry of the audit.
func answerOf(entry credential.Audit) (verb string, answered bool) {
	if entry.Event == credential.EventAcked {
		return verbAck, true
	}
	return verbSnooze, entry.Event == credential.EventSnoozed
}

// wayOf returns how: whoever answers by the link in a mail stands in the audit as the address that it went to.
func wayOf(entry credential.Audit) string {
	if strings.HasPrefix(entry.Actor, credential.ActorMail) {
		return wayMail
	}
	return wayCommand
}

// Seen is told of a record before something is done for it. It makes the steps that began before this process count.
func (m *Metrics) Seen(rec credential.Record) { m.steps.seen(rec) }

// Late observes how long after its due time a client was taken up.
func (m *Metrics) Late(_ string, lag time.Duration) { m.lag.Observe(max(0, lag).Seconds()) }

// Request counts one call to a provider: the operation, how it ended ("ok", the answer of a verification, or the class
// of the error), and how long the provider took.
func (m *Metrics) Request(provider, operation, outcome string, took time.Duration) {
	name := clean(provider)
	m.requests.WithLabelValues(name, operation, outcome).Inc()
	m.request.WithLabelValues(name, operation).Observe(took.Seconds())
	switch outcome {
	case "unavailable", "indeterminate":
		m.up.WithLabelValues(name).Set(0)
	case "unsupported", "unknown": // nothing was asked, or what came back does not say who answered
	default:
		m.up.WithLabelValues(name).Set(1)
	}
}

// Notice counts the fate of a delivery. An empty channel is a notice that never had a recipient.
func (m *Metrics) Notice(channel string, kind credential.NoticeKind, outcome string) {
	m.notices.WithLabelValues(named(channel, "none"), string(kind), outcome).Inc()
}

// Delay observes the time from the decision to tell people to the moment a server took the message.
func (m *Metrics) Delay(_ credential.NoticeKind, delay time.Duration) {
	m.delay.Observe(max(0, delay).Seconds())
}

// Refused counts a request of the listener for people that was refused. The reason is one of Options.Refusals.
func (m *Metrics) Refused(reason string) { m.refused.WithLabelValues(clean(reason)).Inc() }

// Violation counts that something was not true that must be true at every moment. It is where monitors report; the name
// is one of Options.Invariants.
func (m *Metrics) Violation(invariant string) { m.violations.WithLabelValues(clean(invariant)).Inc() }
