package config_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func window(t *testing.T, cron, length, zone string) credential.Window {
	t.Helper()
	d, err := credential.ParseDuration(length)
	if err != nil {
		t.Fatal(err)
	}
	w, err := config.Window(credential.WindowSpec{Cron: cron, Duration: d, Timezone: zone})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Clocks go forward on 2026-03-29 in Berlin (02:00 to 03:00) and on 2026-03-08 in New York, back on 2026-10-25 (03:00
// to 02:00) and on 2026-11-01.
func TestWindowOpensOncePerDayWhateverTheClocksDo(t *testing.T) {
	tests := []struct {
		rule, cron, zone, after string
		openings                []string
	}{
		{
			"an ordinary time follows the wall clock over a change", "0 9 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z",
			[]string{"2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"},
		},
		{
			"a skipped time opens at the first valid instant (Berlin)", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		},
		{
			"a skipped time opens at the first valid instant (New York)", "30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z",
			[]string{"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"},
		},
		{
			"several skipped times are one opening", "*/15 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
		},
		{
			"a skipped time and the end of the gap are one opening", "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T01:00:00Z"},
		},
		{
			"a repeated time opens the first time only (Berlin)", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		},
		{
			"a repeated time opens the first time only (New York)", "30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z",
			[]string{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"},
		},
		{
			"asked in the second pass, the next opening is the one behind it", "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z",
			[]string{"2026-10-26T01:30:00Z"},
		},
		{
			"the moment at which both passes meet", "0 3 * * *", "Europe/Berlin", "2026-10-25T00:59:59Z",
			[]string{"2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"},
		},
		{
			"a day that does not exist at all opens at its end", "0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z",
			[]string{"2011-12-30T10:00:00Z"},
		},
		{
			"no zone is UTC", "0 9 * * MON-THU", "", "2026-01-01T10:00:00Z",
			[]string{"2026-01-05T09:00:00Z", "2026-01-06T09:00:00Z"},
		},
		{
			"29 February is found over four years", "0 0 29 2 *", "UTC", "2024-03-01T00:00:00Z",
			[]string{"2028-02-29T00:00:00Z"},
		},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			w := window(t, test.cron, "1h", test.zone)
			now := at(t, test.after)
			for _, want := range test.openings {
				now = w.Next(now)
				if !now.Equal(at(t, want)) {
					t.Fatalf("opens at %s, want %s", now.UTC().Format(time.RFC3339), want)
				}
			}
		})
	}
}

func TestWindowIsOpenFromItsOpeningUntilItsDurationHasPassed(t *testing.T) {
	tests := []struct {
		rule, cron, length, zone, at string
		open                         bool
	}{
		{"before it opens", "0 9 * * *", "6h", "UTC", "2026-01-01T08:59:59Z", false},
		{"when it opens", "0 9 * * *", "6h", "UTC", "2026-01-01T09:00:00Z", true},
		{"just before it closes", "0 9 * * *", "6h", "UTC", "2026-01-01T14:59:59Z", true},
		{"when it closes", "0 9 * * *", "6h", "UTC", "2026-01-01T15:00:00Z", false},
		{"six hours are six hours over a change", "0 0 * * *", "6h", "Europe/Berlin", "2026-03-29T04:59:59Z", true},
		{"and no longer", "0 0 * * *", "6h", "Europe/Berlin", "2026-03-29T05:00:00Z", false},
		{"not a second time in the repeated hour", "0 2 * * *", "30m", "Europe/Berlin", "2026-10-25T01:10:00Z", false},
		{"the first time in the repeated hour", "0 2 * * *", "30m", "Europe/Berlin", "2026-10-25T00:10:00Z", true},
		{"windows that meet never close", "0 * * * *", "1h", "UTC", "2026-01-01T10:00:00Z", true},
		{"windows longer than their distance overlap", "0 0 * * *", "30h", "UTC", "2026-01-02T03:00:00Z", true},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			w := window(t, test.cron, test.length, test.zone)
			if got := w.Contains(at(t, test.at)); got != test.open {
				t.Errorf("open at %s: %v, want %v", test.at, got, test.open)
			}
		})
	}
}

// Whatever the window and the moment: the next opening comes later, the window is open then, and it is open at t only if
// it opened less than its duration ago.
func TestWindowContainsItsNextOpening(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	crons := []string{"30 2 * * *", "*/7 1-3 * * *", "0 9 * * MON-THU", "59 23 * * SUN", "0 0 1 * *", "15 2 25-31 3,10 *"}
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "UTC"}
	lengths := []string{"1s", "40m", "6h", "3d"}
	for range 3000 {
		cron, zone := crons[random.IntN(len(crons))], zones[random.IntN(len(zones))]
		length := lengths[random.IntN(len(lengths))]
		w := window(t, cron, length, zone)
		now := time.Unix(random.Int64N(60*365*24*3600), random.Int64N(1e9))
		next := w.Next(now)
		switch {
		case !next.After(now):
			t.Fatalf("%s %s %s at %s: the next opening %s is not later", cron, length, zone, now, next)
		case !w.Contains(next):
			t.Fatalf("%s %s %s at %s: it is not open at its opening %s", cron, length, zone, now, next)
		case !w.Next(next.Add(-time.Nanosecond)).Equal(next):
			t.Fatalf("%s %s %s at %s: just before %s the next opening is another one", cron, length, zone, now, next)
		}
	}
}

func TestWindowOfNothingIsAlwaysOpen(t *testing.T) {
	w, err := config.Window(credential.WindowSpec{})
	if err != nil || !w.Contains(at(t, "2026-01-01T00:00:00Z")) {
		t.Errorf("got %v, %v", w, err)
	}
}

func TestWindowRefusesWhatNeverOpens(t *testing.T) {
	tests := []struct {
		rule string
		spec credential.WindowSpec
	}{
		{"no cron", credential.WindowSpec{Duration: time.Hour}},
		{"no duration", credential.WindowSpec{Cron: "0 9 * * *"}},
		{"a negative duration", credential.WindowSpec{Cron: "0 9 * * *", Duration: -1}},
		{"30 February", credential.WindowSpec{Cron: "0 9 30 2 *", Duration: time.Hour}},
		{"an unknown zone", credential.WindowSpec{Cron: "0 9 * * *", Duration: time.Hour, Timezone: "Mars"}},
		{"the zone of the machine", credential.WindowSpec{Cron: "0 9 * * *", Duration: time.Hour, Timezone: "Local"}},
		{"a zone in the cron expression", credential.WindowSpec{Cron: "TZ=UTC 0 9 * * *", Duration: time.Hour}},
		{"a zone and nothing else", credential.WindowSpec{Cron: "TZ=UTC", Duration: time.Hour}},
		{"an interval", credential.WindowSpec{Cron: "@every 1h", Duration: time.Hour}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			if w, err := config.Window(test.spec); err == nil || w != nil {
				t.Errorf("got %v, %v, want an error and no window", w, err)
			}
		})
	}
}

func TestScheduleReadsCronAndIntervals(t *testing.T) {
	tests := []struct{ rule, spec, after, want string }{
		{"five fields are in UTC", "17 * * * *", "2026-01-01T10:17:00Z", "2026-01-01T11:17:00Z"},
		{"a zone in front", "CRON_TZ=Europe/Berlin 0 3 * * *", "2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z"},
		{"the short spelling of it", "TZ=Europe/Berlin 0 3 * * *", "2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z"},
		{"a descriptor", "@daily", "2026-01-01T10:00:00Z", "2026-01-02T00:00:00Z"},
		{"an interval", "@every 30s", "2026-01-01T10:00:01Z", "2026-01-01T10:00:30Z"},
		{"an interval of days", "@every 1d", "2026-01-01T10:00:00Z", "2026-01-02T00:00:00Z"},
		{"an interval at its own moment", "@every 30s", "2026-01-01T10:00:30Z", "2026-01-01T10:01:00Z"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s, err := config.Schedule(test.spec)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Next(at(t, test.after)); !got.Equal(at(t, test.want)) {
				t.Errorf("got %s, want %s", got.Format(time.RFC3339), test.want)
			}
		})
	}
}

func TestScheduleRefusesWhatTheLibraryPanicsOn(t *testing.T) {
	for _, spec := range []string{
		"", "TZ=UTC", "CRON_TZ=Europe/Berlin", "TZ=", "TZ= ", "CRON_TZ=Mars 0 3 * * *", "TZ=UTC TZ=UTC", "0 0 30 2 *",
		"@every", "@every 0s", "@every 10ms", "@every soon", "@yearlyish", "* * * * * *", "60 * * * *", "@reboot",
	} {
		t.Run(spec, func(t *testing.T) {
			if s, err := config.Schedule(spec); err == nil || s != nil {
				t.Errorf("got %v, %v, want an error and no schedule", s, err)
			}
		})
	}
}
