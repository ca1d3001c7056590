package sim

import (
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/oracle"
	"github.com/rotad/rotad/internal/rotation"
)

// adopt names the secret that Vault hands out.
func (l *Life) adopt() bool {
	for _, s := range l.Provider.Secrets() {
		if s.Value == l.Vault.Hands() && l.wish(rotation.Resume(credential.ResolveAdopt, s.ID)) {
			l.Provider.Own(s.ID)
			return true
		}
	}
	return false
}

// adoptOld names the secret that is to be retired, where nobody knew its id.
func (l *Life) adoptOld() bool {
	r := l.store.rec.Rotation
	if r == nil || r.Promoted == 0 {
		return l.adopt()
	}
	for _, s := range l.Provider.Secrets() {
		if s.Value == l.Vault.Value(r.OldVersion) && l.wish(rotation.Resume(credential.ResolveAdopt, s.ID)) {
			l.Provider.Own(s.ID)
			return true
		}
	}
	return false
}

// discard names the newest secret that nobody uses.
func (l *Life) discard() bool {
	for _, s := range slices.Backward(l.Provider.Secrets()) {
		if s.Value != l.Vault.Hands() && s.Value != l.Vault.Staged() && s.Maker != oracle.ByPerson &&
			l.wish(rotation.Resume(credential.ResolveDiscard, s.ID)) {
			return true
		}
	}
	return false
}

// submit is what "rotad submit" does: prove that Vault takes a value, take it, stage it, commit. The person reads the
// newest value in the portal, or makes one there if none is alive or it is the one that Vault hands out.
func (l *Life) submit() bool {
	if l.store.gone || rotation.MaySubmit(l.store.rec) != nil {
		return false
	}
	l.submitting = true
	defer func() { l.submitting = false }()
	value := l.inPortal()
	rec := l.store.rec
	d := l.daemon
	env := d.sch.Env(rec)
	fence, err := d.exec.Writable(background(), rec, env.FreshID)
	if err != nil {
		return false
	}
	bundle := credential.Bundle{
		credential.FieldClientID: credential.NewSensitive("client"), credential.FieldClientSecret: credential.NewSensitive(value),
	}
	o, err := d.exec.StageSubmitted(background(), rec, env.FreshID, fence, bundle)
	if err != nil {
		return false
	}
	l.Provider.OwnValue(value)
	decision, err := rotation.Submit(rec, o, rotation.Person{Name: "anna"}, rotation.Expiry{}, env)
	if err != nil || rec.Rev != l.store.rec.Rev {
		return false
	}
	l.store.take(credential.Change{Record: decision.Record, Notices: decision.Notices, Audit: decision.Audit})
	return true
}

func (l *Life) inPortal() string {
	secrets := l.Provider.Secrets()
	if n := len(secrets); n > 0 {
		if s := secrets[n-1]; s.Live && s.Value != l.Vault.Hands() {
			return s.Value
		}
	}
	if l.Mode.byHand() {
		return l.Provider.Seed(false)
	}
	l.disturbed = "portal-rotates"
	return l.Provider.ByHand()
}

// help lets people do what a hold asks for. Each time that the same hold comes back they try the next way out.
func (l *Life) help() bool {
	h := l.store.rec.Hold
	if h == nil {
		return false
	}
	rule, _ := credential.RuleFor(h.Code)
	ways := len(rule.Resolve)
	if rule.Submit {
		ways++
	}
	l.Holds[h.Code]++
	l.World.Advance(time.Duration(l.Holds[h.Code]) * time.Hour)
	l.repair(h)
	for range ways {
		n := l.resolved[h.Code] % ways
		l.resolved[h.Code]++
		if n == len(rule.Resolve) {
			if l.attempt(l.submit) {
				return true
			}
			continue
		}
		if l.choose(rule.Resolve[n]) {
			return true
		}
	}
	return false
}

// repair removes a cause that no command can remove.
func (l *Life) repair(h *credential.Hold) {
	switch h.Code {
	case credential.HoldSlotsFull:
		l.vacate()
	case credential.HoldClockSuspect:
		skew(-l.daemon.skew)(l)
	case credential.HoldCutover:
		if l.resolved[h.Code] > 0 {
			l.permitCutover(true)
		}
	case credential.HoldForeignWrite:
		l.unstaged = l.Vault.ClearStaging() || l.unstaged
		if r := l.store.rec.Rotation; r != nil && r.Promoted == 0 && !l.Mode.additive() && l.resolved[h.Code] > 1 {
			l.Vault.BringBack(r.OldVersion)
		}
	default:
	}
}

// vacate deletes at the provider what nobody uses, where no rotation is under way that may: as the runbook says.
func (l *Life) vacate() {
	if l.store.rec.Rotation == nil && l.Mode.Caps.Mode == credential.ModeStaged {
		l.Provider.Vacate(l.Vault.Hands())
	}
}

func (l *Life) permitCutover(yes bool) {
	l.wish(func(rec credential.Record, _ rotation.Person, env rotation.Env) (rotation.Decision, error) {
		c := rec.Client
		c.AllowCut = yes
		return rotation.Update(rec, c, env), nil
	})
}

// attempt does what makes calls of its own, and may therefore meet a crash.
func (l *Life) attempt(do func() bool) bool {
	ok := false
	l.survive(func() { ok = do() })
	return ok
}

func (l *Life) choose(choice credential.Resolve) bool {
	switch choice {
	case credential.ResolveAdopt:
		return l.adoptOld()
	case credential.ResolveDiscard:
		return l.discard()
	default:
		return l.wish(rotation.Resume(choice, ""))
	}
}

// attend is the part of the people who look after a manual client: they bring a value, and remove the old secret.
func (l *Life) attend() {
	rec := l.store.rec
	if l.store.gone || rec.Sight == credential.SightNone {
		return
	}
	if l.Mode.byHand() {
		l.attendByHand(rec)
		return
	}
	empty := rec.Sight == credential.SightEmpty && rec.Rotation == nil && rec.Hold == nil
	if empty && !rec.Request.Rotate {
		l.wish(rotation.Rotate)
	}
}

func (l *Life) attendByHand(rec credential.Record) {
	wanted := rec.Sight == credential.SightEmpty || rec.Last.Outcome != "done"
	switch {
	case rec.Rotation != nil:
		l.removeOld(rec.Rotation)
	case wanted && (rec.Hold == nil || rec.Hold.Retry):
		l.attempt(l.submit)
	}
}

// removeOld deletes the old secret in the portal, once the new one is published.
func (l *Life) removeOld(r *credential.Rotation) {
	if old := l.Vault.Value(r.OldVersion); r.Phase == credential.PhaseOverlap && old != l.Vault.Hands() {
		l.Provider.DeleteValue(old)
	}
}
