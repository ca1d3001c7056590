package answer

import (
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// Offer is a link as a mail shows it.
type Offer struct {
	Verb Verb
	URL  string
}

// Offers writes the links of a notice for one of its readers. root is where the listener is reached.
func Offers(root string, key credential.Sensitive, n *credential.Notice, to string) ([]Offer, error) {
	var out []Offer
	for _, verb := range verbsOf(n) {
		l := Link{Client: n.Client, To: to, Verb: verb, Kind: n.Kind, Noted: n.At, Until: n.At.Add(Life)}
		if aboutEnd(n.Kind) {
			l.Ends = n.Facts.Expires
		}
		signed, err := l.Sign(key)
		if err != nil {
			return nil, err
		}
		out = append(out, Offer{verb, strings.TrimRight(root, "/") + "/answer/" + signed})
	}
	return out, nil
}

func aboutEnd(k credential.NoticeKind) bool {
	return k == credential.NoticeWarning || k == credential.NoticeFinal || k == credential.NoticeExpired
}

// verbsOf says how a notice can be answered. Only warnings can be put off; "I have seen it" under a mail that asks for an approval
// would be taken for one.
func verbsOf(n *credential.Notice) []Verb {
	switch n.Kind {
	case credential.NoticeWarning:
		return []Verb{VerbAck, VerbSnooze}
	case credential.NoticeFinal, credential.NoticeExpired, credential.NoticeNoExpiry, credential.NoticeHeld, credential.NoticeFailed,
		credential.NoticeOldRemind, credential.NoticeInUse:
		return []Verb{VerbAck}
	case credential.NoticeAnnounce, credential.NoticeApprove, credential.NoticeRotated, credential.NoticeRetired,
		credential.NoticeReleased, credential.NoticeLeft, credential.NoticeAdmin, credential.NoticeStopped, credential.NoticeDrift:
	}
	return nil
}
