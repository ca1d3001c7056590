package notify

import (
	"errors"

	"github.com/rotad/rotad/templates"
)

// speech says messages in the language of one reader. It keeps what cannot be said: a message that lacks some of its words is not
// sent, because nobody would notice that they are missing.
type speech struct {
	*templates.Language

	wrong error
}

// say returns a message about something.
func (s *speech) say(key string, about any) string {
	text, err := s.Say(key, about)
	s.wrong = errors.Join(s.wrong, err)
	return text
}
