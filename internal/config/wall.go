package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones must exist in an image without them

	"github.com/robfig/cron/v3"
)

// wallCron is a cron expression over the wall clock of a zone. The cron library walks instants, and therefore leaves
// out local times that a clock change skips and repeats those that it repeats. Here it walks wall times, written as if
// they were UTC, and each of them is mapped to one instant: a skipped one to the moment of the change, a repeated one
// to its first occurrence. That mapping never decreases, so the order of wall times is the order of instants.
type wallCron struct {
	schedule *cron.SpecSchedule
	zone     *time.Location
}

// parseCron reads five fields or a descriptor such as @daily. It never passes a zone prefix on: the library panics on
// some of them.
func parseCron(spec string, zone *time.Location) (w wallCron, err error) {
	defer func() {
		if recover() != nil {
			w, err = wallCron{}, fmt.Errorf("%q is not a cron expression", spec)
		}
	}()
	if strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ=") {
		return wallCron{}, fmt.Errorf("%q names a zone in the wrong place", spec)
	}
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		return wallCron{}, fmt.Errorf("%q is not a cron expression: %s", spec, strings.TrimSuffix(err.Error(), ": "+spec))
	}
	fields, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return wallCron{}, errors.New("a window opens at times of the day, not every so often")
	}
	fields.Location = time.UTC
	w = wallCron{fields, zone}
	if w.Next(reference).IsZero() {
		return wallCron{}, fmt.Errorf("%q never comes true", spec)
	}
	return w, nil
}

// reference is where calendars are tried out. Being in a leap year, it finds 29 February at once.
var reference = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// Next returns the first instant after t at which the expression is true; zero if there is none within five years.
func (w wallCron) Next(t time.Time) time.Time {
	wall := asWall(t.In(w.zone))
	for {
		wall = w.schedule.Next(wall)
		if wall.IsZero() {
			return time.Time{}
		}
		if at := instant(wall, w.zone); at.After(t) {
			return at
		}
	}
}

// asWall returns what the wall clock shows at t, as if it were UTC.
func asWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant maps a wall time to the first moment at which the clocks of a zone have reached it.
func instant(wall time.Time, zone *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	begin, end := t.ZoneBounds()
	switch shown := asWall(t); {
	case shown.After(wall): // skipped, and t lies behind the change
		return begin.UTC()
	case shown.Before(wall): // skipped, and t lies before the change
		return end.UTC()
	}
	if begin.IsZero() {
		return t.UTC()
	}
	before := begin.Add(-time.Nanosecond).In(zone)
	_, offset := before.Zone()
	earlier := wall.Add(-time.Duration(offset) * time.Second)
	if earlier.Before(begin) && asWall(earlier.In(zone)).Equal(wall) {
		return earlier.UTC()
	}
	return t.UTC()
}
