package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Scan is a recurring moment.
type Scan interface {
	// Next returns the first moment after t; zero if there is none within five years.
	Next(t time.Time) time.Time
}

// Schedule reads the setting scan: a cron expression of five fields in UTC, one after "CRON_TZ=Zone " in that zone, or
// "@every" and a duration. Clock changes are treated as in a Window.
func Schedule(spec string) (Scan, error) {
	if interval, ok := strings.CutPrefix(spec, "@every"); ok {
		return parseEvery(interval)
	}
	zone := time.UTC
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		rest, ok := strings.CutPrefix(spec, prefix)
		if !ok {
			continue
		}
		name, fields, found := strings.Cut(rest, " ")
		if !found {
			return nil, fmt.Errorf("%q has no cron expression behind the zone", spec)
		}
		loaded, err := loadZone(name)
		if err != nil {
			return nil, err
		}
		zone, spec = loaded, strings.TrimSpace(fields)
	}
	schedule, err := parseCron(spec, zone)
	if err != nil {
		return nil, err
	}
	return schedule, nil
}

// every is true at each multiple of an interval of absolute time, so that a restart does not shift it.
type every time.Duration

func parseEvery(text string) (Scan, error) {
	d, err := credential.ParseDuration(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading @every: %w", err)
	case d < time.Second:
		return nil, errors.New("@every needs a second or more")
	}
	return every(d), nil
}

// Next returns the first multiple after t.
func (e every) Next(t time.Time) time.Time {
	return t.Truncate(time.Duration(e)).Add(time.Duration(e)).UTC()
}
