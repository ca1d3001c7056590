package scheduler

import (
	"fmt"
	"testing"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/internal/model"
	"github.com/rotad/rotad/internal/rotation"
	"github.com/rotad/rotad/providers"
)

// lostReplies is how many replies to creates are lost in TestNothingIsLeftAfterLostReplies, at least.
const lostReplies = 1000

// Replies to creates are lost in every mode in which that can leave a secret behind; and where secrets carry labels, another
// create lands long after the rotation has ended, sent by a process that was paused. What the rotation itself does not find is
// found by label and retired. Nothing of ours is left, and nothing that somebody else made is touched, even under our label.
func TestNothingIsLeftAfterLostReplies(t *testing.T) {
	var modes []overlapMode
	for _, m := range overlapModes() {
		if m.caps.Mode.Additive() {
			modes = append(modes, m)
		}
	}
	kinds := []model.FaultKind{model.LostReply, model.CrashAfter, model.ServerError, model.Malformed}
	lost, found, retired, left, touched := 0, 0, 0, 0, 0
	for i := 0; lost < lostReplies; i++ {
		m := modes[i%len(modes)]
		t.Run(fmt.Sprintf("%d %s", i, m.name), func(t *testing.T) {
			l := newLife(m)
			lost += l.loseReplies(kinds[i/len(modes)%len(kinds)], 1+i/len(modes)%3)
			l.untilRotated(t)
			l.judge(t, m)
			foreign := l.landLate(t, m)
			n := l.letGo(t)
			found, retired = found+n, retired+n-len(l.store.rec.Orphans)
			left += len(l.provider.Live()) - 1 - len(l.provider.Foreign)
			for _, id := range l.provider.Revoked {
				if l.provider.Foreign[id] {
					touched++
				}
			}
			if _, there := l.seen(t).Find(foreign); foreign != "" && !there {
				touched++
			}
			for _, broken := range l.world.Broken {
				t.Errorf("violated: %s\n%s", broken, l.story())
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d replies lost in %d modes; found afterwards by label %d, retired %d; left %d, foreign ones touched %d", lost, len(modes), found, retired, left, touched)
	if left != 0 || touched != 0 || found == 0 || found != retired {
		t.Errorf("found %d, retired %d, left %d, foreign ones touched %d", found, retired, left, touched)
	}
}

// loseReplies lets the replies to the next n creates be lost.
func (l *life) loseReplies(kind model.FaultKind, n int) int {
	left := n
	l.world.Calling = func(index int, call string) {
		if call == "create" && left > 0 {
			left--
			l.world.Faults[index] = kind
		}
	}
	return n
}

// landLate lets a create of an earlier attempt land after the rotation has ended, and somebody else make a secret under a label
// of rotad. It returns the id of that one; empty where this mode keeps no labels, or nothing beside the current secret.
func (l *life) landLate(t *testing.T, m overlapMode) (foreign string) {
	t.Helper()
	l.world.Calling = nil
	clear(l.world.Faults)
	if !m.caps.Labels {
		return ""
	}
	checked := l.provider.Before
	defer func() { l.provider.Before = checked }()
	l.provider.Before = nil
	for label, ours := range map[string]bool{credential.Label(l.store.rec.Last.Rotation, 1): true, credential.Label("of-another-rotad", 1): false} {
		r := providers.Request{Label: label}
		if m.caps.Mode.Chosen() {
			r.Proposed = credential.Bundle{credential.FieldClientSecret: credential.NewSensitive("late " + label)}
		}
		made, err := l.provider.Create(t.Context(), providers.Target{}, r)
		if err != nil {
			t.Fatal(err)
		}
		if !ours {
			foreign = made.Secret.ID
			if l.provider.Foreign == nil {
				l.provider.Foreign = map[string]bool{}
			}
			l.provider.Foreign[foreign] = true
		}
	}
	return foreign
}

func (l *life) seen(t *testing.T) providers.Snapshot {
	t.Helper()
	snap, err := l.provider.Inspect(t.Context(), providers.Target{})
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// letGo lets a person retire all that the history proves to be ours, and waits until it is gone.
func (l *life) letGo(t *testing.T) (found int) {
	t.Helper()
	for _, s := range l.seen(t).Secrets {
		made, ours := rotation.MadeHere(s, l.store.audit)
		if s.ID == l.store.rec.Current.ID {
			continue
		}
		d, err := rotation.LetGo(s, made)(l.store.rec, rotation.Person{Name: "anna"}, l.sch.Env(l.store.rec))
		if ours != (err == nil) {
			t.Fatalf("%s, label %q: ours %t, let go: %v", s.ID, s.Label, ours, err)
		}
		if err != nil {
			continue
		}
		found++
		if _, _, err := l.store.Commit(t.Context(), credential.Change{Record: d.Record, Audit: d.Audit}); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if len(l.store.rec.Orphans) == 0 {
			break
		}
		l.runNow()
	}
	return found
}
