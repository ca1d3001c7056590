package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/metrics"
)

func lines(text string) int {
	if text == "" {
		return 0
	}
	return strings.Count(text, "\n") + 1
}

func containsAny(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

func TestTotalsAreShownWithEveryHoldAndState(t *testing.T) {
	b := newBench(&source{totals: metrics.Totals{
		Clients: map[metrics.Group]int{
			{Provider: "corp", Mode: credential.ModeTwoSlot}: 7, {Provider: "corp"}: 2,
		},
		Holds:         map[credential.HoldCode]int{credential.HoldSecretLost: 3},
		Outbox:        map[credential.NoticeState]int{credential.NoticeDead: 1, credential.NoticePending: 4},
		WithoutExpiry: 5,
	}, expired: 1, soon: []int{2, 3, 4, 5}})
	b.shows(t, `
		clients{mode="two-slot",provider="corp"} 7
		clients{mode="unknown",provider="corp"} 2
		clients_expiring{within="1d"} 2
		clients_expiring{within="30d"} 4
		clients_expiring{within="7d"} 3
		clients_expiring{within="90d"} 5
		clients_expiring{within="expired"} 1
		clients_without_expiry 5
		holds{reason="secret-lost"} 3
		outbox_entries{state="dead"} 1
		outbox_entries{state="dropped"} 0
		outbox_entries{state="pending"} 4
		outbox_entries{state="sent"} 0
		outbox_entries{state="waiting"} 0
	`, "clients", "clients_expiring", "clients_without_expiry", "outbox_entries")
	if got, want := lines(samples(b.scrape(t), []string{"holds"})), len(credential.HoldRules()); got != want {
		t.Errorf("%d reasons of holds are shown, want all %d", got, want)
	}
	b.shows(t, "client_series_dropped 9", "client_series_dropped")
}

func TestLatenessIsThatOfTheOldestDue(t *testing.T) {
	for name, tc := range map[string]struct {
		due  time.Time
		want string
	}{
		"nothing is ever due":       {time.Time{}, "due_lag_seconds 0"},
		"the next one is to come":   {noon.Add(time.Hour), "due_lag_seconds 0"},
		"one has waited 90 seconds": {noon.Add(-90 * time.Second), "due_lag_seconds 90"},
	} {
		t.Run(name, func(t *testing.T) { newBench(&source{due: tc.due}).shows(t, tc.want, "due_lag_seconds") })
	}
}

func TestVaultTokenIsShownAsItIs(t *testing.T) {
	for name, tc := range map[string]struct {
		ends time.Time
		want string
	}{
		"it ends":       {noon, "vault_token_expiry_timestamp_seconds 1.7672688e+09"},
		"it never does": {time.Time{}, "vault_token_expiry_timestamp_seconds +Inf"},
		"there is none": {time.Unix(0, 0), "vault_token_expiry_timestamp_seconds 0"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(&source{}, func(o *metrics.Options) { o.TokenExpires = func() time.Time { return tc.ends } })
			b.shows(t, tc.want, "vault_token_expiry_timestamp_seconds")
		})
	}
	newBench(&source{}).shows(t, "", "vault_token_expiry_timestamp_seconds")
}

func TestMomentsAreMissingUntilTheyAreKnown(t *testing.T) {
	names := []string{
		"heartbeat_timestamp_seconds", "config_last_reload_successful", "config_last_reload_success_timestamp_seconds",
		"scan_last_success_timestamp_seconds", "provider_up",
	}
	b := newBench(&source{})
	b.Committed(credential.Change{Record: registered("a")}) // never looked at
	b.shows(t, "", names...)

	b.Heartbeat()
	b.Reloaded(true)
	b.now = noon.Add(time.Hour)
	b.Reloaded(false)
	b.shows(t, `
		config_last_reload_success_timestamp_seconds 1.7672688e+09
		config_last_reload_successful 0
		heartbeat_timestamp_seconds 1.7672688e+09
	`, names...)

	b.Reloaded(true)
	b.shows(t, `
		config_last_reload_success_timestamp_seconds 1.7672724e+09
		config_last_reload_successful 1
	`, "config_last_reload_successful", "config_last_reload_success_timestamp_seconds")
}

func TestAConfigurationThatWasNeverTakenHasNoTime(t *testing.T) {
	b := newBench(&source{})
	b.Reloaded(false)
	b.shows(t, "config_last_reload_successful 0", "config_last_reload_successful", "config_last_reload_success_timestamp_seconds")
}

func TestSilenceIsMeasuredOnTheMonotonicClock(t *testing.T) {
	b := newBench(&source{})
	b.elapsed = 40 * time.Second
	if got := b.Silence(); got != 40*time.Second {
		t.Errorf("before the first turn the silence is %s, want 40s since the start", got)
	}
	b.Heartbeat()
	b.now, b.elapsed = noon.Add(-day), 45*time.Second
	if got := b.Silence(); got != 5*time.Second {
		t.Errorf("the silence is %s, want 5s whatever the wall clock says", got)
	}
}

func TestBuildInfoIsAlwaysThere(t *testing.T) {
	newBench(&source{}).shows(t, `build_info{commit="unknown",goversion="unknown",version="unknown"} 1`, "build_info")
	b := newBench(&source{}, func(o *metrics.Options) {
		o.Build = metrics.Build{Version: "v1.2.3", Commit: "abc", GoVersion: "go1.26"}
	})
	b.shows(t, `build_info{commit="abc",goversion="go1.26",version="v1.2.3"} 1`, "build_info")
}
