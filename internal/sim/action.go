package sim

import (
	"slices"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
)

// Action is something that happens beside rotad: what a person does, what another program writes, what a clock does.
type Action struct {
	Name string
	// Disturbs says that it takes something away that no protocol can give back; what rotad itself does is judged all
	// the same.
	Disturbs bool
	do       func(*Life)
	// Alone says that it cannot be tried with two daemons on one store: the state or the clock becomes another one for
	// one of them only.
	Alone bool
}

// Actions returns all of them.
func Actions() []Action {
	return slices.Concat(atProvider(), inVault(), commands(), consumers(), clocks(), restarts())
}

func isAction(name string) bool {
	_, ok := actionOf(name)
	return ok
}

func actionOf(name string) (Action, bool) {
	for _, a := range actions {
		if a.Name == name {
			return a, true
		}
	}
	return Action{}, false
}

// actions is the list, made once because every schedule looks things up in it. Nothing changes it.
var actions = Actions()

// atProvider is what people do in the portal.
func atProvider() []Action {
	return []Action{
		{Name: "portal-rotates", Disturbs: true, do: func(l *Life) { l.rotateByHand() }},
		{Name: "portal-deletes-oldest", Disturbs: true, do: func(l *Life) { l.drop(0) }},
		{Name: "portal-deletes-newest", Disturbs: true, do: func(l *Life) { l.drop(-1) }},
		{Name: "portal-deletes-current", Disturbs: true, do: func(l *Life) {
			if l.Mode.deletes() {
				l.Provider.DeleteValue(l.Vault.Hands())
			}
		}},
		{Name: "portal-rotates-into-vault", Disturbs: true, do: func(l *Life) {
			if l.rotateByHand() {
				l.Vault.Seed(l.Provider.Newest())
			}
		}},
	}
}

// rotateByHand makes a secret in the portal. Without labels, one that appears in the very seconds in which a create of
// rotad's may land cannot be told from it; nothing is tried there.
func (l *Life) rotateByHand() bool {
	rec := l.store.rec
	creating := rec.DueFor == "prepare" || rec.DueFor == "rotate" || rec.DueFor == "backoff" && rec.Rotation == nil
	creating = creating || rec.Phase() == credential.PhaseIntent || rec.Phase() == credential.PhaseCompensating
	if l.Mode.additive() && !l.Mode.Caps.Labels && creating {
		return false
	}
	l.Provider.ByHand()
	return true
}

// drop deletes a secret, where the provider can have none.
func (l *Life) drop(n int) {
	if l.Mode.deletes() {
		l.Provider.Delete(n)
	}
}

// inVault is what people and other programs do in Vault.
func inVault() []Action {
	return []Action{
		{Name: "vault-edited", Disturbs: true, do: func(l *Life) { l.Vault.Seed("typed-by-hand") }},
		{Name: "vault-touched", do: func(l *Life) { l.Vault.Touch() }},
		{Name: "vault-deleted", Disturbs: true, do: func(l *Life) { l.Vault.Delete() }},
		{Name: "vault-restored", Disturbs: true, do: restoreVault(time.Minute)},
		{Name: "vault-restored-old", Disturbs: true, do: restoreVault(4 * 24 * time.Hour)},
		{Name: "copy-emptied", do: func(l *Life) { l.Place.Holds, l.Place.Old = "", "" }},
		{Name: "staging-scribbled", Disturbs: true, do: func(l *Life) {
			l.Vault.Scribble(credential.Staging{Client: "billing", Rotation: "foreign", Attempt: 1, Phase: credential.StagingIntent, Instance: "other"})
		}},
	}
}

// restoreVault takes Vault back to what it was so long ago.
func restoreVault(age time.Duration) func(*Life) {
	return func(l *Life) {
		l.restored = true
		l.Vault.Restore(l.World.Wall.Add(-age))
	}
}

// commands is what people ask rotad for. A refusal changes nothing, and is as good an answer as any.
func commands() []Action {
	return []Action{
		{Name: "rotate", do: wish(rotation.Rotate)},
		{Name: "rotate-compromised", do: wish(rotation.Compromised)},
		{Name: "rollback", do: wish(rotation.Rollback)},
		{Name: "hold", do: wish(rotation.HoldBy)},
		{Name: "ack", do: wish(rotation.Ack)},
		{Name: "resume-retry", do: wish(rotation.Resume(credential.ResolveRetry, ""))},
		{Name: "resume-accept-vault", do: wish(rotation.Resume(credential.ResolveAcceptVault, ""))},
		{Name: "resume-abort", do: wish(rotation.Resume(credential.ResolveAbort, ""))},
		{Name: "resume-old-removed", do: wish(rotation.Resume(credential.ResolveOldRemoved, ""))},
		{Name: "resume-undelivered", do: wish(rotation.Resume(credential.ResolveUndelivered, ""))},
		{Name: "resume-adopt", do: func(l *Life) { l.adopt() }},
		{Name: "resume-discard", do: func(l *Life) { l.discard() }},
		{Name: "submit", do: func(l *Life) { l.submit() }},
		{Name: "remove", do: wish(func(rec credential.Record, _ rotation.Person, env rotation.Env) (rotation.Decision, error) {
			return rotation.Leave(rec, env), nil
		})},
		{Name: "rename", do: wish(func(rec credential.Record, _ rotation.Person, env rotation.Env) (rotation.Decision, error) {
			c := rec.Client
			c.ID, c.RenamedFrom = c.ID+"-2", c.ID
			return rotation.Update(rec, c, env), nil
		})},
		{Name: "reload-policy", do: func(l *Life) {
			l.policy.Overlap, l.policy.RotateBefore = 24*time.Hour, 30*24*time.Hour
			l.daemon.sch.Swap(l.config())
		}},
		{Name: "reload-forbids-cutover", do: func(l *Life) { l.permitCutover(false) }},
	}
}

// consumers is what the one that says which version it runs on does otherwise than reading Vault now and then.
func consumers() []Action {
	return []Action{
		{Name: "consumer-goes-back", do: func(l *Life) { l.say(l.Vault.Versions() - 1) }},
		{Name: "consumer-falls-silent", do: func(l *Life) { l.silent = true }},
	}
}

// clocks is what happens to the clocks of the machine.
func clocks() []Action {
	return []Action{
		{Name: "clock-ahead-an-hour", do: skew(time.Hour)},
		{Name: "clock-ahead-a-year", Alone: true, do: skew(365 * 24 * time.Hour)},
		{Name: "clock-back-an-hour", do: skew(-time.Hour)},
		{Name: "clock-back-a-year", Alone: true, do: skew(-365 * 24 * time.Hour)},
		{Name: "suspend-an-hour", do: suspend(time.Hour)},
		{Name: "suspend-ten-days", Disturbs: true, do: suspend(10 * 24 * time.Hour)},
	}
}

// restarts is what happens to the process and its files.
func restarts() []Action {
	dead := func(name string, between func(*Life)) Action {
		return Action{Name: name, Alone: true, do: func(l *Life) { l.die(func() { between(l) }) }}
	}
	return []Action{
		dead("down-a-day", func(l *Life) { l.World.Advance(24 * time.Hour) }),
		dead("state-lost", (*Life).forget),
		dead("state-restored", func(l *Life) { l.restore(1) }),
		dead("state-restored-older", func(l *Life) { l.restore(4) }),
	}
}

// restore takes the state back to a backup from before some commits.
func (l *Life) restore(commits int) {
	l.rewound = true
	l.store.restore(commits)
}

func skew(d time.Duration) func(*Life) {
	return func(l *Life) {
		l.daemon.skew += d
		if d < 0 && !l.store.rec.Due.IsZero() { // the loop sees that the clock was set back, and lets everything fall due
			_ = l.store.Hasten(background(), l.World.Wall.Add(l.daemon.skew))
		}
	}
}

// suspend lets the true time pass while the process's timers and its monotonic clock stand still. Without labels, what a
// create made that left hours after its fence cannot be told from what a person made; nothing is tried there.
func suspend(d time.Duration) func(*Life) {
	return func(l *Life) {
		if l.Mode.additive() && !l.Mode.Caps.Labels && l.sending {
			return
		}
		l.World.Advance(d)
		l.daemon.slept += d
	}
}

// die ends the process; what happens until the next one begins is done then.
func (l *Life) die(between func()) {
	l.between = between
	panic(model.Crash{Call: "between"})
}

// forget replaces the state by a fresh one, in which the client is registered again.
func (l *Life) forget() {
	l.rewound = true
	client := l.store.rec.Client
	client.RenamedFrom = ""
	l.store.mark, l.store.saved, l.store.gone = time.Time{}, 0, false
	l.store.rec = rotation.Register(client, l.daemon.sch.Env(credential.Record{Client: client})).Record
}

// calling lets happen what is planned for a call, and what else happens meanwhile.
func (l *Life) calling(index int, call string) {
	l.fit(index, call)
	if l.meanwhile != nil {
		l.meanwhile(call)
	}
	for l.at < len(l.points) && l.points[l.at].At <= index {
		p := l.points[l.at]
		l.at++
		if p.Action == "" {
			continue
		}
		l.sending = call == "create"
		if a, ok := actionOf(p.Action); ok {
			l.act(a)
		}
	}
}

// fit makes a fault of a random schedule one that the call can have.
func (l *Life) fit(index int, call string) {
	kind, ok := l.World.Faults[index]
	if !ok {
		return
	}
	if list := model.Outcomes(call); !slices.Contains(list, kind) {
		l.World.Faults[index] = list[(index+len(kind))%len(list)]
	}
}

func (l *Life) act(a Action) {
	if a.Disturbs {
		l.disturbed = a.Name
	}
	l.touched, l.unseen, l.looked = len(l.World.Trace), looksToSee, l.store.rec.Looked
	a.do(l)
}

func wish(w rotation.Wish) func(*Life) {
	return func(l *Life) { l.wish(w) }
}

// wish is the daemon's part of a command: decide and commit in one.
func (l *Life) wish(w rotation.Wish) bool {
	if l.store.gone {
		return false
	}
	d, err := w(l.store.rec, rotation.Person{Name: "anna", Reason: "because"}, l.daemon.sch.Env(l.store.rec))
	if err != nil {
		return false
	}
	l.store.take(credential.Change{Record: d.Record, Notices: d.Notices, Audit: d.Audit, Archive: d.Archive})
	return true
}

// looksToSee is how many looks have to be finished after an act until all that can be seen of it has been: the one that
// was under way, the first one, and the one that confirms a refusal.
const looksToSee = 4

// looksAfterHold is how many have to be finished after a hold has been resolved: a look that ended in it judged nothing
// else.
const looksAfterHold = 2
