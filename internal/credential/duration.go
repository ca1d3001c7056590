package credential

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var isoDuration = regexp.MustCompile(`^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)

// ParseDuration reads "30d", "2w", "72h", "1d12h" and ISO 8601 ("P30D", "PT2H", "P2W"). A day has 24 hours. Years and
// months of ISO 8601 are refused: their length is not fixed. Negative durations are refused.
func ParseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return 0, errors.New("empty duration")
	case s == "0":
		return 0, nil
	case strings.HasPrefix(s, "P"):
		return parseISODuration(s)
	}
	return parseUnits(s)
}

func parseISODuration(s string) (time.Duration, error) {
	m := isoDuration.FindStringSubmatch(s)
	if m == nil || s == "P" || strings.HasSuffix(s, "T") {
		return 0, fmt.Errorf("%q is not an ISO 8601 duration such as P30D or PT2H", s)
	}
	if m[1] != "" || m[2] != "" {
		return 0, fmt.Errorf("%q: years and months have no fixed length; write days (P30D)", s)
	}
	units := []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second}
	var total time.Duration
	for i, unit := range units {
		d, err := multiply(m[i+3], unit)
		if err != nil {
			return 0, err
		}
		if total += d; total < 0 {
			return 0, fmt.Errorf("%q is too long", s)
		}
	}
	return total, nil
}

var unitPair = regexp.MustCompile(`^(\d+(?:\.\d+)?)(ms|us|µs|ns|w|d|h|m|s)`)

var unitLength = map[string]time.Duration{
	"w": 7 * day, "d": day, "h": time.Hour, "m": time.Minute, "s": time.Second,
	"ms": time.Millisecond, "us": time.Microsecond, "µs": time.Microsecond, "ns": time.Nanosecond,
}

func parseUnits(s string) (time.Duration, error) {
	var total time.Duration
	for rest := s; rest != ""; {
		m := unitPair.FindStringSubmatch(rest)
		if m == nil {
			return 0, fmt.Errorf("%q is not a duration such as 30d, 2w, 72h or P30D", s)
		}
		d, err := multiply(m[1], unitLength[m[2]])
		if err != nil {
			return 0, err
		}
		if total += d; total < 0 {
			return 0, fmt.Errorf("%q is too long", s)
		}
		rest = rest[len(m[0]):]
	}
	return total, nil
}

func multiply(number string, unit time.Duration) (time.Duration, error) {
	if number == "" {
		return 0, nil
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		if n > int64(1<<63-1)/int64(unit) {
			return 0, fmt.Errorf("%s is too long for a duration", number)
		}
		return time.Duration(n) * unit, nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*float64(unit) >= float64(1<<63-1) {
		return 0, fmt.Errorf("%s is not a number that a duration can hold", number)
	}
	return time.Duration(f * float64(unit)), nil
}

// FormatDuration writes a duration the way ParseDuration reads it, in the largest units: "30d", "1d12h", "40s".
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	if days := d / day; days > 0 {
		fmt.Fprintf(&b, "%dd", days)
		d -= days * day
	}
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "us"}, {time.Nanosecond, "ns"}} {
		if n := d / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.unit
		}
	}
	return b.String()
}
