package telekom

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// status is what the platform says about an application's secrets.
type status struct {
	word     string // overallStatus
	complete bool
	clientID string // empty while it is not complete

	current        credential.Sensitive
	expires        time.Time            // of current; zero = not shown
	rotated        credential.Sensitive // the one before it, alive or not
	rotatedExpires time.Time            // zero = not shown: then it died when it was replaced
	time           time.Time            // the platform's clock; zero = not known
}

// counting says whether a replaced secret still lives by the platform's own clock. Another rotation would end it.
func (s status) counting() bool {
	return !s.rotatedExpires.IsZero() && !s.time.IsZero() && s.time.Before(s.rotatedExpires)
}

// Why a mode was chosen, for people.
const (
	whyOff     = "secret_rotation is off"
	whyNoDates = "the platform shows no expiry, so the zone seems to be without SecretRotation; where it has it, write secret_rotation: on"
	whyNoGrace = "the platform does not show for how long the zone keeps a replaced secret; ask for its gracePeriod and write it as grace or grace_period"
	whyGrace   = "the zone keeps a replaced secret for its grace period"
)

// capabilities says what a rotation would do. The zone's settings cannot be read, so two things must speak for an overlap:
// that there is one (dates, or a person's word) and how long it is (a person's word alone). Else the rotation counts as a
// cutover, which nobody is put through without having permitted it.
func (s status) capabilities(z zones, t providers.Target) credential.Capabilities {
	caps := credential.Capabilities{
		Mode: credential.ModeHardCutover, Readable: true, StartReadable: true, Slots: 1,
	}
	dated := !s.expires.IsZero() || !s.rotatedExpires.IsZero()
	grace := z.graceOf(t)
	switch {
	case z.rotation == rotationOff:
		caps.Reason = whyOff
	case z.rotation != rotationOn && !dated:
		caps.Reason = whyNoDates
	case grace == 0:
		caps.Reason = whyNoGrace
	default:
		caps.Mode, caps.Reason, caps.Slots, caps.Grace = credential.ModeGraceWindow, whyGrace, 2, grace
	}
	return caps
}

// clockAgreement is how far the platform's servers may disagree about the time.
const clockAgreement = time.Minute

// start is when the current secret began, as far as that follows from a stated grace; zero = it does not. A start that is
// still to come says that the stated grace is shorter than the zone's.
func (s status) start(grace time.Duration) time.Time {
	if grace == 0 || s.rotatedExpires.IsZero() {
		return time.Time{}
	}
	start := s.rotatedExpires.Add(-grace)
	if !s.time.IsZero() && start.After(s.time.Add(clockAgreement)) {
		return time.Time{}
	}
	return start
}

// secret describes the current secret.
func (s status) secret(id string, grace time.Duration) credential.Secret {
	return credential.Secret{
		ID: versionID(id, s.current), Slot: providers.SlotCurrent, Start: s.start(grace), Expires: s.expires,
	}
}

// secrets lists the current one and, where a date says that it lived on, the one before it. A replaced one without a date
// is shown where an annotation has switched the grace off: it is dead.
func (s status) secrets(id string, grace time.Duration) []credential.Secret {
	list := []credential.Secret{s.secret(id, grace)}
	if s.rotatedExpires.IsZero() {
		return list
	}
	previous := credential.Secret{Slot: providers.SlotPrevious, Expires: s.rotatedExpires}
	if !s.rotated.Empty() {
		previous.ID = versionID(id, s.rotated)
	}
	return append(list, previous)
}

// versionRounds makes guessing a value from its id slow.
const versionRounds = 4096

// versionID names a version of a secret. The platform gives versions no id and no start, and both dates change when a
// version is replaced. What stays with it in either slot is its value, so the id is a short, slow, salted digest of that.
func versionID(id string, value credential.Sensitive) string {
	sum, err := pbkdf2.Key(sha256.New, value.Reveal(), []byte("rotad telekom\x00"+id), versionRounds, 8)
	if err != nil {
		return "" // only in FIPS mode with a short key; a version without an id is never revoked
	}
	return "v" + hex.EncodeToString(sum)
}
