package metrics_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
)

func TestFinishedRotationsAreCountedOnce(t *testing.T) {
	b := newBench(&source{})
	b.Providers([]string{"corp"})
	finish := func(event credential.Event, last string) {
		rec := registered("a")
		rec.Last = credential.Last{Rotation: "r", Outcome: last}
		b.Committed(credential.Change{Record: rec, Audit: []credential.Audit{{Event: event}}})
		b.Committed(credential.Change{Record: rec, Audit: []credential.Audit{{Event: credential.EventWarned}}})
	}
	b.shows(t, `
		rotations_total{outcome="aborted",provider="corp"} 0
		rotations_total{outcome="done",provider="corp"} 0
		rotations_total{outcome="superseded",provider="corp"} 0
	`, "rotations_total")
	finish(credential.EventConfirmed, "done")
	finish(credential.EventConfirmed, "done")
	finish(credential.EventAborted, "aborted")
	finish(credential.EventAborted, "superseded")
	finish(credential.EventAborted, "")
	b.shows(t, `
		rotations_total{outcome="aborted",provider="corp"} 2
		rotations_total{outcome="done",provider="corp"} 2
		rotations_total{outcome="superseded",provider="corp"} 1
	`, "rotations_total")
}

func TestProvidersThatAreGoneLeaveNoSeries(t *testing.T) {
	b := newBench(&source{})
	b.Providers([]string{"corp", "old"})
	looked := registered("a")
	looked.Looked = noon
	for _, name := range []string{"corp", "old"} {
		looked.Client.Provider = name
		b.Committed(credential.Change{Record: looked})
		b.Request(name, "create", "ok", time.Second)
	}
	names := []string{"rotations_total", "provider_up", "provider_requests_total", "scan_last_success_timestamp_seconds"}
	if got := lines(samples(b.scrape(t), names)); got != 2*(3+1+1+1) {
		t.Fatalf("%d series of two providers, want 12", got)
	}
	b.Providers([]string{"corp"})
	b.shows(t, `
		provider_requests_total{operation="create",outcome="ok",provider="corp"} 1
		provider_up{provider="corp"} 1
		rotations_total{outcome="aborted",provider="corp"} 0
		rotations_total{outcome="done",provider="corp"} 0
		rotations_total{outcome="superseded",provider="corp"} 0
		scan_last_success_timestamp_seconds{provider="corp"} 1.7672688e+09
	`, names...)
}

func TestAProviderIsUpIfItsLastCallGotAnAnswer(t *testing.T) {
	for outcome, up := range map[string]string{
		"ok": "1", "accepted": "1", "refused": "1", "throttled": "1", "auth": "1", "not-found": "1", "not-understood": "1",
		"unavailable": "0", "indeterminate": "0",
	} {
		b := newBench(&source{})
		b.Request("corp", "inspect", outcome, time.Second)
		b.shows(t, `provider_up{provider="corp"} `+up, "provider_up")
		b.Request("corp", "verify", "unknown", time.Second)
		b.Request("corp", "revoke", "unsupported", 0)
		b.shows(t, `provider_up{provider="corp"} `+up, "provider_up")
	}
}

func TestRequestsAreCountedAndMeasured(t *testing.T) {
	b := newBench(&source{})
	b.Request("corp", "create", "ok", 300*time.Millisecond)
	b.Request("corp", "create", "throttled", 20*time.Millisecond)
	b.shows(t, `
		provider_request_duration_seconds_sum{operation="create",provider="corp"} 0.32
		provider_request_duration_seconds_count{operation="create",provider="corp"} 2
		provider_requests_total{operation="create",outcome="ok",provider="corp"} 1
		provider_requests_total{operation="create",outcome="throttled",provider="corp"} 1
	`, "provider_requests_total", "provider_request_duration_seconds_sum", "provider_request_duration_seconds_count")
}

func TestTheLatestLookOfAProviderIsShown(t *testing.T) {
	b := newBench(&source{})
	for _, at := range []time.Time{noon, noon.Add(time.Hour), noon.Add(-day)} {
		rec := registered("a")
		rec.Looked = at
		b.Committed(credential.Change{Record: rec})
	}
	b.shows(t, `scan_last_success_timestamp_seconds{provider="corp"} 1.7672724e+09`, "scan_last_success_timestamp_seconds")
}

func TestNoticesAreCountedFromZero(t *testing.T) {
	b := newBench(&source{}, func(o *metrics.Options) {
		o.Channels, o.NoticeOutcomes = []string{"smtp"}, []string{"sent", "dead"}
	})
	if got := lines(samples(b.scrape(t), []string{"notices_total"})); got != 17*2 {
		t.Errorf("%d series from the start, want one for each of 17 kinds and 2 outcomes", got)
	}
	b.Notice("smtp", credential.NoticeHeld, "sent")
	b.Notice("", credential.NoticeHeld, "dropped")
	b.Delay(credential.NoticeHeld, 90*time.Second)
	b.Delay(credential.NoticeHeld, -time.Second) // the wall clock was set back
	text := b.scrape(t)
	for _, want := range []string{
		`rotad_notices_total{channel="smtp",kind="held",outcome="sent"} 1`,
		`rotad_notices_total{channel="smtp",kind="held",outcome="dead"} 0`,
		`rotad_notices_total{channel="none",kind="held",outcome="dropped"} 1`,
		`rotad_notice_delay_seconds_sum 90`, `rotad_notice_delay_seconds_count 2`,
	} {
		if !containsAny(text, want+"\n") {
			t.Errorf("the scrape lacks %s", want)
		}
	}
}

// Who answers by a link is told from who types a command; what else stands in the audit is no answer.
func TestAnswersAreCountedByTheirWay(t *testing.T) {
	b := newBench(&source{}, func(o *metrics.Options) { o.Refusals = []string{"answered", "ended"} })
	for _, entry := range []credential.Audit{
		{Event: credential.EventAcked, Actor: credential.ActorMail + "alice@example.com"},
		{Event: credential.EventSnoozed, Actor: credential.ActorMail + "bob@example.com"},
		{Event: credential.EventSnoozed, Actor: "uid 1000 (mail)"},
		{Event: credential.EventApproved, Actor: "uid 1000"},
	} {
		b.Committed(credential.Change{Record: registered("a"), Audit: []credential.Audit{entry}})
	}
	b.Refused("ended")
	b.shows(t, `
		answers_refused_total{reason="answered"} 0
		answers_refused_total{reason="ended"} 1
		answers_total{verb="ack",way="command"} 0
		answers_total{verb="ack",way="mail"} 1
		answers_total{verb="snooze",way="command"} 1
		answers_total{verb="snooze",way="mail"} 1
	`, "answers_total", "answers_refused_total")
}

func TestViolationsAreCountedFromZero(t *testing.T) {
	b := newBench(&source{}, func(o *metrics.Options) { o.Invariants = []string{"access", "early-revoke"} })
	b.Violation("access")
	b.shows(t, `
		invariant_violations_total{invariant="access"} 1
		invariant_violations_total{invariant="early-revoke"} 0
	`, "invariant_violations_total")
}

func TestLagOfDecisionsIsMeasured(t *testing.T) {
	b := newBench(&source{})
	b.Late("corp", 2*time.Minute)
	b.Late("corp", -time.Second)
	b.shows(t, "decision_lag_seconds_sum 120\ndecision_lag_seconds_count 2", "decision_lag_seconds_sum", "decision_lag_seconds_count")
}
