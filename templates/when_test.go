package templates_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/templates"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestWhenSaysDaysInTheReadersZone(t *testing.T) {
	berlin, auckland := zone(t, "Europe/Berlin"), zone(t, "Pacific/Auckland")
	dubai := zone(t, "Asia/Dubai")
	now := time.Date(2026, 12, 13, 9, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		at                    time.Time
		zone                  *time.Location
		full, short, day, rel string
	}{
		"a week ahead in winter": {
			time.Date(2026, 12, 20, 9, 0, 0, 0, time.UTC), berlin,
			"Sun 20 Dec 2026, 10:00 CET (09:00 UTC)", "Sun 20 Dec, 10:00 CET", "Sun 20 Dec", "in 7 days",
		},
		"summer time": {
			time.Date(2027, 7, 1, 9, 0, 0, 0, time.UTC), berlin,
			"Thu 1 Jul 2027, 11:00 CEST (09:00 UTC)", "Thu 1 Jul 2027, 11:00 CEST", "Thu 1 Jul 2027", "in 200 days",
		},
		"the day before in UTC": {
			time.Date(2026, 12, 15, 20, 0, 0, 0, time.UTC), auckland,
			"Wed 16 Dec 2026, 09:00 NZDT (Tue 15 Dec, 20:00 UTC)", "Wed 16 Dec, 09:00 NZDT", "Wed 16 Dec", "in 3 days",
		},
		"a zone without a name": {
			time.Date(2026, 12, 15, 9, 0, 0, 0, time.UTC), dubai,
			"Tue 15 Dec 2026, 13:00 UTC+04 (09:00 UTC)", "Tue 15 Dec, 13:00 UTC+04", "Tue 15 Dec", "in 2 days",
		},
		"no zone is UTC": {
			time.Date(2026, 12, 15, 9, 0, 0, 0, time.UTC), nil,
			"Tue 15 Dec 2026, 09:00 UTC", "Tue 15 Dec, 09:00 UTC", "Tue 15 Dec", "in 2 days",
		},
		"nothing known": {time.Time{}, berlin, "", "", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := templates.NewWhen(tt.at, now, tt.zone)
			for what, pair := range map[string][2]string{
				"full": {w.Full(), tt.full}, "short": {w.Short(), tt.short}, "day": {w.Day(), tt.day}, "rel": {w.Rel(), tt.rel},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
				}
			}
		})
	}
}

func TestWhenNeverPromisesMoreTimeThanThereIs(t *testing.T) {
	now := time.Date(2026, 12, 13, 9, 0, 0, 0, time.UTC)
	for distance, want := range map[time.Duration]string{
		30 * time.Second:                "in less than a minute",
		90 * time.Second:                "in 1 minute",
		59*time.Minute + 59*time.Second: "in 59 minutes",
		119 * time.Minute:               "in 1 hour",
		11 * time.Hour:                  "in 11 hours",
		14 * time.Hour:                  "in 14 hours", // the same day
		16 * time.Hour:                  "tomorrow",
		30 * time.Hour:                  "tomorrow",
		40 * time.Hour:                  "in 40 hours",
		48 * time.Hour:                  "in 2 days",
		-30 * time.Second:               "less than a minute ago",
		-3 * time.Hour:                  "3 hours ago",
		-25 * time.Hour:                 "yesterday",
		-40 * time.Hour:                 "40 hours ago",
		-50 * time.Hour:                 "2 days ago",
	} {
		w := templates.NewWhen(now.Add(distance), now, nil)
		if got := w.Rel(); got != want {
			t.Errorf("%v: got %q, want %q", distance, got, want)
		}
		if w.Past() != (distance <= 0) {
			t.Errorf("%v: past is %v", distance, w.Past())
		}
	}
}

func TestDaysAreCalendarDaysAcrossTheChangeOfTheClocks(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	now := time.Date(2027, 3, 27, 12, 0, 0, 0, berlin) // the clocks change on the 28th
	w := templates.NewWhen(time.Date(2027, 3, 30, 12, 0, 0, 0, berlin), now, berlin)
	if got := w.Rel(); got != "in 3 days" {
		t.Errorf("71 hours that span three midnights: got %q", got)
	}
}
