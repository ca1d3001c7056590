package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// shown is a record as "rotad show --json" prints it: the record itself, and what follows from it.
type shown struct {
	credential.Record
	outlook
}

func newShow(a *app) *cobra.Command {
	return a.aboutOne("show ID", "Show everything known about one client, and why it is where it is.",
		func(cmd *cobra.Command, id string) error { return a.show(cmd.Context(), id) })
}

func (a *app) show(ctx context.Context, id string) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	rec, err := s.record(ctx, id)
	if err != nil {
		return err
	}
	o := look(rec, s.policy(rec), s.world.Now)
	o.Commands = append(o.Commands, waysToAbort(rec, s.policy(rec), s.world)...)
	if a.json {
		return printJSON(a.out, shown{rec, o})
	}
	return showText(a.out, rec, o, s.world.Now)
}

// sheet writes lines of a name and a text; lines without a text are left out.
type sheet struct {
	w   io.Writer
	now time.Time
}

func (s sheet) line(name, format string, args ...any) {
	_, _ = fmt.Fprintf(s.w, "%s\t%s\n", name, clean(fmt.Sprintf(format, args...)))
}

func (s sheet) optional(name, text string) {
	if text != "" {
		s.line(name, "%s", text)
	}
}

func (s sheet) moment(name string, t time.Time) {
	if !t.IsZero() {
		s.line(name, "%s", when(t, s.now))
	}
}

func showText(out io.Writer, rec credential.Record, o outlook, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	s := sheet{w, now}
	c := rec.Client
	s.line("client", "%s (%s)", c.ID, orDash(c.Source))
	s.line("provider", "%s (%s)", c.Provider, c.Ref.Canonical())
	s.optional("mode", string(rec.Mode()))
	s.optional("mode because", rec.Caps.Reason)
	s.line("owner", "%s", c.Owner)
	s.line("policy", "%s", c.Policy)
	if rec.Version > 0 {
		s.line("vault", "%s version %d", c.Vault, rec.Version)
	} else {
		s.line("vault", "%s, of which no version is known", c.Vault)
	}
	s.optional("first look", sightText(rec.Sight))
	s.secret("current secret", rec.Current, rotation.Ends(rec))
	s.unending(rec)
	s.moment("looked at", rec.Looked)
	s.line("phase", "%s", rec.Phase())
	s.rotation(rec)
	s.copies(rec)
	s.reloads(rec)
	s.consumers(rec)
	s.held(rec)
	s.trouble(rec)
	s.future(o)
	s.past(rec)
	return printed(0, w.Flush())
}

// sightText says what the result of a first look means, where its name alone leaves that open.
func sightText(sight credential.FirstSight) string {
	switch sight {
	case credential.SightEmpty:
		return string(sight) + ": nothing stood in Vault, so which secret is in use is not known"
	case credential.SightUnknownID:
		return string(sight) + ": the provider accepts what stands in Vault; which of its secrets that is, it does not say"
	case credential.SightMismatch:
		return string(sight) + ": the provider refuses what stands in Vault"
	case credential.SightNone, credential.SightAdopted:
	}
	return string(sight)
}

func (s sheet) secret(name string, secret credential.Secret, ends time.Time) {
	text := "id " + orDash(secret.ID)
	if !secret.Start.IsZero() {
		text += ", since " + stamp(secret.Start)
	}
	switch {
	case secret.Never:
		text += ", never expires"
	case ends.IsZero():
		text += ", expiry unknown"
	default:
		text += ", expires " + when(ends, s.now)
	}
	s.line(name, "%s", text)
}

// unending tells who stands for a secret that never expires. Where an expiry is known, it does not matter.
func (s sheet) unending(rec credential.Record) {
	n := rec.Client.NoExpiry
	if n.IsZero() || !rotation.Ends(rec).IsZero() {
		return
	}
	verb := "until"
	if !n.Holds(s.now) {
		verb = "which has ended:"
	}
	s.line("no expiry", "acknowledged by %s, %s %s: %s", n.By, verb, when(n.Until, s.now), n.Reason)
}

func (s sheet) rotation(rec credential.Record) {
	r := rec.Rotation
	if r == nil {
		return
	}
	s.line("rotation", "%s, attempt %d, %s since %s", r.ID, r.Attempt, r.Phase, when(r.Since, s.now))
	cause := string(r.Cause.Kind)
	if r.Cause.Actor != "" {
		cause += " by " + r.Cause.Actor
	}
	if r.Cause.Reason != "" {
		cause += ": " + r.Cause.Reason
	}
	s.line("cause", "%s", cause)
	if r.New.ID != "" || r.Staged != 0 {
		s.secret("new secret", r.New, r.New.Expires)
	}
	if r.Promoted != 0 {
		s.line("published", "%s version %d at %s; read it: %s", r.Client.Vault, r.Promoted, stamp(r.PromotedAt), vaultCommand(r.Client.Vault, r.Promoted))
	}
	s.oldSecret(r)
}

// oldSecret tells two moments apart which are often close: until when rotad keeps the old secret at the least, and when the
// provider ends it without being asked. Nothing is kept in a cutover, nor where there was none.
func (s sheet) oldSecret(r *credential.Rotation) {
	none := r.OldVersion == 0 && r.Old.ID == ""
	if !r.RevokeAfter.IsZero() && !r.Cutover && !none {
		s.line("old secret stays until", "at least %s: the overlap that its policy promises", when(r.RevokeAfter, s.now))
	}
	if !r.OldDies.IsZero() {
		s.line("old secret dies", "%s: the provider ends it by itself", when(r.OldDies, s.now))
	}
}

// copies tells of each destination which version it was seen to hold, and what keeps it from another one.
func (s sheet) copies(rec credential.Record) {
	for _, d := range rec.Published().Destinations {
		c := rec.CopyAt(d.Name)
		text := d.Name + " (" + d.Place() + ")"
		if c.Version == 0 {
			text += " holds nothing of rotad yet"
		} else {
			text += fmt.Sprintf(" holds version %d, seen %s", c.Version, when(c.At, s.now))
		}
		if c.Old != 0 {
			text += fmt.Sprintf(", beside version %d", c.Old)
		}
		if c.Tries > 0 {
			text += fmt.Sprintf("; failing %d times since %s: %s; tried again %s", c.Tries, when(c.Since, s.now), c.Error, when(c.Next, s.now))
		}
		s.line("copy", "%s", text)
	}
}

// reloads tells how far the consumers of a rotation are.
func (s sheet) reloads(rec credential.Record) {
	r := rec.Rotation
	if r == nil || r.Promoted == 0 {
		return
	}
	for i := range r.Client.Reloads {
		step := &r.Client.Reloads[i]
		state := r.ReloadAt(step.Name)
		text := step.Name + " (" + step.What() + ")"
		switch {
		case !state.Done.IsZero():
			text += " took the new secret " + when(state.Done, s.now)
		case !state.Ran.IsZero() && step.Rollout != nil:
			text += " was begun " + when(state.Ran, s.now) + ", and is not over yet"
		case !state.Ran.IsZero():
			text += " was done " + when(state.Ran, s.now) + ", and is not healthy yet"
		default:
			text += " waits for its turn"
		}
		if state.Error != "" {
			text += ": " + state.Error
		}
		s.line("reload", "%s", text)
	}
}

// consumers tells which of them run on what is published, and who is late.
func (s sheet) consumers(rec credential.Record) {
	moved, of := rec.Moved()
	if of == 0 {
		return
	}
	s.line("consumers", "%d of %d run on what is published", moved, of)
	for _, c := range rec.Published().Consumers {
		state := rec.ConsumerAt(c.Name)
		text := c.Name + " has never said what it runs on"
		if state.Version != 0 {
			text = fmt.Sprintf("%s runs on version %d, said %s", c.Name, state.Version, when(state.At, s.now))
		}
		if !rec.RunsOn(state.Version) && rec.Version != 0 {
			text += "; late"
			if c.Optional {
				text += ", and nothing waits for it"
			}
		}
		s.line("consumer", "%s", text)
	}
	if until, kept := rotation.KeptUntil(&rec); kept {
		s.line("old secret", "is kept because it is in use, until %s at the longest", when(until, s.now))
	}
}

func (s sheet) held(rec credential.Record) {
	h := rec.Hold
	if h == nil {
		return
	}
	s.line("held", "%s since %s", h.Code, when(h.Since, s.now))
	if rule, ok := credential.RuleFor(h.Code); ok {
		s.line("because", "%s", rule.Cause)
		if !h.Deadline.IsZero() {
			s.line("deadline", "%s: %s", when(h.Deadline, s.now), rule.AtEnd)
		}
	}
	s.optional("detail", h.Detail)
	s.optional("by", h.By)
	if h.Paging {
		s.line("meanwhile", "rotad goes on trying; a person is needed all the same")
	}
}

func (s sheet) trouble(rec credential.Record) {
	b := rec.Backoff
	if b.Attempts > 0 {
		s.line("failing", "%d times since %s: %s", b.Attempts, when(b.Since, s.now), b.Error)
		s.moment("tried again", b.Until)
	}
	for _, o := range rec.Orphans {
		s.line("orphan", "%s is being deleted; %s has let it go", o.ID, o.By)
	}
	if rec.Cleanup != nil {
		s.moment("vault versions left to destroy, tried", rec.Cleanup.Next)
	}
}

func (s sheet) future(o outlook) {
	if o.NextAt.IsZero() {
		s.line("next", "%s", o.Next)
	} else {
		s.line("next", "%s, %s", o.Next, when(o.NextAt, s.now))
	}
	if !o.Planned.IsZero() {
		note := ""
		if o.Override {
			note = "; outside its window, because the secret expires before the next one"
		}
		s.line("planned rotation", "%s%s", when(o.Planned, s.now), note)
	}
	for _, m := range o.Suppressed {
		s.line("warning "+m.Milestone, "%s; suppressed: %s", stamp(m.At), m.Why)
	}
	for _, command := range o.Commands {
		s.line("can do", "%s", command)
	}
}

func (s sheet) past(rec credential.Record) {
	if rec.Last.Rotation != "" {
		s.line("last rotation", "%s, %s %s", rec.Last.Rotation, rec.Last.Outcome, when(rec.Last.At, s.now))
		s.optional("old secret", string(rec.Last.Negative))
	}
	if rec.Request.Actor != "" && rec.Rotation == nil {
		s.line("asked for", "by %s, %s", rec.Request.Actor, rec.Request.Reason)
	}
}
