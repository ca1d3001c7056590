package odc

import (
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

var errNoSecret = errors.New("the reply has no new_secret")

// readIssued reads the reply of the endpoint. Only the plaintext is indispensable: a date that cannot be read is one that
// nobody knows, and costs no secret.
func readIssued(raw credential.Sensitive, id string) (providers.Issued, error) {
	var body map[string]any
	if err := httpapi.Unmarshal(raw, &body); err != nil {
		return providers.Issued{}, err
	}
	value, _ := member(body, "new_secret", "newSecret").(string)
	if value == "" {
		return providers.Issued{}, errNoSecret
	}
	return providers.Issued{
		Secret: credential.Secret{
			Slot: providers.SlotCurrent, Start: moment(member(body, "valid_from", "validFrom")),
			Expires: moment(member(body, "expires_at", "expiresAt")),
		},
		Bundle: credential.Bundle{
			credential.FieldClientID: credential.NewSensitive(id), credential.FieldClientSecret: credential.NewSensitive(value),
		},
	}, nil
}

// member returns the first member of these names: the one of the request for the endpoint, and how ODC's APIs write theirs.
func member(o map[string]any, names ...string) any {
	for _, name := range names {
		if value, ok := o[name]; ok {
			return value
		}
	}
	return nil
}

// Epoch times: from firstMilli on, a number counts milliseconds; in seconds it would be in the year 5138.
const (
	firstMilli = 1e11
	lastMoment = 253402300799 // seconds; the end of the year 9999, the last that RFC 3339 can write
)

// moment reads a time of RFC 3339, or a number that counts from 1970, as a number or as a text. Zero = it is none, or not
// after 1970, which is what servers write for "none".
func moment(value any) time.Time {
	switch v := value.(type) {
	case float64:
		return epoch(v)
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil && t.Unix() > 0 {
			return t.UTC()
		}
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return epoch(n)
		}
	}
	return time.Time{}
}

func epoch(n float64) time.Time {
	if n >= firstMilli {
		n /= 1000
	}
	whole := math.Floor(n)
	if !(whole > 0 && whole <= lastMoment) { // also what is no number
		return time.Time{}
	}
	return time.Unix(int64(whole), int64((n-whole)*1e9)).UTC().Truncate(time.Millisecond)
}
