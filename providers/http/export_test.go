package http

import (
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// Read reads one value at a place in a text, as the answers of servers are read.
func Read(place, text string) (value string, err error) {
	p, err := newPlace(place)
	if err != nil {
		return "", err
	}
	d, err := parse(credential.NewSensitive(text))
	if err != nil {
		return "", err
	}
	_ = p.all(d)
	_ = p.truth(d)
	_ = p.moment(d, unitAuto, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	_, _ = p.entries(d)
	return p.text(d), nil
}

// Expand fills a text in, as requests are filled in.
func Expand(text string, names []string, v map[string]any) (out string, present bool, err error) {
	t, err := newTemplate(text, names)
	if err != nil {
		return "", false, err
	}
	return t.expand(v, segment)
}

// Play plays a description against a text of recorded answers.
func Play(s *Settings, text []byte) error { return s.playText(text) }
