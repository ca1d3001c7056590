package rotation_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// A notice is answered once, whatever with, and never about another secret than the present one.
func TestANoticeIsAnsweredOnceAndInTime(t *testing.T) {
	noted := noon().Add(-time.Hour + 789*time.Nanosecond) // links write no nanoseconds
	for name, tt := range map[string]struct {
		about  rotation.About
		change func(*credential.Record)
		want   error
	}{
		"a warning":                     {rotation.About{Noted: noted, Ends: noon().Add(20 * day)}, nil, nil},
		"as a link writes it":           {rotation.About{Noted: noted.Truncate(time.Microsecond), Ends: noon().Add(20 * day)}, func(r *credential.Record) { r.Since = noted }, nil},
		"not about the end":             {rotation.About{Noted: noted}, nil, nil},
		"another end":                   {rotation.About{Noted: noted, Ends: noon().Add(19 * day)}, nil, rotation.ErrOutdated},
		"no end any more":               {rotation.About{Noted: noted, Ends: noon().Add(20 * day)}, func(r *credential.Record) { r.Current.Never = true }, rotation.ErrOutdated},
		"of an earlier registration":    {rotation.About{Noted: noon().Add(-31 * day)}, nil, rotation.ErrOutdated},
		"of a client that leaves":       {rotation.About{Noted: noted}, func(r *credential.Record) { r.Leaving = true }, rotation.ErrOutdated},
		"answered":                      {rotation.About{Noted: noted}, func(r *credential.Record) { r.Answered = noted.Truncate(time.Microsecond) }, rotation.ErrAnswered},
		"a later one is answered":       {rotation.About{Noted: noted}, func(r *credential.Record) { r.Answered = noon() }, rotation.ErrAnswered},
		"an earlier one is answered":    {rotation.About{Noted: noted}, func(r *credential.Record) { r.Answered = noted.Add(-time.Minute) }, nil},
		"answered by a command instead": {rotation.About{Noted: noted}, func(r *credential.Record) { r.Request.Acked = noon() }, nil},
	} {
		rec := steady(20 * day)
		if tt.change != nil {
			tt.change(&rec)
		}
		by := rotation.Person{Name: "mail:alice@example.com"}
		d, err := rotation.Answer(tt.about, rotation.Ack)(rec, by, env(noon(), policy()))
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if err != nil {
			continue
		}
		if d.Audit[0].Event != credential.EventAcked || d.Audit[0].Actor != by.Name || !d.Record.Request.Acked.Equal(noon()) {
			t.Errorf("%s: %+v", name, d.Audit)
		}
		for _, other := range []rotation.Wish{rotation.Ack, rotation.Snooze(noon().Add(7 * day))} {
			if _, err := rotation.Answer(tt.about, other)(d.Record, by, env(noon(), policy())); !errors.Is(err, rotation.ErrAnswered) {
				t.Errorf("%s: a second answer is taken (%v)", name, err)
			}
		}
	}
}

// What a wish refuses stays unanswered.
func TestARefusedAnswerIsNone(t *testing.T) {
	rec := steady(20 * day)
	about := rotation.About{Noted: noon().Add(-time.Hour)}
	if _, err := rotation.Answer(about, rotation.Snooze(noon()))(rec, rotation.Person{}, env(noon(), policy())); err == nil {
		t.Error("a snooze into the past is taken")
	}
	if err := about.Open(&rec); err != nil {
		t.Error(err)
	}
}
