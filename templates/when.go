package templates

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

const day = 24 * time.Hour

// calendar are the words of a language for days and times.
type calendar struct {
	day, year, date, clock        string // layouts of package time: without a year, with one, in full, of a clock
	weekdays, months, shortMonths []string
	zones                         *strings.Replacer // zones that have a name of their own in this language
}

// What stands for the names in a layout while package time fills in the numbers.
const (
	aWeekday    = "\x01"
	aMonth      = "\x02"
	aShortMonth = "\x03"
)

// readCalendar reads the words for days and times out of the messages, and tries the plurals once, so that nothing can be
// missing when a moment is told.
func (l *Language) readCalendar() (calendar, error) {
	var wrong []error
	say := func(key string) string {
		text, err := l.say("when."+key, nil)
		wrong = append(wrong, err)
		return text
	}
	named := strings.NewReplacer("Mon", aWeekday, "January", aMonth, "Jan", aShortMonth)
	var zones []string
	for pair := range strings.FieldsSeq(say("zones")) {
		from, to, _ := strings.Cut(pair, "=")
		zones = append(zones, from, to)
	}
	c := calendar{
		day: named.Replace(say("day")), year: named.Replace(say("year")), date: named.Replace(say("date")), clock: say("clock"),
		weekdays: strings.Fields(say("weekdays")), months: strings.Fields(say("months")), shortMonths: strings.Fields(say("short_months")),
		zones: strings.NewReplacer(zones...),
	}
	if len(c.weekdays) != 7 || len(c.months) != 12 || len(c.shortMonths) != 12 {
		wrong = append(wrong, fmt.Errorf("%s/%s: a week has 7 days and a year 12 months: when.weekdays, when.months, when.short_months", messagesDir, l.tag))
	}
	for _, key := range []string{"in_days", "days_ago", "in_hours", "hours_ago", "in_minutes", "minutes_ago"} {
		for _, n := range []int{1, 2} {
			_, err := l.localize(&i18n.LocalizeConfig{MessageID: "when." + key, PluralCount: n})
			wrong = append(wrong, err)
		}
	}
	for _, key := range []string{"soon", "just_now", "tomorrow", "yesterday"} {
		say(key)
	}
	return c, errors.Join(wrong...)
}

// format writes a moment as a layout says, with the names of this language.
func (c calendar) format(at time.Time, layout string) string {
	text := at.Format(layout)
	text = strings.Replace(text, aWeekday, c.weekdays[at.Weekday()], 1)
	text = strings.Replace(text, aMonth, c.months[at.Month()-1], 1)
	return strings.Replace(text, aShortMonth, c.shortMonths[at.Month()-1], 1)
}

// When is a moment as people read it: in their own language and zone, with UTC beside it, and as a distance in calendar days.
// The zero value is "not known" and reads as the empty string.
type When struct {
	at, now time.Time
	lang    *Language
}

// NewWhen describes at in English; see Language.When.
func NewWhen(at, now time.Time, zone *time.Location) When { return english().When(at, now, zone) }

// When describes at for someone in zone (nil = UTC) who reads it at now. A zero at gives the zero When.
func (l *Language) When(at, now time.Time, zone *time.Location) When {
	if at.IsZero() {
		return When{}
	}
	if zone == nil {
		zone = time.UTC
	}
	return When{at.In(zone), now.In(zone), l.orEnglish()}
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
	c := w.lang.calendar
	if w.at.Year() != w.now.Year() {
		return c.format(w.at, c.year)
	}
	return c.format(w.at, c.day)
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
	c := w.lang.calendar
	local := c.format(w.at, c.date) + ", " + w.clock()
	utc := w.at.UTC()
	_, offset := w.at.Zone()
	switch {
	case offset == 0 && strings.HasSuffix(local, " UTC"):
		return local
	case utc.Day() != w.at.Day():
		return local + " (" + c.format(utc, c.day) + utc.Format(", 15:04 UTC)")
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
	return w.at.Format(w.lang.calendar.clock) + " " + w.lang.calendar.zones.Replace(zone)
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
		return w.count("days_ago", -days)
	case far:
		return w.count("in_days", days)
	case distance <= -day && days == -1:
		return w.say("yesterday")
	case distance < 0:
		return w.short(-distance, "hours_ago", "minutes_ago", "just_now")
	case distance >= 12*time.Hour && days == 1:
		return w.say("tomorrow")
	}
	return w.short(distance, "in_hours", "in_minutes", "soon")
}

// say and count cannot fail: reading the language has tried these messages.
func (w When) say(key string) string {
	text, _ := w.lang.Say("when."+key, nil)
	return text
}

func (w When) count(key string, n int) string {
	text, _ := w.lang.Count("when."+key, n, nil)
	return text
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
func (w When) short(d time.Duration, hours, minutes, less string) string {
	switch h, m := int(d.Hours()), int(d.Minutes()); {
	case m < 1:
		return w.say(less)
	case h < 1:
		return w.count(minutes, m)
	default:
		return w.count(hours, h)
	}
}

// Span says a length of time after "within", in the largest unit that leaves no rest.
func (l *Language) Span(d time.Duration) (string, error) {
	switch {
	case d%day == 0:
		return l.Count("span.days", int(d/day), nil)
	case d%time.Hour == 0:
		return l.Count("span.hours", int(d/time.Hour), nil)
	}
	return l.Count("span.minutes", int((d+time.Minute-1)/time.Minute), nil)
}
