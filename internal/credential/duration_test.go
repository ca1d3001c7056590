package credential_test

import (
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

func TestParseDurationReadsUnitsAndISO8601(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		text string
		want time.Duration
	}{
		{"30d", 30 * day},
		{"2w", 14 * day},
		{"72h", 72 * time.Hour},
		{"40s", 40 * time.Second},
		{"1d12h", 36 * time.Hour},
		{"1.5h", 90 * time.Minute},
		{"0.5d", 12 * time.Hour},
		{"0", 0},
		{"0s", 0},
		{" 5m ", 5 * time.Minute},
		{"250ms", 250 * time.Millisecond},
		{"3us", 3 * time.Microsecond},
		{"3µs", 3 * time.Microsecond},
		{"7ns", 7},
		{"P30D", 30 * day},
		{"PT2H", 2 * time.Hour},
		{"P2W", 14 * day},
		{"P1DT12H", 36 * time.Hour},
		{"PT0.5S", 500 * time.Millisecond},
		{"PT1M", time.Minute},
		{"P1W1DT1H1M1S", 8*day + time.Hour + time.Minute + time.Second},
		{"9223372036854775807ns", 1<<63 - 1},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := credential.ParseDuration(test.text)
			if err != nil || got != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestParseDurationRefusesWhatHasNoFixedLength(t *testing.T) {
	for _, text := range []string{
		"", " ", "30", "d", "-3d", "+3d", "1y", "3 d", "3D", "1.d", "1e3s", "P", "PT", "P1Y", "P1M", "P1DT", "PD", "p30d", "P-1D", "1h30",
		"300000y", "9999999999d", "9223372036854775808ns", "9223372036s9223372036s", "P99999999999D", "PT99999999999999999999S",
	} {
		t.Run(text, func(t *testing.T) {
			if got, err := credential.ParseDuration(text); err == nil {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestFormatDurationUsesTheLargestUnits(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "40s": 40 * time.Second, "1h1ms": time.Hour + time.Millisecond,
		"-2h": -2 * time.Hour, "1us1ns": 1001,
	} {
		if got := credential.FormatDuration(d); got != want {
			t.Errorf("%d: got %s, want %s", d, got, want)
		}
	}
}

// Whatever can be read is never negative, and what is written of it is read as the same.
func FuzzDuration(f *testing.F) {
	for _, text := range []string{"30d", "P30D", "PT2H", "1d12h", "0", "1.5h", "P1W1DT1H1M1.5S", "9223372036854775807ns", "", "P", "99999999999d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := credential.ParseDuration(text)
		if err != nil {
			if err.Error() == "" {
				t.Error("the error says nothing")
			}
			return
		}
		again, err := credential.ParseDuration(credential.FormatDuration(d))
		if d < 0 || err != nil || again != d {
			t.Errorf("%q is %d, written %s, read as %d, %v", text, d, credential.FormatDuration(d), again, err)
		}
	})
}
