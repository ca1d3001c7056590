package answer

import "net/http"

// Refusal is why somebody got nothing, for who counts.
type Refusal string

// The refusals.
const (
	RefusalWrong    Refusal = "not-signed" // the link, or the address of a feed, was not signed with this key, or was changed
	RefusalTooMany  Refusal = "too-many"   // the same, once more than an address may try
	RefusalEnded    Refusal = "ended"      // the time of the link is over
	RefusalAnswered Refusal = "answered"   // this mail, or a later one, has been answered
	RefusalOutdated Refusal = "outdated"   // the secret was replaced, or has another end now
	RefusalNobody   Refusal = "nobody"     // the client or the owner has gone, or the address does not answer for it
	RefusalNoButton Refusal = "no-button"  // something was posted that is not the button of the page
	RefusalClear    Refusal = "clear"      // it came in clear, and links have https
	RefusalBusy     Refusal = "busy"       // too many people at once
	RefusalBroken   Refusal = "broken"     // a full disk, a key that cannot be read, a defect: the log says which
)

// Refusals are all of them.
func Refusals() []Refusal {
	return []Refusal{
		RefusalWrong, RefusalTooMany, RefusalEnded, RefusalAnswered, RefusalOutdated, RefusalNobody, RefusalNoButton, RefusalClear,
		RefusalBusy, RefusalBroken,
	}
}

// deny shows the page of a refusal, which ends by saying that nothing was changed, and counts it. RefusalNoButton has none: it gets
// its question once more.
func (s *Server) deny(w http.ResponseWriter, t *tongue, why Refusal) {
	s.count(why)
	status, message := pageOf(why)
	s.show(w, status, t, page{
		Title: t.say(message+".title", nil), Lead: t.say(message+".lead", nil), Lines: []string{t.say("unchanged", nil)},
	})
}

// pageOf names the messages of a refusal, and its status.
func pageOf(why Refusal) (status int, message string) {
	switch why {
	case RefusalWrong:
		return http.StatusNotFound, "wrong"
	case RefusalTooMany:
		return http.StatusTooManyRequests, "too_many"
	case RefusalEnded, RefusalAnswered, RefusalOutdated, RefusalNobody:
		return http.StatusGone, string(why)
	case RefusalClear:
		return http.StatusForbidden, "clear"
	case RefusalBusy:
		return http.StatusServiceUnavailable, "busy"
	case RefusalBroken, RefusalNoButton:
	}
	return http.StatusInternalServerError, "broken"
}

func (s *Server) count(why Refusal) {
	if s.Refused != nil {
		s.Refused(why)
	}
}
