package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/admin"
	"github.com/rotad/rotad/internal/config"
	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/rotation"
)

// outlook is what comes next for a client, computed from its record and its policy.
type outlook struct {
	Next       string       `json:"next_action"`
	NextAt     time.Time    `json:"next_action_at,omitzero"`
	Planned    time.Time    `json:"planned_rotation,omitzero"`
	Override   bool         `json:"planned_outside_window,omitzero"`
	Suppressed []suppressed `json:"suppressed,omitempty"`
	Commands   []string     `json:"commands,omitempty"` // that end its hold, or a rotation that fails
}

// suppressed is a configured warning that is not sent, and why.
type suppressed struct {
	Milestone string    `json:"milestone"`
	At        time.Time `json:"at"`
	Why       string    `json:"why"`
}

// windowOf parses a window. One that cannot be parsed any more counts as always open, as for the daemon.
func windowOf(spec credential.WindowSpec) credential.Window {
	w, err := config.Window(spec)
	if err != nil {
		return credential.Always{}
	}
	return w
}

// look computes the outlook of a record.
func look(rec credential.Record, p credential.Policy, now time.Time) outlook {
	o := outlook{Commands: waysOut(rec)}
	if rec.Rotation == nil && rec.Caps.Mode != credential.ModeManual && !p.OnlyWatches() && sighted(rec) {
		o.Planned, o.Override = planned(rec, p, windowOf(p.Window), now)
	}
	o.Suppressed = suppressedOf(rec, p, o.Planned)
	o.Next, o.NextAt = nextAction(rec, p, o.Planned)
	return o
}

// sighted says whether a client has a secret that a plan could be about.
func sighted(rec credential.Record) bool {
	return rec.Sight == credential.SightAdopted || rec.Sight == credential.SightUnknownID
}

// planned returns when the rotation begins; what is due already begins at the next opening of its window.
func planned(rec credential.Record, p credential.Policy, w credential.Window, now time.Time) (at time.Time, override bool) {
	at, override = rotation.Planned(rec, p, w)
	if at.IsZero() || !at.Before(now) {
		return at, override
	}
	if w.Contains(now) || override {
		return now, override
	}
	return w.Next(now), false
}

// nextAction names what happens next to a client, and when; a zero time means that nobody knows.
func nextAction(rec credential.Record, p credential.Policy, plan time.Time) (action string, at time.Time) {
	switch {
	case rec.Hold != nil && !rec.Hold.Paging && !rec.Leaving:
		return "a person decides", rec.Hold.Deadline
	case rec.Rotation != nil:
		return nextStep(rec, p)
	case rec.Leaving:
		return "archive", rec.Due
	case rec.Sight == credential.SightNone:
		return "first look", rec.Due
	case rec.Request.Rotate && !p.OnlyWatches():
		return "rotate", rec.Due
	}
	if waits, ok := putOff[rec.DueFor]; ok {
		return waits, rec.Due
	}
	return nextOfSteady(rec, p, plan)
}

// putOff says why a client whose turn it would be waits, by the reason of the decision. Nothing changes it.
var putOff = map[credential.Reason]string{
	"wave": "wait for its turn (rotad wave)", "quota": "wait for tomorrow's creates", "throttled": "wait: the provider asks for a pause",
	"provider-away": "wait: the provider does not answer",
}

// nextOfSteady names what happens next to a client with nothing under way.
func nextOfSteady(rec credential.Record, p credential.Policy, plan time.Time) (action string, at time.Time) {
	switch {
	case rec.Caps.Mode == credential.ModeManual:
		return "a person submits", rotation.DueAt(rec, p)
	case p.OnlyWatches() && sighted(rec) && !rotation.Ends(rec).IsZero():
		return "expire", rotation.Ends(rec)
	case p.OnlyWatches():
		return "look", rec.NextLook
	case rec.Sight == credential.SightEmpty && !rec.Client.Bootstrap:
		return "a person rotates", time.Time{}
	case p.Start == credential.StartApprove && !rec.Request.Approved && !plan.IsZero():
		return "a person approves", plan
	case !plan.IsZero():
		return "rotate", plan
	}
	return "look", rec.NextLook
}

// nextStep names the next step of a running rotation.
func nextStep(rec credential.Record, p credential.Policy) (action string, at time.Time) {
	r := rec.Rotation
	at = rec.Due
	switch r.Phase {
	case credential.PhaseIntent:
		return "create", at
	case credential.PhaseCompensating:
		return "undo", at
	case credential.PhaseStaged:
		return "verify", at
	case credential.PhaseVerified:
		return "publish", at
	case credential.PhaseOverlap:
		if r.Caps.Mode == credential.ModeManual {
			return "a person removes the old secret", r.Old.Expires
		}
		if until, kept := rotation.KeptUntil(&rec); kept {
			return "revoke when it is unused", until
		}
		return "revoke", retires(rec, p)
	case credential.PhaseRevoking:
		return "finish", at
	case credential.PhaseSteady:
	}
	return "look", at
}

// retires returns when the old secret of an overlap goes, its window included; later where something has to be tried again.
func retires(rec credential.Record, p credential.Policy) time.Time {
	at := rotation.RetiresAt(rec, p, windowOf(rec.Rotation.Policy.Window))
	if rec.Due.After(at) {
		return rec.Due
	}
	return at
}

// waysOut returns the commands that end the hold of a client, or what waits for a person without one.
func waysOut(rec credential.Record) []string {
	id := rec.Client.ID
	var out []string
	if rec.Hold != nil {
		out = endsOfHold(rec)
	}
	if r := rec.Rotation; r != nil && r.Phase == credential.PhaseOverlap && r.Caps.Mode == credential.ModeManual {
		out = append(out, resumeLine(id, credential.ResolveOldRemoved))
	}
	if rec.Hold == nil && rec.Rotation == nil && rec.Sight == credential.SightUnknownID {
		out = append(out, resumeLine(id, credential.ResolveAdopt))
	}
	return out
}

func endsOfHold(rec credential.Record) []string {
	rule, _ := credential.RuleFor(rec.Hold.Code)
	var out []string
	for _, choice := range rule.Choices(rec.Rotation != nil) {
		out = append(out, resumeLine(rec.Client.ID, choice))
	}
	if rule.Submit {
		out = append(out, "rotad submit "+rec.Client.ID)
	}
	if rule.Remove() {
		out = append(out, removeLine(rec.Client))
	}
	return out
}

// removeLine says how a client is taken away that was registered by mistake.
func removeLine(c credential.Client) string {
	if fromFile(c.Source) {
		return "delete it in " + c.Source + ", then: systemctl reload rotad"
	}
	return "rotad remove " + c.ID
}

// waysToAbort returns the commands that end a rotation which keeps failing, as the daemon that runs would take them now:
// the rules themselves are asked. A hold has ways out of its own.
func waysToAbort(rec credential.Record, p credential.Policy, world admin.World) []string {
	if rec.Rotation == nil || rec.Hold != nil || rec.Backoff.Error == "" || world.Boot == "" {
		return nil
	}
	var nobody rotation.Person
	env := rotation.Env{Now: world.Now, Second: world.Now, NextLook: world.Now, Boot: world.Boot, Policy: p}
	abort, line := rotation.Resume(credential.ResolveAbort, ""), resumeLine(rec.Client.ID, credential.ResolveAbort)
	if _, err := abort(rec, nobody, env); err == nil {
		return []string{line}
	}
	held, err := rotation.HoldBy(rec, nobody, env)
	if err != nil {
		return nil
	}
	if _, err := abort(held.Record, nobody, env); err != nil {
		return nil
	}
	return []string{"rotad hold " + rec.Client.ID + ", then " + line}
}

func resumeLine(id string, choice credential.Resolve) string {
	line := "rotad resume " + id + " " + choice.Flag()
	if choice == credential.ResolveAdopt || choice == credential.ResolveDiscard {
		line += " SECRET-ID"
	}
	return line
}

// suppressedOf lists the configured warnings that are not sent because a healthy automatic rotation comes first, or
// because a person wants none. A configured milestone is never dropped silently.
func suppressedOf(rec credential.Record, p credential.Policy, plan time.Time) []suppressed {
	end := rotation.Ends(rec)
	if end.IsZero() || rec.Rotation != nil || !sighted(rec) {
		return nil
	}
	automatic := p.WarnWhen != credential.WarnAlways && rotation.Automatic(rec, p) && rec.Hold == nil && !rec.Told.Failing && !plan.IsZero()
	var list []suppressed
	for _, w := range p.Warn {
		at := end.Add(-w.Before)
		if at.Before(rec.Current.Start) { // nobody is warned about a secret before it is made
			at = rec.Current.Start
		}
		s := suppressed{Milestone: milestone(w), At: at}
		switch {
		case automatic:
			s.Why = insteadOf(at, plan)
		case at.Before(rec.Request.Snooze):
			s.Why = "snoozed until " + rec.Request.Snooze.Local().Format(time.DateOnly)
		default:
			continue
		}
		list = append(list, s)
	}
	return list
}

// insteadOf names the rotation that makes a warning needless. A warning whose day comes after the rotation is about a secret
// that is no longer in use then.
func insteadOf(warning, rotation time.Time) string {
	on := rotation.Local().Format(time.DateOnly)
	if warning.After(rotation) {
		return "automatic rotation before it, on " + on
	}
	return "automatic rotation on " + on
}

// milestone writes a configured warning: "30d", or "7d, then every 1d".
func milestone(w credential.Warning) string {
	text := credential.FormatDuration(w.Before)
	if w.Every > 0 {
		text += ", then every " + credential.FormatDuration(w.Every)
	}
	return text
}

// vaultCommand returns the command that shows a version of what consumers read.
func vaultCommand(p credential.VaultPath, version int) string {
	words := []string{"vault kv get"}
	if p.Namespace != "" {
		words = append(words, "-namespace="+quote(p.Namespace))
	}
	words = append(words, "-mount="+quote(p.Mount))
	if version > 0 {
		words = append(words, fmt.Sprintf("-version=%d", version))
	}
	return strings.Join(append(words, quote(p.Path)), " ")
}

// quote makes one word of a text for a shell.
func quote(word string) string {
	safe := strings.IndexFunc(word, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("-_./:@+=,", r)
	}) < 0
	if safe && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
