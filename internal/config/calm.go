package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// clock is a time of day.
var clock = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)

// digestForm is what "digest" may say.
var digestForm = regexp.MustCompile(`^(daily|weekly on (MON|TUE|WED|THU|FRI|SAT|SUN)) at (([01]\d|2[0-3]):([0-5]\d))$`)

// patterns are the formats that the schema knows as patterns.
func patterns() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{"clock": clock, "digest": digestForm}
}

func clockProblem(text string) (what, hint string) {
	if clock.MatchString(text) {
		return "", ""
	}
	return fmt.Sprintf("%q is not a time of day", text), `write "07:00", in quotes, as a clock of 24 hours shows it`
}

func digestProblem(text string) (what, hint string) {
	if digestForm.MatchString(text) {
		return "", ""
	}
	return fmt.Sprintf("%q says no moments", text), "write daily at 09:00, or weekly on MON at 09:00"
}

// cronAt is the cron expression of a time of day.
func cronAt(clock, days string) string {
	hour, minute, _ := strings.Cut(clock, ":")
	return fmt.Sprintf("%s %s * * %s", strings.TrimLeft(minute[:1], "0")+minute[1:], strings.TrimLeft(hour[:1], "0")+hour[1:], days)
}

// Timetable says when digests go out.
type Timetable interface {
	// Next returns the first moment after t.
	Next(t time.Time) time.Time
}

// Digests returns when the digests of an owner go out, in the owner's zone; nil = it gets none. Clock changes are treated as
// in a Window.
func (o Owner) Digests() Timetable {
	parts := digestForm.FindStringSubmatch(o.Digest)
	zone, err := loadZone(o.Timezone)
	if parts == nil || err != nil {
		return nil
	}
	days := parts[2]
	if days == "" {
		days = "*"
	}
	moments, err := parseCron(cronAt(parts[3], days), zone)
	if err != nil {
		return nil
	}
	return moments
}

// QuietHours are the quiet hours of an owner.
type QuietHours struct {
	begins wallCron
	to     time.Duration // since midnight
	next   bool          // they end on the next day
}

// QuietHours returns the quiet hours of an owner; ok is false where it has none.
func (o Owner) QuietHours() (hours QuietHours, ok bool) {
	if o.Quiet == nil || o.Quiet.problem() != "" {
		return QuietHours{}, false
	}
	zone, err := loadZone(o.Timezone)
	if err != nil {
		return QuietHours{}, false
	}
	begins, err := parseCron(cronAt(o.Quiet.From, o.Quiet.Days), zone)
	if err != nil {
		return QuietHours{}, false
	}
	to, err := time.Parse("15:04", o.Quiet.To)
	if err != nil {
		return QuietHours{}, false
	}
	midnight := time.Duration(to.Hour())*time.Hour + time.Duration(to.Minute())*time.Minute
	return QuietHours{begins, midnight, o.Quiet.To < o.Quiet.From}, true
}

// longestNight is more than quiet hours can last, with a change of the clock among them.
const longestNight = 26 * time.Hour

// End returns the end of the quiet hours that t lies in; zero = it lies in none.
func (q QuietHours) End(t time.Time) time.Time {
	for begin := q.begins.Next(t.Add(-longestNight)); !begin.IsZero() && !begin.After(t); begin = q.begins.Next(begin) {
		wall := asWall(begin.In(q.begins.zone))
		end := time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC).Add(q.to)
		if q.next {
			end = end.AddDate(0, 0, 1)
		}
		if at := instant(end, q.begins.zone); t.Before(at) {
			return at
		}
	}
	return time.Time{}
}

// problem says what keeps quiet hours from meaning anything; "" = nothing.
func (q *Quiet) problem() string {
	switch {
	case !clock.MatchString(q.From) || !clock.MatchString(q.To):
		return "is no time of day"
	case q.From == q.To:
		return "ends when it begins"
	}
	return ""
}

// toAdmins is the name of the admins in a ladder.
const toAdmins = "admins"

// ladders checks who is told next.
func (l *loader) ladders(s scope) {
	for _, name := range sortedKeys(l.config.Owners) {
		at := s.child(name).child("escalate")
		var last time.Duration
		for i, rung := range l.config.Owners[name].Escalate {
			here := at.index(i)
			if rung.After <= last {
				here.child("after").report("is no longer than before", "each rung comes later than the one before")
			}
			last = rung.After
			l.rung(here.child("to"), name, rung.To)
		}
	}
}

func (l *loader) rung(s scope, owner, to string) {
	_, known := l.config.Owners[to]
	switch {
	case to == owner:
		s.report("is the owner itself", "write another owner, or admins")
	case to == toAdmins && len(l.config.Admins.Email)+len(l.config.Admins.Channels) == 0:
		s.report("there are no admins", "write admins: {email: [NAME@EXAMPLE.COM]}")
	case to != toAdmins && !known && to != "":
		s.report(fmt.Sprintf("there is no owner %q", to), suggest(to, append(sortedKeys(l.config.Owners), toAdmins)))
	}
}

// events checks what an owner says about its calendar. public is the listener that feeds are read at.
func (o Owner) events(at scope, public Public) {
	switch {
	case o.Calendar == "feed" && !public.On():
		at.report("the team would have no calendar: it is read at listen.public, which is off", "write listen: {public: ...}, or calendar: publish")
	case o.Calendar == "request" && at.written() && o.Digests() != nil:
		at.warn("a digest holds its events in a file, and brings no invitations", "write calendar: publish")
	}
}

// calm checks what an owner says about when it wants to be told.
func (o Owner) calm(at scope) {
	digests := o.Digests()
	if o.Quiet == nil {
		return
	}
	quiet := at.child("quiet")
	if o.Quiet.problem() == "ends when it begins" {
		quiet.child("to").report("is when they begin", "quiet hours end before they begin again")
	}
	if _, err := parseCron("0 0 * * "+o.Quiet.Days, time.UTC); err != nil || strings.ContainsAny(o.Quiet.Days, " \t@") {
		quiet.child("days").report(fmt.Sprintf("%q are no days of the week", o.Quiet.Days), "write MON-FRI, or SAT,SUN")
		return
	}
	hours, ok := o.QuietHours()
	if !ok || digests == nil {
		return
	}
	if !hours.End(digests.Next(reference)).IsZero() {
		at.child("digest").warn("lies in the quiet hours", "it goes out when they end")
	}
}
