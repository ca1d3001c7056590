package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// event is one thing that will happen to a client, as far as its record and its policy say.
type event struct {
	At   time.Time `json:"at"`
	What string    `json:"what"` // notice | suppressed | rotation | published | revocation | waits
	Text string    `json:"text"`
}

// The sorts of events in a plan.
const (
	willTell     = "notice"
	willNotTell  = "suppressed"
	willRotate   = "rotation"
	willPublish  = "published"
	willRevoke   = "revocation"
	willWait     = "waits" // for a person, or for something that cannot be foreseen
	planOfNobody = "plan"
)

// foreseen is a client whose future is played: the same Plan and Apply as in the daemon, at future moments, on a world
// in which every effect succeeds. Nothing outside of this struct changes.
//
//	Plan(record, t) ──► effect? ──yes──► Apply(success) ──► same t
//	       ▲                └──no───► t = record.Due ───┐
//	       └────────────────────────────────────────────┘
type foreseen struct {
	rec      credential.Record
	policies map[string]credential.Policy
	windows  map[credential.WindowSpec]credential.Window
	now      time.Time // the simulated one
	began    time.Time
	until    time.Time
	serial   int // of ids
	events   []event
	told     map[string]bool      // suppressed warnings that are listed already
	made     map[string]time.Time // when the secrets are made that exist in this plan only, by their ids
}

// Bounds of a simulation.
const (
	mostTurns  = 20_000 // decisions per client
	mostEvents = 2_000  // per client
)

// foresee plays a client's future until a moment.
func foresee(rec credential.Record, policies map[string]credential.Policy, now, until time.Time) []event {
	f := &foreseen{
		rec: rec, policies: policies, windows: map[credential.WindowSpec]credential.Window{}, now: now, began: now, until: until,
		told: map[string]bool{}, made: map[string]time.Time{},
	}
	f.rec.NextLook = f.never() // looks find nothing new in a plan
	for range mostTurns {
		if !f.turn() || len(f.events) > mostEvents {
			break
		}
	}
	slices.SortStableFunc(f.events, func(a, b event) int { return a.At.Compare(b.At) })
	return f.events
}

// never is after everything that a plan is about.
func (f *foreseen) never() time.Time { return f.until.AddDate(1, 0, 0) }

func (f *foreseen) note(what, format string, args ...any) {
	f.events = append(f.events, event{f.now, what, fmt.Sprintf(format, args...)})
}

// turn makes one decision and lets its effect succeed. It returns false at the end of what can be foreseen.
func (f *foreseen) turn() bool {
	if f.rec.Rotation == nil && !f.rec.Leaving {
		switch {
		case f.rec.Sight == credential.SightNone:
			f.note(willWait, "the first look at this client; what comes then is not known yet")
			return false
		case f.rec.Sight == credential.SightEmpty && !f.rec.Client.Bootstrap && !f.rec.Request.Rotate:
			f.waits()
			return false
		}
	}
	f.suppressed()
	d := rotation.Plan(f.rec, f.env())
	f.take(d)
	switch {
	case d.Archive:
		f.note(willWait, "the client leaves and is archived")
		return false
	case d.Effect == rotation.EffectNone:
		return f.sleep()
	}
	o, ok := f.succeed(d.Effect)
	if !ok {
		f.note(willWait, "%s: its outcome cannot be foreseen", d.Effect)
		return false
	}
	f.take(rotation.Apply(f.rec, d.Effect, o, f.env()))
	return true
}

// sleep passes the time until something is due.
func (f *foreseen) sleep() bool {
	due := f.rec.Due
	if h := f.rec.Hold; h != nil && !h.Paging && f.rec.Rotation != nil || due.IsZero() {
		f.waits()
		return false
	}
	if due.After(f.until) {
		f.waits()
		return false
	}
	if !due.After(f.now) { // a decision that repeats itself must not stop the clock
		due = f.now.Add(time.Second)
	}
	f.now = due
	return true
}

// waits says where the client stands at the end, if that is not simply steady.
func (f *foreseen) waits() {
	if h := f.rec.Hold; h != nil {
		f.note(willWait, "held: %s; %s", h.Code, clean(h.Detail))
		return
	}
	if r := f.rec.Rotation; r != nil {
		if r.Caps.Mode == credential.ModeManual && r.Phase == credential.PhaseOverlap {
			f.note(willWait, "a person removes the old secret")
		}
		return
	}
	p, id := f.policies[f.rec.Client.Policy], f.rec.Client.ID
	switch {
	case f.rec.Sight == credential.SightEmpty && !f.rec.Client.Bootstrap:
		f.note(willWait, "Vault holds no secret yet: rotad rotate or rotad submit makes the first one")
	case f.rec.Caps.Mode == credential.ModeManual:
		f.at(rotation.DueAt(f.rec, p), willWait, "a person makes the next secret: rotad submit "+id)
	case p.Start == credential.StartApprove && !f.rec.Request.Approved:
		planned, _ := rotation.Planned(f.rec, p, f.window(p.Window))
		f.at(planned, willWait, "a person approves: rotad approve "+id)
	}
}

// at notes what happens at a moment within the horizon; what is overdue happens now.
func (f *foreseen) at(t time.Time, what, text string) {
	if t.IsZero() || t.After(f.until) {
		return
	}
	if t.Before(f.began) {
		t = f.began
	}
	f.events = append(f.events, event{t, what, text})
}

// take notes what a decision tells and does.
func (f *foreseen) take(d rotation.Decision) {
	f.rec = d.Record
	for _, n := range d.Notices {
		text := string(n.Kind)
		if n.Milestone != "" && n.Milestone != text {
			text += " " + n.Milestone
		}
		if n.Admins {
			text += ", to the admins"
		}
		f.note(willTell, "%s", text)
	}
	for _, a := range d.Audit {
		switch a.Event {
		case credential.EventIntent:
			f.note(willRotate, "begins (%s)", clean(a.Detail))
		case credential.EventPromoted:
			f.note(willPublish, "the new secret stands in %s version %d", f.rec.Client.Vault, a.Version)
		case credential.EventRevoked:
			f.note(willRevoke, "%s", f.revocation(a))
		default:
		}
	}
}

// revocation names the secret that ends: by its id, or by its day where the provider has yet to give it one.
func (f *foreseen) revocation(a credential.Audit) string {
	made, planned := f.made[a.Secret]
	switch {
	case planned:
		return "the old secret, made on " + made.Local().Format(time.DateOnly) + ", ends"
	case a.Secret == "":
		return "the old secret ends"
	}
	return "the old secret " + a.Secret + " ends"
}

// suppressed lists the configured warnings of the current secret that are not sent, once per secret.
func (f *foreseen) suppressed() {
	p, end := f.policies[f.rec.Client.Policy], rotation.Ends(f.rec)
	if f.rec.Rotation != nil || end.IsZero() {
		return
	}
	plan, _ := planned(f.rec, p, f.window(p.Window), f.now)
	for _, s := range suppressedOf(f.rec, p, plan) {
		key := s.Milestone + "@" + end.String()
		if f.told[key] || s.At.Before(f.began) || s.At.After(f.until) {
			continue
		}
		f.told[key] = true
		f.events = append(f.events, event{s.At, willNotTell, "warning " + s.Milestone + ": " + s.Why})
	}
}

func (f *foreseen) window(spec credential.WindowSpec) credential.Window {
	w, ok := f.windows[spec]
	if !ok {
		w = windowOf(spec)
		f.windows[spec] = w
	}
	return w
}

func (f *foreseen) env() rotation.Env {
	f.serial++
	return rotation.Env{
		Now: f.now, Second: f.now, Elapsed: f.now.Sub(f.began) + 24*time.Hour, Boot: planOfNobody, Instance: planOfNobody,
		Policy: f.policies[f.rec.Client.Policy], Windows: f.window, NextLook: f.never(),
		FreshID: fmt.Sprintf("planned-%d", f.serial), FreshUID: planOfNobody,
	}
}

// succeed returns the outcome of an effect in a world where everything goes well; ok is false where even then nobody
// knows what it brings.
func (f *foreseen) succeed(e rotation.Effect) (o rotation.Outcome, ok bool) {
	o.Result, o.At, o.Clock = rotation.Done, f.now, f.now
	switch e {
	case rotation.EffectLook, rotation.EffectPrepare:
		o.Look = f.seen()
	case rotation.EffectCreate:
		f.create(&o)
	case rotation.EffectVerify, rotation.EffectProve:
		o.Answer, o.Old = providers.Accepted, providers.Refused
	case rotation.EffectPromote:
		o.Version = f.rec.Version + 1
	case rotation.EffectNegative:
		o.Old = f.oldAnswer()
	case rotation.EffectRevoke:
		f.revoke(&o)
	case rotation.EffectDeliver:
		o.Copies = rotation.Copies(&f.rec, f.now)
	case rotation.EffectGate, rotation.EffectCleanUp, rotation.EffectSweep, rotation.EffectDiscard, rotation.EffectReload, rotation.EffectShown, rotation.EffectNone:
	case rotation.EffectSettle, rotation.EffectCompensate, rotation.EffectRestore, rotation.EffectRollback:
		return o, false
	}
	return o, true
}

func (f *foreseen) create(o *rotation.Outcome) {
	r := f.rec.Rotation
	o.Finding, o.Version, o.Fence, o.FenceAt = rotation.FoundStaged, r.FenceBase+2, r.FenceBase+1, f.now
	o.Secret = f.next()
	f.made[o.Secret.ID] = f.now
	if r.Caps.Grace > 0 && r.Caps.Mode == credential.ModeGraceWindow {
		o.OldDies = f.now.Add(r.Caps.Grace)
	}
}

// revoke waits where the provider's own timer retires the old secret.
func (f *foreseen) revoke(o *rotation.Outcome) {
	if r := f.rec.Rotation; r.OldDies.After(f.now) && !r.Policy.DeleteEarly {
		o.Finding, o.At = rotation.FoundWaiting, r.OldDies.Add(rotation.ExpirySkew+time.Second)
	}
}

// oldAnswer says whether an old secret still works: after a revoke it does not; a manual one works until it expires.
func (f *foreseen) oldAnswer() providers.Answer {
	r := f.rec.Rotation
	if r.Caps.Mode == credential.ModeManual && r.Phase == credential.PhaseOverlap && !r.Old.Gone(f.now, rotation.ExpirySkew) {
		return providers.Accepted
	}
	return providers.Refused
}

// seen is what a look finds: what is known already.
func (f *foreseen) seen() *rotation.Look {
	has := f.rec.Sight != credential.SightEmpty
	l := &rotation.Look{
		Found: true, Snapshot: providers.Snapshot{Caps: f.rec.Caps}, Version: f.rec.Version, HasValue: has, Same: true, Compared: true,
		Random: providers.Refused,
	}
	if has {
		l.Answer = providers.Accepted
		l.Snapshot.Secrets = []credential.Secret{f.rec.Current}
	}
	return l
}

// next is the secret that a create would bring. Its life is the policy's, where the provider lets us choose it; else it
// lives as long as the present one.
func (f *foreseen) next() credential.Secret {
	r := f.rec.Rotation
	s := credential.Secret{ID: "new-" + r.ID, Start: f.now, Never: r.Old.Never}
	old := f.rec.Current
	switch {
	case r.Caps.SetsExpiry && r.Policy.Lifetime > 0:
		s.Expires, s.Never = f.now.Add(r.Policy.Lifetime), false
	case old.Never || old.Expires.IsZero():
	case !old.Start.IsZero():
		s.Expires = f.now.Add(old.Expires.Sub(old.Start))
	case r.Policy.Lifetime > 0:
		s.Expires = f.now.Add(r.Policy.Lifetime)
	}
	return s
}
