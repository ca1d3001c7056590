package notify

import (
	"slices"

	"github.com/rotad/rotad/internal/credential"
)

// Severity is how much a notice matters to whoever is told.
type Severity string

// The severities, the least first. The zero value counts as SeverityInfo.
const (
	SeverityInfo     Severity = "info"     // nothing to do
	SeverityWarning  Severity = "warning"  // somebody has to do something
	SeverityCritical Severity = "critical" // something is broken, or will be within a day
)

// Severities lists all severities, the least first.
func Severities() []Severity { return []Severity{SeverityInfo, SeverityWarning, SeverityCritical} }

// SeverityOf is the one table of how much each kind of notice matters. How urgent a mail looks follows from it.
func SeverityOf(n credential.Notice) Severity {
	switch n.Kind {
	case credential.NoticeFinal, credential.NoticeExpired:
		return SeverityCritical
	case credential.NoticeFailed:
		if n.Milestone == milestoneUnverified { // what Vault hands out may be refused, and the old one ends within the hour
			return SeverityCritical
		}
		return SeverityWarning
	case credential.NoticeHeld:
		if h := n.Facts.Hold; h != nil && h.Paging {
			return SeverityCritical
		}
		return SeverityWarning
	case credential.NoticeWarning, credential.NoticeApprove, credential.NoticeRotated,
		credential.NoticeNoExpiry, credential.NoticeOldRemind, credential.NoticeAdmin, credential.NoticeInUse, credential.NoticeStopped, KindChannel:
		return SeverityWarning
	case credential.NoticeRetired, credential.NoticeAnnounce, credential.NoticeReleased, credential.NoticeLeft, credential.NoticeDrift:
	}
	return SeverityInfo
}

// reaches says whether a notice matters enough for who wants at least so much.
func (s Severity) reaches(least Severity) bool {
	all := Severities()
	return slices.Index(all, s) >= slices.Index(all, least)
}
