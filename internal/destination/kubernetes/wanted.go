package kubernetes

import "github.com/rotad/rotad/internal/credential"

// wanted is what rotad's keys of a Secret are to hold.
type wanted struct {
	values map[string]credential.Sensitive
	gone   []string // keys of the old secret while there is none
}

func wantedOf(p credential.KubernetesPlace, c credential.Copy) (wanted, error) {
	values, err := c.Named(p.Names, p.Previous, func(field string) string { return field })
	if err != nil {
		return wanted{}, err
	}
	w := wanted{values: values}
	for _, key := range p.Previous {
		if _, ok := values[key]; !ok {
			w.gone = append(w.gone, key)
		}
	}
	return w, nil
}

// in says whether a Secret holds all of that; nil = there is no Secret.
func (w wanted) in(s *secret) bool {
	if s == nil {
		return false
	}
	for key, value := range w.values {
		if have, ok := s.Data[key]; !ok || !credential.NewSensitive(string(have)).Equal(value) {
			return false
		}
	}
	for _, key := range w.gone {
		if _, ok := s.Data[key]; ok {
			return false
		}
	}
	return true
}

// made is the data of a new Secret, which JSON holds in base64.
func (w wanted) made() map[string]any {
	out := map[string]any{}
	for key, value := range w.values {
		out[key] = []byte(value.Reveal())
	}
	return out
}

// changed is the data of a merge patch, in which null removes a key (RFC 7396).
func (w wanted) changed() map[string]any {
	out := w.made()
	for _, key := range w.gone {
		out[key] = nil
	}
	return out
}
