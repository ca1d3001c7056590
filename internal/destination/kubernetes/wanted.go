package kubernetes

import "github.com/rotad/rotad/internal/credential"

// wanted is what rotad's keys of a Secret are to hold.
type wanted struct{ credential.Keys }

func wantedOf(p credential.KubernetesPlace, c credential.Copy) (wanted, error) {
	keys, err := c.Keys(p.Names, p.Previous)
	return wanted{keys}, err
}

// in says whether a Secret holds all of that; nil = there is no Secret.
func (w wanted) in(s *secret) bool {
	if s == nil {
		return false
	}
	for key, value := range w.Values {
		if have, ok := s.Data[key]; !ok || !credential.NewSensitive(string(have)).Equal(value) {
			return false
		}
	}
	for _, key := range w.Gone {
		if _, ok := s.Data[key]; ok {
			return false
		}
	}
	return true
}

// made is the data of a new Secret, which JSON holds in base64.
func (w wanted) made() map[string]any {
	out := map[string]any{}
	for key, value := range w.Values {
		out[key] = []byte(value.Reveal())
	}
	return out
}

// changed is the data of a merge patch, in which null removes a key (RFC 7396).
func (w wanted) changed() map[string]any {
	out := w.made()
	for _, key := range w.Gone {
		out[key] = nil
	}
	return out
}
