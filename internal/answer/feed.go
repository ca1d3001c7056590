package answer

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Limits of feeds. A feed is written while the clients are read, a page of them at a time: none is ever held as a whole.
const (
	feedsAtOnce = 4
	feedTime    = 5 * time.Minute // for one feed, however slow its reader is; pages are so small that they do not wait for theirs
)

// Feed is where the events of an owner come from.
type Feed interface {
	// Generation is the number of the address of an owner's feed; 0 also for an owner that does not exist.
	Generation(ctx context.Context, owner string) (uint64, error)
	// Tag is another one whenever the feed would be another one. ErrNobody: there is no such owner.
	Tag(ctx context.Context, owner string) (string, error)
	// Write writes the feed as an iCalendar object.
	Write(ctx context.Context, owner string, w io.Writer) error
}

// calendar answers with a feed.
func (s *Server) calendar() http.HandlerFunc {
	turns := make(chan struct{}, feedsAtOnce)
	return func(w http.ResponseWriter, r *http.Request) {
		owner, err := s.feedOf(r.Context(), r.PathValue("name"))
		if err != nil {
			s.refuse(w, r, Matter{}, err)
			return
		}
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-r.Context().Done():
			return
		}
		s.write(w, r, owner)
	}
}

func (s *Server) feedOf(ctx context.Context, name string) (string, error) {
	key, err := s.Key()
	if err != nil {
		return "", err
	}
	return feedOwner(ctx, credential.NewSensitive(key), name, s.Feed.Generation)
}

// write sends a feed, or says that the reader has it already. The tag is made first: a change between the two is fetched at the
// next visit.
func (s *Server) write(w http.ResponseWriter, r *http.Request, owner string) {
	tag, err := s.Feed.Tag(r.Context(), owner)
	if err != nil {
		s.refuse(w, r, Matter{}, err)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+tag+`"`)
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `inline; filename="rotad.ics"`)
	if r.Method == http.MethodHead {
		return
	}
	if err := s.Feed.Write(r.Context(), owner, w); err != nil {
		if r.Context().Err() == nil {
			s.Log.Error("a calendar feed was cut off", "owner", owner, "error", err)
		}
		panic(http.ErrAbortHandler) // or half a calendar would pass for a whole one
	}
}

// matches compares the tags of If-None-Match (RFC 9110 section 13.1.2).
func matches(headers []string, tag string) bool {
	for given := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		given = strings.TrimPrefix(strings.TrimSpace(given), "W/")
		if given == "*" || given == `"`+tag+`"` {
			return true
		}
	}
	return false
}
