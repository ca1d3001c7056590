package notify

import (
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/templates"
)

// milestoneLastCall is the word that an old secret goes although it is in use, as the rotation writes it.
const milestoneLastCall = "last-call"

// mostLate is how many late consumers a mail names.
const mostLate = 8

// users says who has moved to the new secret, and how long the old one waits for the others.
func (v view) users() templates.Users {
	f := v.notice.Facts
	c := f.Consumers
	u := templates.Users{
		Used: v.when(c.Used), Until: v.when(c.Until), Ends: v.when(c.Until), Revokes: c.Then == credential.AtMaxRevoke,
	}
	if c.Until.IsZero() {
		u.Ends = v.when(f.OldDies)
	}
	if c.Of == 0 {
		return u
	}
	u.Said = v.say("users.moved", c)
	if len(c.Late) > 0 {
		u.Said += "; " + v.say("users.late", v.late(c.Late))
	}
	return u
}

// late names those who have not moved, with when they were seen on the old secret last.
func (v view) late(list []credential.ConsumerState) string {
	var names []string
	for i, c := range list {
		if i == mostLate {
			names = append(names, v.say("users.more", len(list)-mostLate))
			break
		}
		about := struct {
			Name    string
			Version int
			Seen    templates.When
		}{v.name(c.Name), c.Version, v.when(c.At)}
		key := "users.seen"
		if c.Version == 0 {
			key = "users.silent"
		}
		names = append(names, v.say(key, about))
	}
	return strings.Join(names, ", ")
}

// moved is the command that speaks for a late consumer.
func (v view) moved(id string) string {
	f := v.notice.Facts
	if len(f.Consumers.Late) == 0 || f.VaultVersion == 0 {
		return ""
	}
	return fmt.Sprintf("rotad ack %s --consumer %s --version %d", id, quote(clean(f.Consumers.Late[0].Name, maxDetail)), f.VaultVersion)
}

// staleUse drops the word that an old secret is in use once nobody has to move any more.
func staleUse(n credential.Notice, r credential.Record) string {
	switch {
	case r.Rotation == nil || r.Rotation.ID != n.Facts.Rotation || r.Phase() != credential.PhaseOverlap:
		return "the old secret is gone"
	case n.Milestone != milestoneLastCall && r.Rotation.LastCall:
		return "a later word takes its place"
	case r.Rotation.Policy.OverlapEnds == credential.EndsMoved && len(r.Late()) == 0:
		return "everybody has moved"
	}
	return ""
}
