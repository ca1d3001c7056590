package http

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// Units of a number that is a time.
const (
	unitAuto         = "auto"
	unitSeconds      = "seconds"
	unitMilliseconds = "milliseconds"
	unitLifetime     = "lifetime"
)

// Bounds of times that are believed. Outside them a number is no time, or a date means "none".
const (
	earliest   = 946684800   // 2000-01-01, in seconds
	latest     = 32503680000 // 3000-01-01, in seconds; larger numbers are milliseconds
	zoneless   = "2006-01-02T15:04:05.999999999"
	thousandth = 1000
	longest    = 100 * 365 * 24 * 3600 // of a lifetime, in seconds
)

// when is a time as an answer says it.
type when struct {
	at   time.Time // zero = it is not said, or cannot be read
	none bool      // it is said that there is none: null, 0, an empty text, the year 1
}

// moment reads the time at a place. From is what a lifetime is counted from; zero = not known.
func (p place) moment(d document, unit string, from time.Time) when {
	var out when
	_, _ = p.find(d, func(node any) bool {
		if none(node) {
			out.none = true
			return true
		}
		out.at = instant(node, unit, from)
		return !out.at.IsZero()
	})
	return out
}

// none says whether a value states that there is no time. A time before 2000 is one that was never set.
func none(node any) bool {
	if empty(node) {
		return true
	}
	text := written(node)
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return n <= 0
	}
	t, err := parseTime(text)
	return err == nil && t.Unix() < earliest
}

// instant reads a time: RFC 3339, the same without a zone (taken as UTC), or a number in the unit, also one that is
// written as a text. Zero = it is none of these.
func instant(node any, unit string, from time.Time) time.Time {
	text := written(node)
	if _, number := node.(json.Number); !number {
		if t, err := parseTime(text); err == nil {
			return believed(t)
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.Abs(n) > latest*thousandth {
		return time.Time{}
	}
	switch {
	case unit == unitLifetime && (from.IsZero() || n > longest):
		return time.Time{}
	case unit == unitLifetime:
		return believed(from.Add(time.Duration(n * float64(time.Second))))
	case unit == unitMilliseconds, unit != unitSeconds && n >= latest:
		n /= thousandth
	}
	whole, part := math.Modf(n)
	return believed(time.Unix(int64(whole), int64(math.Round(part*thousandth))*int64(time.Millisecond)))
}

func parseTime(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t, err = time.Parse(zoneless, text)
	}
	return t, err
}

func believed(t time.Time) time.Time {
	if t.Unix() < earliest || t.Unix() >= latest {
		return time.Time{}
	}
	return t.UTC()
}
