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

// The same moments in German: names of days and months, the zone as people there call it, and the numbers' own forms.
func TestWhenSpeaksGerman(t *testing.T) {
	german := parse(t).Language("de")
	berlin, auckland := zone(t, "Europe/Berlin"), zone(t, "Pacific/Auckland")
	now := time.Date(2026, 12, 13, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		at              time.Time
		zone            *time.Location
		full, short, in string
	}{
		{time.Date(2026, 12, 20, 9, 0, 0, 0, time.UTC), berlin, "So., 20. Dezember 2026, 10:00 MEZ (09:00 UTC)", "So., 20. Dez., 10:00 MEZ", "in 7 Tagen"},
		{time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC), berlin, "Mo., 1. März 2027, 10:00 MEZ (09:00 UTC)", "Mo., 1. März 2027, 10:00 MEZ", "in 78 Tagen"},
		{time.Date(2027, 7, 1, 9, 0, 0, 0, time.UTC), berlin, "Do., 1. Juli 2027, 11:00 MESZ (09:00 UTC)", "Do., 1. Juli 2027, 11:00 MESZ", "in 200 Tagen"},
		{time.Date(2026, 12, 15, 20, 0, 0, 0, time.UTC), auckland, "Mi., 16. Dezember 2026, 09:00 NZDT (Di., 15. Dez., 20:00 UTC)", "Mi., 16. Dez., 09:00 NZDT", "in 3 Tagen"},
		{time.Date(2026, 12, 11, 9, 0, 0, 0, time.UTC), nil, "Fr., 11. Dezember 2026, 09:00 UTC", "Fr., 11. Dez., 09:00 UTC", "vor 2 Tagen"},
		{time.Date(2026, 12, 14, 9, 0, 0, 0, time.UTC), nil, "Mo., 14. Dezember 2026, 09:00 UTC", "Mo., 14. Dez., 09:00 UTC", "morgen"},
		{time.Date(2026, 12, 12, 8, 0, 0, 0, time.UTC), nil, "Sa., 12. Dezember 2026, 08:00 UTC", "Sa., 12. Dez., 08:00 UTC", "gestern"},
		{now.Add(90 * time.Minute), nil, "So., 13. Dezember 2026, 10:30 UTC", "So., 13. Dez., 10:30 UTC", "in 1 Stunde"},
		{now.Add(time.Minute), nil, "So., 13. Dezember 2026, 09:01 UTC", "So., 13. Dez., 09:01 UTC", "in 1 Minute"},
		{now.Add(-5 * time.Minute), nil, "So., 13. Dezember 2026, 08:55 UTC", "So., 13. Dez., 08:55 UTC", "vor 5 Minuten"},
		{now.Add(time.Second), nil, "So., 13. Dezember 2026, 09:00 UTC", "So., 13. Dez., 09:00 UTC", "in weniger als einer Minute"},
	} {
		w := german.When(tt.at, now, tt.zone)
		if w.Full() != tt.full || w.Short() != tt.short || w.Rel() != tt.in {
			t.Errorf("got %q, %q, %q, want %q, %q, %q", w.Full(), w.Short(), w.Rel(), tt.full, tt.short, tt.in)
		}
	}
}

func TestASpanIsSaidInItsLargestUnit(t *testing.T) {
	set := parse(t)
	for span, want := range map[time.Duration][2]string{
		48 * time.Hour: {"2 days", "2 Tagen"}, 24 * time.Hour: {"1 day", "1 Tag"}, 36 * time.Hour: {"36 hours", "36 Stunden"},
		time.Hour: {"1 hour", "1 Stunde"}, 90 * time.Minute: {"90 minutes", "90 Minuten"}, 20 * time.Second: {"1 minute", "1 Minute"},
	} {
		english, errE := set.Language("en").Span(span)
		german, errG := set.Language("de").Span(span)
		if errE != nil || errG != nil || english != want[0] || german != want[1] {
			t.Errorf("%v: %q, %q, want %q", span, english, german, want)
		}
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
