package years_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
)

// live lets a fleet live through its plan: what the timetable says happens, once a day people do their part and every
// client is looked at.
func (f *fleet) live(ctx context.Context) error {
	if err := f.boot(ctx); err != nil {
		return err
	}
	if err := f.register(ctx); err != nil {
		return err
	}
	for _, h := range timetable(f.chance, f.length(), len(f.tenants), f.only) {
		f.days(ctx, f.begin().Add(h.at))
		if f.over.Load() {
			break
		}
		if err := f.befall(ctx, h); err != nil {
			return fmt.Errorf("at %s, %s: %w", f.clocks.truth().Format(time.DateTime), h.what, err)
		}
	}
	f.days(ctx, f.begin().Add(f.length()))
	return f.rest(ctx)
}

func (f *fleet) begin() time.Time { return f.clocks.origin }

// days passes the time until a moment, a day at a time.
func (f *fleet) days(ctx context.Context, until time.Time) {
	for !f.over.Load() && f.clocks.truth().Before(until) {
		<-time.After(min(day, until.Sub(f.clocks.truth())))
		f.people(ctx)
		<-time.After(time.Minute) // what expires at this very moment has been told by then
		f.daily()
	}
}

// daily looks at every client. What has waited for the daemon to come back gets its time first.
func (f *fleet) daily() {
	if f.clocks.truth().Sub(f.changed()) < settle {
		return
	}
	for _, a := range f.order {
		a.mu.Lock()
		f.judge.moment(a)
		f.judge.silent(a)
		a.mu.Unlock()
	}
}

// rest lets everything come to its end, and asks what must be true then.
func (f *fleet) rest(ctx context.Context) error {
	f.days(ctx, f.clocks.truth().Add(60*day))
	if f.over.Load() {
		return f.shut()
	}
	for _, a := range f.order {
		a.mu.Lock()
		v := f.judge.view(a)
		if v.Record.Rotation == nil || f.clocks.truth().Sub(v.Record.Rotation.Started) > 60*day {
			for _, b := range oracle.Quiet(v) {
				f.judge.violate(a, "at the end: %s", b)
			}
		}
		a.mu.Unlock()
	}
	entries, err := f.running.store.VerifyAudit(ctx)
	if err != nil || entries == 0 {
		return fmt.Errorf("verifying %d entries of the audit: %w", entries, err)
	}
	if err := f.running.store.Check(ctx); err != nil {
		return err
	}
	return f.shut()
}

// befall lets one thing happen from its beginning to its end.
func (f *fleet) befall(ctx context.Context, h happening) error {
	switch h.what {
	case providerAway:
		f.pass(ctx, f.tenants[f.providers()[h.which]].away, h.lasts)
	case vaultAway:
		f.pass(ctx, f.vault.away, h.lasts)
	case mailAway:
		f.pass(ctx, f.mail.away, h.lasts)
	case restarts:
		return f.restart(ctx, h.lasts)
	case suspends:
		from := f.clocks.truth()
		f.clocks.slept.Add(int64(h.lasts))
		f.machine.note(span{from, f.clocks.truth()})
		f.changes()
	case jumps:
		f.jump(ctx, h)
	case nothing:
	}
	return nil
}

func (f *fleet) pass(ctx context.Context, o *outage, d time.Duration) {
	o.begin()
	f.days(ctx, f.clocks.truth().Add(d))
	o.end()
}

func (f *fleet) restart(ctx context.Context, down time.Duration) error {
	from := f.clocks.truth()
	if err := f.shut(); err != nil {
		return err
	}
	<-time.After(down)
	if err := f.boot(ctx); err != nil {
		return err
	}
	f.machine.note(span{from, f.clocks.truth()})
	return nil
}

// jump lets the wall clock be wrong for a while.
func (f *fleet) jump(ctx context.Context, h happening) {
	from := f.clocks.truth()
	f.mu.Lock()
	f.wrong = append(f.wrong, span{from: from, to: from.Add(h.lasts)})
	f.mu.Unlock()
	f.judge.counts.jumps.Add(1)
	f.clocks.skew.Store(int64(h.by))
	f.changes()
	f.days(ctx, from.Add(h.lasts))
	f.clocks.skew.Store(0)
	for _, a := range f.order {
		a.mu.Lock()
		a.file.astray = 0
		a.mu.Unlock()
	}
	f.changes()
	f.machine.note(span{from, f.clocks.truth()})
}

// changes lets the naps of the loops end as they do after the clock has changed.
func (f *fleet) changes() {
	f.moved.Store(int64(f.clocks.ran()))
	for _, n := range f.running.naps {
		n.cut(between(f.chance, time.Millisecond, n.length))
	}
}

// changed returns when the clocks changed last, or the daemon began.
func (f *fleet) changed() time.Time {
	return f.clocks.truth().Add(time.Duration(f.moved.Load()) - f.clocks.ran())
}

// jumped says whether the wall clock has been wrong since a moment.
func (f *fleet) jumped(since time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.wrong) > 0 && f.wrong[len(f.wrong)-1].to.After(since)
}

// clear returns the first moment not before t at which nothing that a client needs is out of order, or was within the
// time that it takes to try again.
func (f *fleet) clear(a *account, t time.Time) time.Time {
	for _, o := range []*outage{f.machine, f.vault.away, f.tenants[a.file.Provider].away} {
		t = o.after(t, settle)
	}
	return t
}

// breaks returns when the first outage of what a client needs begins within a span; ok is false if none does.
func (f *fleet) breaks(a *account, s span) (first time.Time, ok bool) {
	for _, o := range []*outage{f.machine, f.vault.away, f.tenants[a.file.Provider].away} {
		if begun, some := o.begins(s); some && (!ok || begun.Before(first)) {
			first, ok = begun, true
		}
	}
	return first, ok
}

// begins returns when the outage begins for the first time after the beginning of a span and before its end.
func (o *outage) begins(s span) (time.Time, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, away := range o.spans {
		if away.from.After(s.from) && away.from.Before(s.to) {
			return away.from, true
		}
	}
	return time.Time{}, false
}

// after returns the first moment not before t at which an outage is over and settled.
func (o *outage) after(t time.Time, settle time.Duration) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.spans {
		end := s.to.Add(settle)
		if s.to.IsZero() {
			end = o.clocks.truth().Add(settle)
		}
		if !t.Before(s.from) && t.Before(end) {
			t = end
		}
	}
	return t
}

// people do once a day what rotad waits for.
func (f *fleet) people(ctx context.Context) {
	if f.running == nil {
		return
	}
	for _, a := range f.order {
		a.mu.Lock()
		rec := a.file.rec
		a.mu.Unlock()
		switch {
		case rec.Hold != nil && !rec.Hold.Retry && !rec.Hold.Paging:
			f.resolve(ctx, a, rec)
		case a.file.rule.Start == credential.StartApprove && !rec.Told.Announced.IsZero() && !rec.Request.Approved && rec.Rotation == nil:
			f.approve(ctx, a)
		case a.caps.Mode == credential.ModeManual:
			f.byHand(ctx, a, rec)
		}
	}
}
