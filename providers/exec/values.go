package exec

import (
	"github.com/rotad/rotad/internal/credential"
)

// secrets are the clear values of a call and of the reply to it: what must not be in a log or an error.
func (c call) secrets(stdout []byte) *secrets {
	public := map[string]bool{}
	if c.Target != nil {
		public[c.Target.Client] = true
		for _, value := range c.Target.Ref {
			public[value] = true
		}
	}
	values := []string{c.Credential.Reveal()}
	for _, value := range c.Bundle {
		values = append(values, value.Reveal())
	}
	if c.Request != nil {
		for _, value := range c.Request.Proposed {
			values = append(values, value.Reveal())
		}
	}
	got, err := decodeChange(credential.NewSensitive(string(stdout)))
	if err == nil && got.Issued != nil {
		for _, value := range got.Issued.Bundle {
			values = append(values, value.Reveal())
		}
	}
	s := newSecrets(values, public)
	s.also(c.Raw.Reveal())
	switch {
	case err != nil: // whatever it is, it may hold a value
		s.also(string(stdout))
	case got.Error != nil:
		s.also(got.Error.Raw.Reveal())
	}
	return s
}
