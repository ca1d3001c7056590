package vault

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rotad/rotad/internal/credential"
)

// Prefixes of the keys that hold a bundle's fields. The second is for values that are not UTF-8, which JSON would
// change on the way; they stand there in base64.
const (
	bundlePrefix = "bundle."
	binaryPrefix = "bundle64."
)

// entry is a staging entry as it stands in Vault: one level of keys, so that a person can read it with "vault kv get".
// The bundle's fields stand beside these, under bundlePrefix. Keys may be added, never renamed: entries outlive
// versions of rotad, and readers skip keys that they do not know.
type entry struct {
	Client   string    `json:"client,omitempty"`
	Rotation string    `json:"rotation,omitempty"`
	Attempt  int       `json:"attempt,omitempty"`
	Phase    string    `json:"phase"`
	Instance string    `json:"instance,omitempty"`
	Boot     string    `json:"boot,omitempty"`
	FencedAt time.Time `json:"fenced_at,omitzero"`
	Earlier  time.Time `json:"earlier_fence,omitzero"`
	Before   []string  `json:"before,omitempty"`
	OldID    string    `json:"old_id,omitempty"`
	Consumer int       `json:"consumer_version,omitempty"`
	Label    string    `json:"label,omitempty"`

	NewID      string    `json:"secret_id,omitempty"`
	NewSlot    string    `json:"secret_slot,omitempty"`
	NewStart   time.Time `json:"secret_start,omitzero"`
	NewExpires time.Time `json:"secret_expires,omitzero"`
	NewNever   bool      `json:"secret_never_expires,omitzero"`
	NewLabel   string    `json:"secret_label,omitempty"`
	NewHint    string    `json:"secret_hint,omitempty"`
	NewLastUse time.Time `json:"secret_last_use,omitzero"`

	Raw []byte `json:"reply,omitempty"` // base64 by way of encoding/json: a reply need not be UTF-8
}

var errPhase = errors.New("the entry has no phase that this version of rotad knows")

func known(p credential.StagingPhase) bool {
	switch p {
	case credential.StagingIntent, credential.StagingPending, credential.StagingReceived,
		credential.StagingStaged, credential.StagingIdle:
		return true
	}
	return false
}

// encodeStaging returns the data of an entry. Its errors hold no values.
func encodeStaging(s credential.Staging) (map[string]json.RawMessage, error) {
	if !known(s.Phase) {
		return nil, errPhase
	}
	raw, err := json.Marshal(entry{
		Client: s.Client, Rotation: s.Rotation, Attempt: s.Attempt, Phase: string(s.Phase), Instance: s.Instance, Boot: s.Boot,
		FencedAt: s.FencedAt.UTC(), Earlier: s.Earlier.UTC(), Before: s.Before, OldID: s.OldID, Consumer: s.Consumer, Label: s.Label,
		NewID: s.New.ID, NewSlot: s.New.Slot, NewStart: s.New.Start.UTC(), NewExpires: s.New.Expires.UTC(),
		NewNever: s.New.Never, NewLabel: s.New.Label, NewHint: s.New.Hint, NewLastUse: s.New.LastUse.UTC(),
		Raw: []byte(s.Raw.Reveal()),
	})
	if err != nil {
		return nil, errors.New("the entry cannot be encoded: a time lies outside the years 0 to 9999")
	}
	var data map[string]json.RawMessage
	if err = json.Unmarshal(raw, &data); err != nil {
		return nil, errors.New("the entry cannot be encoded")
	}
	for field, value := range s.Bundle {
		key, text := bundlePrefix+field, value.Reveal()
		if !utf8.ValidString(text) {
			key, text = binaryPrefix+field, base64.StdEncoding.EncodeToString([]byte(text))
		}
		if data[key], err = json.Marshal(text); err != nil {
			return nil, fmt.Errorf("the field %q cannot be encoded", field)
		}
	}
	return data, nil
}

// decodeStaging reads the data of an entry: it skips keys that it does not know, and refuses a phase that it does not
// know, because nothing may be concluded from that. Its errors hold no values.
func decodeStaging(data map[string]json.RawMessage) (credential.Staging, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return credential.Staging{}, errors.New("the entry is no JSON")
	}
	var e entry
	if err = json.Unmarshal(raw, &e); err != nil {
		return credential.Staging{}, fmt.Errorf("the entry's %s is not of its type", fieldOf(err))
	}
	if !known(credential.StagingPhase(e.Phase)) {
		return credential.Staging{}, errPhase
	}
	bundle, err := decodeBundle(data)
	if err != nil {
		return credential.Staging{}, err
	}
	return credential.Staging{
		Client: e.Client, Rotation: e.Rotation, Attempt: e.Attempt, Phase: credential.StagingPhase(e.Phase),
		Instance: e.Instance, Boot: e.Boot, FencedAt: e.FencedAt.UTC(), Earlier: e.Earlier.UTC(), Before: e.Before, OldID: e.OldID,
		Consumer: e.Consumer, Label: e.Label, Bundle: bundle, Raw: credential.NewSensitive(string(e.Raw)),
		New: credential.Secret{
			ID: e.NewID, Slot: e.NewSlot, Start: e.NewStart.UTC(), Expires: e.NewExpires.UTC(), Never: e.NewNever,
			Label: e.NewLabel, Hint: e.NewHint, LastUse: e.NewLastUse.UTC(),
		},
	}, nil
}

// fieldOf names the field that a decoder stumbled over. The decoder's own text would quote the value.
func fieldOf(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return wrong.Field
	}
	return "content"
}

// decodeBundle returns nil where there is no field.
func decodeBundle(data map[string]json.RawMessage) (credential.Bundle, error) {
	var bundle credential.Bundle
	for key, raw := range data {
		field, plain := strings.CutPrefix(key, bundlePrefix)
		if !plain {
			var binary bool
			if field, binary = strings.CutPrefix(key, binaryPrefix); !binary {
				continue
			}
		}
		value, err := decodeField(raw, !plain)
		if err != nil {
			return nil, fmt.Errorf("the entry's field %q is not of its type", field)
		}
		if bundle == nil {
			bundle = credential.Bundle{}
		}
		bundle[field] = credential.NewSensitive(value)
	}
	return bundle, nil
}

func decodeField(raw json.RawMessage, binary bool) (string, error) {
	if binary {
		var value []byte
		err := json.Unmarshal(raw, &value)
		return string(value), err
	}
	var value string
	err := json.Unmarshal(raw, &value)
	return value, err
}
