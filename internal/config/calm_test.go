package config_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/config"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestDigestsKeepToTheClockOfTheTeam(t *testing.T) {
	for name, tt := range map[string]struct{ digest, zone, after, want string }{
		"later today":                 {"daily at 09:00", "Europe/Berlin", "2026-12-06T07:59:59Z", "2026-12-06T08:00:00Z"},
		"tomorrow":                    {"daily at 09:00", "Europe/Berlin", "2026-12-06T08:00:00Z", "2026-12-07T08:00:00Z"},
		"in summer":                   {"daily at 09:00", "Europe/Berlin", "2026-07-06T00:00:00Z", "2026-07-06T07:00:00Z"},
		"on Monday":                   {"weekly on MON at 08:05", "UTC", "2026-12-07T08:05:00Z", "2026-12-14T08:05:00Z"},
		"an hour that does not exist": {"daily at 02:30", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		"midnight":                    {"daily at 00:00", "Asia/Tokyo", "2026-12-06T15:00:00Z", "2026-12-07T15:00:00Z"},
	} {
		digests := config.Owner{Digest: tt.digest, Timezone: tt.zone}.Digests()
		if got := digests.Next(moment(t, tt.after)); !got.Equal(moment(t, tt.want)) {
			t.Errorf("%s: got %v, want %s", name, got, tt.want)
		}
	}
	if (config.Owner{}).Digests() != nil {
		t.Error("an owner without digest has one")
	}
}

func TestQuietHours(t *testing.T) {
	night, workdays := config.Quiet{From: "20:00", To: "07:00", Days: "*"}, config.Quiet{From: "20:00", To: "07:00", Days: "SUN-THU"}
	lunch := config.Quiet{From: "12:00", To: "13:30", Days: "*"}
	for name, tt := range map[string]struct {
		quiet    config.Quiet
		at, want string
	}{
		"before":                       {night, "2026-12-06T18:59:59Z", ""},
		"begins":                       {night, "2026-12-06T19:00:00Z", "2026-12-07T06:00:00Z"},
		"after midnight":               {night, "2026-12-07T03:00:00Z", "2026-12-07T06:00:00Z"},
		"has ended":                    {night, "2026-12-07T06:00:00Z", ""},
		"on a Sunday evening":          {workdays, "2026-12-06T22:00:00Z", "2026-12-07T06:00:00Z"},
		"on a Friday evening":          {workdays, "2026-12-04T22:00:00Z", ""},
		"at noon":                      {lunch, "2026-12-04T11:30:00Z", "2026-12-04T12:30:00Z"},
		"after noon":                   {lunch, "2026-12-04T12:30:00Z", ""},
		"the night that loses an hour": {night, "2026-03-28T20:00:00Z", "2026-03-29T05:00:00Z"},
		"the night that has one more":  {night, "2026-10-24T18:30:00Z", "2026-10-25T06:00:00Z"},
	} {
		hours, ok := config.Owner{Quiet: &tt.quiet, Timezone: "Europe/Berlin"}.QuietHours()
		if got := hours.End(moment(t, tt.at)); !ok || !got.Equal(moment(t, tt.want)) {
			t.Errorf("%s: got %v, %v, want %s", name, got, ok, tt.want)
		}
	}
}
