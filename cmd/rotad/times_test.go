package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rotad/rotad/templates"
)

func TestACommandCountsDaysAsAMailDoes(t *testing.T) {
	now := time.Date(2026, 11, 28, 15, 46, 33, 0, time.Local)
	for distance, want := range map[time.Duration]string{
		20*aDay - time.Second:   "in 20d",
		20 * aDay:               "in 20d",
		20*aDay + 8*time.Hour:   "in 20d",
		20*aDay + 9*time.Hour:   "in 21d",
		2 * aDay:                "in 2d",
		2*aDay - time.Second:    "in 47h",
		40 * time.Hour:          "in 40h",
		2*time.Hour - 1:         "in 119m",
		119 * time.Second:       "in 119s",
		0:                       "in 0s",
		-90 * time.Minute:       "90m ago",
		-2*aDay + time.Second:   "47h ago",
		-20*aDay - 15*time.Hour: "20d ago",
		-20*aDay - 16*time.Hour: "21d ago",
	} {
		at := now.Add(distance)
		got := away(at, now)
		if got != want {
			t.Errorf("%s: got %q, want %q", distance, got, want)
		}
		mail := templates.NewWhen(at, now, time.Local).Rel()
		if short := strings.Replace(mail, " days", "d", 1); strings.Contains(mail, "days") && short != got {
			t.Errorf("%s: a mail says %q, a command %q", distance, mail, got)
		}
	}
}
