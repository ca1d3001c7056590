package stage

import (
	"slices"
	"sync"
	"time"
)

// Story keeps what happened, and which part of it rotad did about something that was broken. It is safe for concurrent
// use.
type Story struct {
	mu       sync.Mutex
	feed     []Line
	chapters []*Chapter
	n        int
}

// shown is how much of a story a page is given.
const (
	feedShown     = 40
	chaptersShown = 6
	linesShown    = 40
)

// Begin opens a chapter and returns its number.
func (s *Story) Begin(c Chapter) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	c.N = s.n
	s.chapters = append(s.chapters, &c)
	if len(s.chapters) > chaptersShown {
		s.chapters = slices.Delete(s.chapters, 0, 1)
	}
	return c.N
}

// End closes a chapter.
func (s *Story) End(n int, at time.Time, verdict string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.chapters {
		if c.N == n && c.Ended.IsZero() {
			c.Ended, c.Verdict = at, verdict
		}
	}
}

// Tell adds a line to the feed, and to the open chapters that it belongs to: those of its client, and those of nobody.
func (s *Story) Tell(l Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feed = append(s.feed, l)
	if len(s.feed) > feedShown {
		s.feed = slices.Delete(s.feed, 0, len(s.feed)-feedShown)
	}
	for _, c := range s.chapters {
		if c.Ended.IsZero() && (c.Client == l.Client || c.Client == "" || l.Client == "") && len(c.Lines) < linesShown {
			c.Lines = append(c.Lines, l)
		}
	}
}

// Fill puts the story into a scene, the newest first.
func (s *Story) Fill(scene *Scene) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scene.Feed = append([]Line{}, s.feed...) // never null
	slices.Reverse(scene.Feed)
	scene.Story = make([]Chapter, 0, len(s.chapters))
	for _, c := range slices.Backward(s.chapters) {
		chapter := *c
		chapter.Lines = append([]Line{}, c.Lines...)
		scene.Story = append(scene.Story, chapter)
	}
}
