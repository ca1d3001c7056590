package years_test

import (
	"slices"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// opening is a window as a person would write it down: at a time of the day, on some days of the week or of the year, in
// a zone. The judge finds out by itself whether it is open, without the cron expression and without its library.
type opening struct {
	spec     credential.WindowSpec
	hour     int
	minute   int
	weekdays []time.Weekday // none = every day
	leapDay  bool           // on 29 February only
	zone     *time.Location

	mu    *sync.Mutex
	known map[string]time.Time // by local date: when it opens
}

func newOpening(cron, zone string, length time.Duration, hour, minute int, weekdays ...time.Weekday) opening {
	loaded, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	return opening{
		spec: credential.WindowSpec{Cron: cron, Duration: length, Timezone: zone}, hour: hour, minute: minute,
		weekdays: weekdays, zone: loaded, mu: &sync.Mutex{}, known: map[string]time.Time{},
	}
}

// openings are the windows of the fleets: zones that change their clocks at night by an hour and by half of one, at
// midnight, no longer, and never; and one that opens every fourth year.
func openings() []opening {
	leap := newOpening("0 9 29 2 *", "UTC", 24*time.Hour, 9, 0)
	leap.leapDay = true
	return []opening{
		newOpening("0 9 * * MON-THU", "Europe/Berlin", 6*time.Hour, 9, 0, time.Monday, time.Tuesday, time.Wednesday, time.Thursday),
		newOpening("30 2 * * *", "America/New_York", 2*time.Hour, 2, 30),
		newOpening("15 2 * * SUN", "Australia/Lord_Howe", 3*time.Hour, 2, 15, time.Sunday),
		newOpening("0 22 * * *", "Asia/Kolkata", 90*time.Minute, 22, 0),
		newOpening("0 0 * * SAT,SUN", "America/Sao_Paulo", 4*time.Hour, 0, 0, time.Saturday, time.Sunday),
		newOpening("45 1 * * MON", "Pacific/Apia", 5*time.Hour, 1, 45, time.Monday),
		newOpening("30 1 * * *", "Europe/London", time.Hour, 1, 30),
		newOpening("0 0 * * *", "Africa/Cairo", 2*time.Hour, 0, 0),
		leap,
	}
}

// opens returns the first moment of a local day at which the clocks there have reached the opening's time; ok is false
// on other days.
func (o opening) opens(date time.Time) (time.Time, bool) {
	if o.leapDay && (date.Month() != time.February || date.Day() != 29) ||
		len(o.weekdays) > 0 && !slices.Contains(o.weekdays, date.Weekday()) {
		return time.Time{}, false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	key := date.Format(time.DateOnly)
	at, ok := o.known[key]
	if !ok {
		if len(o.known) > 64 { // the years go by: nobody asks for an old day again
			clear(o.known)
		}
		at = o.search(date)
		o.known[key] = at
	}
	return at, true
}

// search walks minutes, beginning well before the day: whatever the zone did with its clocks, the first minute at which
// they show this date and the time, or a later one, is the one.
func (o opening) search(date time.Time) time.Time {
	t := time.Date(date.Year(), date.Month(), date.Day(), o.hour, o.minute, 0, 0, time.UTC).Add(-16 * time.Hour)
	want := date.Format(time.DateOnly) + time.Date(0, 1, 1, o.hour, o.minute, 0, 0, time.UTC).Format(" 15:04")
	for t.In(o.zone).Format("2006-01-02 15:04") < want {
		step := time.Minute
		if t.Add(3*time.Hour).In(o.zone).Format("2006-01-02 15:04") < want {
			step = time.Hour
		}
		t = t.Add(step)
	}
	return t
}

// open says whether the window is open at a moment.
func (o opening) open(t time.Time) bool {
	if o.spec.IsZero() {
		return true
	}
	local := t.In(o.zone)
	for back := 0; back <= 2; back++ {
		date := time.Date(local.Year(), local.Month(), local.Day()-back, 12, 0, 0, 0, time.UTC)
		if at, ok := o.opens(date); ok && !t.Before(at) && t.Before(at.Add(o.spec.Duration)) {
			return true
		}
	}
	return false
}

// next returns the first moment not before t at which the window is open.
func (o opening) next(t time.Time) time.Time {
	if o.open(t) {
		return t
	}
	local := t.In(o.zone)
	for ahead := 0; ; ahead++ {
		date := time.Date(local.Year(), local.Month(), local.Day()+ahead, 12, 0, 0, 0, time.UTC)
		if at, ok := o.opens(date); ok && !at.Before(t) {
			return at
		}
	}
}
