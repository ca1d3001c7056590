package exec

import (
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// moment is a time in a message: RFC 3339, null or missing for a time that is not known.
type moment time.Time

var errMoment = errors.New("a time is not of the form 2026-03-01T12:00:00Z (RFC 3339)")

// IsZero says whether the time is not known; encoding/json asks for it.
func (m moment) IsZero() bool { return time.Time(m).IsZero() }

// MarshalJSON writes the time in UTC.
func (m moment) MarshalJSON() ([]byte, error) {
	if m.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(time.Time(m).UTC().Format(time.RFC3339Nano))
}

// UnmarshalJSON reads a time. Years before 1970 are what programs write for "none".
func (m *moment) UnmarshalJSON(raw []byte) error {
	var text *string
	if json.Unmarshal(raw, &text) != nil {
		return errMoment
	}
	*m = moment{}
	if text == nil {
		return nil
	}
	t, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return errMoment
	}
	if t = t.UTC(); t.Year() >= 1970 {
		*m = moment(t)
	}
	return nil
}

// maxSeconds bounds durations in replies: a hundred years, so that no sum of a few overflows.
const maxSeconds = 100 * 365 * 24 * 3600

// seconds turns a number of a message into a duration. What is no length of time is 0, which means "not said".
func seconds(n float64) time.Duration {
	if math.IsNaN(n) || n <= 0 {
		return 0
	}
	return time.Duration(min(n, maxSeconds) * float64(time.Second))
}

func (s secret) plain() credential.Secret {
	return credential.Secret{
		ID: s.ID, Slot: s.Slot, Start: time.Time(s.Start), Expires: time.Time(s.Expires), Never: s.Never,
		Label: s.Label, Hint: s.Hint, LastUse: time.Time(s.LastUse),
	}
}

func (c capabilities) plain() credential.Capabilities {
	return credential.Capabilities{
		Mode: credential.Mode(c.Mode), Reason: c.Reason, Readable: c.Readable, StartReadable: c.StartReadable,
		Labels: c.Labels, SlotRevoke: c.SlotRevoke, Slots: max(0, c.Slots), SetsExpiry: c.SetsExpiry, Grace: seconds(c.Grace),
		Repeatable: c.Repeatable, HMAC: c.HMAC, Required: time.Time(c.Required), Disabled: c.Disabled,
		Instructions: c.Instructions,
	}
}

func (s *snapshot) plain() providers.Snapshot {
	out := providers.Snapshot{Caps: s.Capabilities.plain(), ClientID: s.ClientID, Time: time.Time(s.Time)}
	for _, one := range s.Secrets {
		out.Secrets = append(out.Secrets, one.plain())
	}
	return out
}

func (i *issued) plain() providers.Issued {
	out := providers.Issued{
		Secret: i.Secret.plain(), Bundle: credential.Bundle{}, OldDies: time.Time(i.OldDies),
	}
	for name, value := range i.Bundle {
		out.Bundle[name] = value.Sensitive
	}
	return out
}

func clears(b credential.Bundle) map[string]cleartext {
	out := make(map[string]cleartext, len(b))
	for name, value := range b {
		out[name] = cleartext{value}
	}
	return out
}

func targetOf(t providers.Target) *target {
	v := t.Verify.WithDefaults()
	ref := map[string]string(t.Ref)
	if ref == nil {
		ref = map[string]string{}
	}
	return &target{
		Client: t.Client, Ref: ref, Grace: t.Grace.Seconds(),
		Verify: verify{Method: string(v.Method), Auth: v.Auth, Scope: v.Scope},
	}
}
