package exec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
	"github.com/rotad/rotad/providers/httpapi"
)

var (
	errVersion  = fmt.Errorf("the program speaks another version of the protocol than %d", protocol)
	errNoMember = errors.New("the reply lacks the member that belongs to the operation")
	errBoth     = errors.New("the reply has an error and a result")
	errStrict   = errors.New("the reply has a member that the protocol does not know, or one of the wrong type")
	errNoValue  = errors.New("the bundle of the reply is empty or has an empty value")
	errMode     = errors.New("capabilities.mode is none of two-slot, caller-chosen, grace-window, hard-cutover and manual")
	errReason   = errors.New("capabilities.reason is empty: it says to people why the mode is what it is")
	errSameID   = errors.New("two listed secrets have the same id")
	errSlotID   = errors.New(`"current" and "previous" are names of slots, not ids`)
	errAnswer   = errors.New("answer is neither accepted nor refused")
)

// decodeStrict reads the reply of an operation that changes nothing. A member that the protocol does not know is a
// mistake that is better found here than in the reply to a create.
func decodeStrict(stdout credential.Sensitive) (reply, error) {
	var version struct {
		Protocol *int `json:"protocol"`
	}
	if err := httpapi.Unmarshal(stdout, &version); err != nil {
		return reply{}, err
	}
	if version.Protocol == nil || *version.Protocol != protocol {
		return reply{}, errVersion
	}
	var r reply
	d := json.NewDecoder(strings.NewReader(stdout.Reveal()))
	d.DisallowUnknownFields()
	switch err := d.Decode(&r); {
	case errors.Is(err, errMoment):
		return reply{}, errMoment
	case err != nil:
		return reply{}, errStrict // the cause repeats the name of the member, which is not ours
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return reply{}, errStrict
	}
	if r.Error != nil && r.hasResult() {
		return reply{}, errBoth
	}
	return r, nil
}

func (r reply) hasResult() bool {
	return r.Describe != nil || r.Snapshot != nil || r.Issued != nil || r.Answer != "" || r.Revoked || r.Findings != nil
}

// decodeChange reads the reply of an operation that changes something. Here a mistake in what is said beside the value
// must not cost the value: unknown members are ignored, and what cannot be read of the metadata counts as not said.
func decodeChange(stdout credential.Sensitive) (reply, error) {
	var loose struct {
		Protocol *int            `json:"protocol"`
		Error    json.RawMessage `json:"error"`
		Revoked  json.RawMessage `json:"revoked"`
		Issued   *struct {
			Bundle  map[string]cleartext `json:"bundle"`
			Secret  json.RawMessage      `json:"secret"`
			OldDies json.RawMessage      `json:"old_dies"`
		} `json:"issued"`
	}
	if err := httpapi.Unmarshal(stdout, &loose); err != nil {
		return reply{}, err
	}
	if loose.Protocol == nil || *loose.Protocol != protocol {
		return reply{}, errVersion
	}
	r := reply{Protocol: protocol, Revoked: string(loose.Revoked) == "true"}
	if loose.Issued != nil {
		r.Issued = &issued{Bundle: loose.Issued.Bundle}
		r.Issued.Secret = tolerant[secret](loose.Issued.Secret)
		r.Issued.OldDies = tolerant[moment](loose.Issued.OldDies)
	}
	if len(loose.Error) > 0 && string(loose.Error) != "null" {
		failed := tolerant[fault](loose.Error)
		r.Error = &failed
	}
	if r.Error != nil && r.hasResult() {
		return reply{}, errBoth
	}
	return r, nil
}

// tolerant decodes an object, or of one that has mistakes the members that have none.
func tolerant[T any](raw json.RawMessage) T {
	var v, zero T
	if len(raw) == 0 || json.Unmarshal(raw, &v) == nil {
		return v
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return zero
	}
	v = zero
	for name, member := range members {
		one, err := json.Marshal(map[string]json.RawMessage{name: member})
		if next := v; err == nil && json.Unmarshal(one, &next) == nil {
			v = next
		}
	}
	return v
}

var modes = []credential.Mode{
	credential.ModeTwoSlot, credential.ModeCaller, credential.ModeGraceWindow, credential.ModeHardCutover, credential.ModeManual,
}

func (s *snapshot) check() error {
	switch {
	case s == nil:
		return errNoMember
	case !slices.Contains(modes, credential.Mode(s.Capabilities.Mode)):
		return errMode
	case s.Capabilities.Reason == "":
		return errReason
	}
	seen := map[string]bool{}
	for _, one := range s.Secrets {
		switch {
		case one.ID == providers.SlotCurrent || one.ID == providers.SlotPrevious:
			return errSlotID
		case one.ID != "" && seen[one.ID]:
			return errSameID
		}
		seen[one.ID] = true
	}
	return nil
}

func (i *issued) check() error {
	if i == nil {
		return errNoMember
	}
	for _, value := range i.Bundle {
		if value.Empty() {
			return errNoValue
		}
	}
	if len(i.Bundle) == 0 {
		return errNoValue
	}
	if i.Secret.ID == providers.SlotCurrent || i.Secret.ID == providers.SlotPrevious {
		i.Secret.ID = "" // no id at all is better than one that names two secrets in turn; the value counts
	}
	return nil
}

func parseAnswer(text string) (providers.Answer, error) {
	switch text {
	case providers.Accepted.String():
		return providers.Accepted, nil
	case providers.Refused.String():
		return providers.Refused, nil
	}
	return providers.Unknown, errAnswer
}
