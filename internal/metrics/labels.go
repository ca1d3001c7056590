package metrics

import (
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// clean makes a text a valid label value. One bad byte in a name must not cost the scrape.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// named gives an empty label value a name: to Prometheus an empty label is a missing one.
func named(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return clean(s)
}

// phases are the phases of a rotation under way, which are its steps.
func phases() []credential.Phase {
	return []credential.Phase{
		credential.PhaseIntent, credential.PhaseCompensating, credential.PhaseStaged,
		credential.PhaseVerified, credential.PhaseOverlap, credential.PhaseRevoking,
	}
}

func noticeKinds() []credential.NoticeKind {
	return []credential.NoticeKind{
		credential.NoticeWarning, credential.NoticeFinal, credential.NoticeExpired, credential.NoticeAnnounce,
		credential.NoticeApprove, credential.NoticeRotated, credential.NoticeRetired, credential.NoticeFailed,
		credential.NoticeHeld, credential.NoticeReleased, credential.NoticeNoExpiry, credential.NoticeOldRemind, credential.NoticeInUse,
		credential.NoticeLeft, credential.NoticeStopped, credential.NoticeAdmin, credential.NoticeDrift,
	}
}

func noticeStates() []credential.NoticeState {
	return []credential.NoticeState{
		credential.NoticePending, credential.NoticeWaiting, credential.NoticeSent, credential.NoticeDropped, credential.NoticeDead,
	}
}

// What people answer to notices, and the ways in which they do.
const (
	verbAck    = "ack"
	verbSnooze = "snooze"
	wayMail    = "mail"    // the link in a mail
	wayCommand = "command" // a command of rotad
)

func answerVerbs() []string { return []string{verbAck, verbSnooze} }

// The ways in which a rotation ends.
const (
	outcomeDone       = "done"
	outcomeAborted    = "aborted"
	outcomeSuperseded = "superseded" // a later rotation had been made already
)

func rotationOutcomes() []string { return []string{outcomeDone, outcomeAborted, outcomeSuperseded} }
