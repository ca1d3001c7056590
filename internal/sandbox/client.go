package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"sync"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// client is a registered client and every version of its secret, oldest first. Removed versions stay as tombstones,
// so that a login with one of them can be told from a login with a value that never existed.
type client struct {
	Registration

	mu       sync.Mutex
	versions []*version
	keys     []*certificate
	logins   []Login // a ring of the last maxLogins
	next     int     // where the ring goes on
	counts   map[string]Count
}

// version is one secret: its verifier and the times between which it opens the door.
type version struct {
	id       string
	verifier [sha256.Size]byte
	start    time.Time
	visible  time.Time // listed from then on
	usable   time.Time // accepted from then on: changes need time to reach every replica
	expires  time.Time // zero = never
	dies     time.Time // accepted until then, although removed or superseded; zero = no end of that sort
	removed  bool      // no longer listed
	label    string
	hint     string
	tail     string // the last characters of the value, where a dialect shows those
}

// refusal says why a login was refused.
type refusal string

// The refusals.
const (
	admitted    refusal = ""
	wrongSecret refusal = "wrong"
	expired     refusal = "expired"
	disabled    refusal = "disabled"
	wrongMethod refusal = "wrong-method"
	noClient    refusal = "no-client"
)

// add makes value the newest version. The caller holds the lock, or the client is not shared yet.
func (c *client) add(now time.Time, id, value string) *version {
	v := &version{id: id, verifier: sha256.Sum256([]byte(value)), start: now, visible: now, usable: now}
	v.hint, v.tail = value[:min(hintLength, len(value))], value[max(0, len(value)-tailLength):]
	c.versions = append(c.versions, v)
	return v
}

// hintLength is how much of a value Graph shows for good.
const hintLength = 3

// tailLength is how much of a value Stytch shows.
const tailLength = 4

// listed returns the versions that are not removed and have become visible, oldest first.
func (c *client) listed(now time.Time) []*version {
	var out []*version
	for _, v := range c.versions {
		if !v.removed && !now.Before(v.visible) {
			out = append(out, v)
		}
	}
	return out
}

// present returns the versions that are not removed, visible or not: what the provider itself works with.
func (c *client) present() []*version {
	return slices.DeleteFunc(slices.Clone(c.versions), func(v *version) bool { return v.removed })
}

// remove ends a version: it is no longer listed, and refused from dies on.
func (v *version) remove(dies time.Time) {
	v.removed = true
	v.end(dies)
}

// end lets a version die at a time, unless it dies earlier anyway.
func (v *version) end(at time.Time) {
	if v.dies.IsZero() || at.Before(v.dies) {
		v.dies = at
	}
}

// until returns when a version stops being accepted; zero = never.
func (v *version) until() time.Time {
	if v.dies.IsZero() || (!v.expires.IsZero() && v.expires.Before(v.dies)) {
		return v.expires
	}
	return v.dies
}

func (v *version) alive(now time.Time) bool {
	end := v.until()
	return !now.Before(v.usable) && (end.IsZero() || now.Before(end))
}

// check looks a presented secret up. The id is that of the version it belongs to, dead or alive; empty = none.
func (c *client) check(now time.Time, secret, method string) (id string, why refusal) {
	sum := sha256.Sum256([]byte(secret))
	why = wrongSecret
	for _, v := range slices.Backward(c.versions) {
		if subtle.ConstantTimeCompare(sum[:], v.verifier[:]) != 1 {
			continue
		}
		if id == "" || v.alive(now) {
			id = v.id
		}
		if v.alive(now) {
			why = admitted
			break
		}
		if !v.removed && !v.expires.IsZero() && !now.Before(v.expires) {
			why = expired
		}
	}
	if why == admitted {
		why = c.admits(method)
	}
	return id, why
}

// admits says whether a client with the right secret may log in this way.
func (c *client) admits(method string) refusal {
	switch {
	case c.Disabled:
		return disabled
	case c.Auth != "" && c.Auth != method:
		return wrongMethod
	}
	return admitted
}

// describe turns a version into what rotad's own types call it.
func (v *version) describe() credential.Secret {
	return credential.Secret{
		ID: v.id, Start: v.start, Expires: v.until(), Never: v.until().IsZero(), Label: v.label, Hint: v.hint,
	}
}
