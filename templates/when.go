package templates

import (
	"fmt"
	"strings"
	"time"
)

const (
	day        = 24 * time.Hour
	dayFormat  = "Mon 2 Jan"
	yearFormat = "Mon 2 Jan 2006"
)

// When is a moment as people read it: in their own zone, with UTC beside it, and as a distance in calendar days. The
// zero value is "not known" and reads as the empty string.
type When struct {
	at, now time.Time
}

// NewWhen describes at for someone in zone (nil = UTC) who reads it at now. A zero at gives the zero When.
func NewWhen(at, now time.Time, zone *time.Location) When {
	if at.IsZero() {
		return When{}
	}
	if zone == nil {
		zone = time.UTC
	}
	return When{at: at.In(zone), now: now.In(zone)}
}

// Known says whether there is a moment.
func (w When) Known() bool { return !w.at.IsZero() }

// Past says whether the moment has passed.
func (w When) Past() bool { return w.Known() && !w.now.Before(w.at) }

// Day returns "Sun 20 Dec", with the year where it is not the reader's.
func (w When) Day() string {
	if !w.Known() {
		return ""
	}
	if w.at.Year() != w.now.Year() {
		return w.at.Format(yearFormat)
	}
	return w.at.Format(dayFormat)
}

// Short returns "Sun 20 Dec, 10:00 CET".
func (w When) Short() string {
	if !w.Known() {
		return ""
	}
	return w.Day() + ", " + w.clock()
}

// Full returns "Sun 20 Dec 2026, 10:00 CET (09:00 UTC)". UTC shows its own day where that is another one.
func (w When) Full() string {
	if !w.Known() {
		return ""
	}
	local := w.at.Format(yearFormat) + ", " + w.clock()
	utc := w.at.UTC()
	_, offset := w.at.Zone()
	switch {
	case offset == 0 && strings.HasSuffix(local, " UTC"):
		return local
	case utc.Day() != w.at.Day():
		return local + utc.Format(" ("+dayFormat+", 15:04 UTC)")
	}
	return local + utc.Format(" (15:04 UTC)")
}

// String returns Full.
func (w When) String() string { return w.Full() }

func (w When) clock() string {
	zone := w.at.Format("MST")
	if strings.HasPrefix(zone, "+") || strings.HasPrefix(zone, "-") {
		zone = "UTC" + zone
	}
	return w.at.Format("15:04 ") + zone
}

// Rel returns the distance as people say it: "in 7 days", "tomorrow", "in 5 hours", "2 hours ago". Days are those of Days.
func (w When) Rel() string {
	if !w.Known() {
		return ""
	}
	distance := w.at.Sub(w.now)
	days, far := Days(w.now, w.at)
	switch {
	case far && distance < 0:
		return fmt.Sprintf("%d days ago", -days)
	case far:
		return fmt.Sprintf("in %d days", days)
	case distance <= -day && days == -1:
		return "yesterday"
	case distance < 0:
		return short(-distance) + " ago"
	case distance >= 12*time.Hour && days == 1:
		return "tomorrow"
	}
	return "in " + short(distance)
}

// Days counts the midnights between two moments in the zone of the first: the days of a calendar, so that a distance agrees
// with the date beside it. From two days on they are what people are told (far), in mails and on the command line alike;
// below that hours tell more, because a midnight too many would promise time that there is not.
func Days(now, at time.Time) (n int, far bool) {
	at = at.In(now.Location())
	a := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	b := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	return int(b.Sub(a) / day), at.Sub(now).Abs() >= 2*day
}

// short names a distance below a day or so in hours or minutes, rounded down so that nobody is promised more time than
// there is.
func short(d time.Duration) string {
	switch hours, minutes := int(d.Hours()), int(d.Minutes()); {
	case minutes < 1:
		return "less than a minute"
	case minutes == 1:
		return "1 minute"
	case hours < 1:
		return fmt.Sprintf("%d minutes", minutes)
	case hours == 1:
		return "1 hour"
	default:
		return fmt.Sprintf("%d hours", hours)
	}
}
