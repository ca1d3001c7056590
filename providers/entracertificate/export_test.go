package entracertificate

import (
	"encoding/json"

	"github.com/rotad/rotad/internal/credential"
)

// PairOf lets a test read what stands in a bundle, and returns its certificate.
func PairOf(b credential.Bundle) ([]byte, error) {
	p, err := pairOf(b)
	if err != nil {
		return nil, err
	}
	return p.certificate.Raw, nil
}

// Kept is an entry as it goes back.
func Kept(raw []byte) ([]byte, error) {
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	return json.Marshal(e.kept())
}
