package exec

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// protocol is the version of the messages below. A reply with another one is not read.
const protocol = 1

// The operations of a call.
const (
	opDescribe = "describe"
	opInspect  = "inspect"
	opCreate   = "create"
	opVerify   = "verify"
	opRecover  = "recover"
	opRevoke   = "revoke"
	opCheck    = "check"
	opDecode   = "decode"
)

// cleartext is a clear secret in a message. It prints as [redacted], and unlike credential.Sensitive it can be encoded:
// messages go through pipes only.
type cleartext struct{ credential.Sensitive }

func clearOf(s string) cleartext { return cleartext{credential.NewSensitive(s)} }

// MarshalJSON writes the value.
func (c cleartext) MarshalJSON() ([]byte, error) { return encode(c.Reveal()) }

// UnmarshalJSON reads the value.
func (c *cleartext) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	*c = clearOf(s)
	return nil
}

// encode writes one line of JSON without escaping <, > and &, so that a small parser has less to do.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// call is what a program reads on stdin.
type call struct {
	Protocol   int                  `json:"protocol"`
	Operation  string               `json:"operation"`
	Provider   string               `json:"provider"`            // name of the configured provider
	Timeout    float64              `json:"timeout"`             // seconds until the program is ended
	Settings   map[string]string    `json:"settings,omitempty"`  // as configured
	Headers    map[string]string    `json:"headers,omitempty"`   // as configured, for programs that speak HTTP
	Credential cleartext            `json:"credential,omitzero"` // the program's own, from credential_file
	Target     *target              `json:"target,omitempty"`    // the client; missing in describe and check
	Request    *request             `json:"request,omitempty"`   // create
	Bundle     map[string]cleartext `json:"bundle,omitempty"`    // verify
	SecretID   string               `json:"secret_id,omitempty"` // revoke
	Raw        cleartext            `json:"raw,omitzero"`        // decode: a reply that was kept
}

// target is the client that a call is about.
type target struct {
	Client string            `json:"client"`
	Ref    map[string]string `json:"ref"`
	Verify verify            `json:"verify"`
	Grace  float64           `json:"grace,omitzero"` // seconds; stated by a person
}

// verify is how the client's secret is to be proved.
type verify struct {
	Method string `json:"method"`
	Auth   string `json:"auth"`
	Scope  string `json:"scope,omitempty"`
}

// request is what create is asked for.
type request struct {
	Label    string               `json:"label"`
	Reason   string               `json:"reason,omitempty"`
	Expires  moment               `json:"expires,omitzero"`
	Proposed map[string]cleartext `json:"proposed,omitempty"` // mode caller-chosen: the value to set
}

// reply is what a program writes to stdout: an error, or the member that belongs to the operation.
type reply struct {
	Protocol int          `json:"protocol"`
	Error    *fault       `json:"error,omitempty"`
	Describe *description `json:"describe,omitempty"`
	Snapshot *snapshot    `json:"snapshot,omitempty"` // inspect
	Issued   *issued      `json:"issued,omitempty"`   // create, recover, decode
	Answer   string       `json:"answer,omitempty"`   // verify
	Revoked  bool         `json:"revoked,omitzero"`   // revoke
	Findings *[]finding   `json:"findings,omitempty"` // check
}

// fault says why an operation failed, and by its class what may be concluded.
type fault struct {
	Class      string    `json:"class"`
	Message    string    `json:"message,omitempty"`
	Code       string    `json:"code,omitempty"`
	Status     int       `json:"status,omitzero"`
	RequestID  string    `json:"request_id,omitempty"`
	RetryAfter float64   `json:"retry_after,omitzero"` // seconds
	Raw        cleartext `json:"raw,omitzero"`         // create, not-understood: the provider's reply
}

// description is what a program says of itself.
type description struct {
	Name       string   `json:"name"`
	Version    string   `json:"version,omitempty"`
	Operations []string `json:"operations"`
}

// snapshot is the answer to inspect.
type snapshot struct {
	Capabilities capabilities `json:"capabilities"`
	ClientID     string       `json:"client_id"`
	Secrets      []secret     `json:"secrets"`
	Time         moment       `json:"time,omitzero"` // the provider's clock
}

// capabilities are credential.Capabilities, durations in seconds.
type capabilities struct {
	Mode          string  `json:"mode"`
	Reason        string  `json:"reason"`
	Readable      bool    `json:"readable,omitzero"`
	StartReadable bool    `json:"start_readable,omitzero"`
	Labels        bool    `json:"labels,omitzero"`
	SlotRevoke    bool    `json:"slot_revoke,omitzero"`
	Slots         int     `json:"slots,omitzero"`
	SetsExpiry    bool    `json:"sets_expiry,omitzero"`
	Grace         float64 `json:"grace,omitzero"`
	Repeatable    bool    `json:"repeatable,omitzero"`
	HMAC          bool    `json:"hmac,omitzero"`
	Required      moment  `json:"required,omitzero"`
	Disabled      bool    `json:"disabled,omitzero"`
	Instructions  string  `json:"instructions,omitempty"`
}

// secret is credential.Secret.
type secret struct {
	ID      string `json:"id,omitempty"`
	Slot    string `json:"slot,omitempty"`
	Start   moment `json:"start,omitzero"`
	Expires moment `json:"expires,omitzero"`
	Never   bool   `json:"never,omitzero"`
	Label   string `json:"label,omitempty"`
	Hint    string `json:"hint,omitempty"`
	LastUse moment `json:"last_use,omitzero"`
}

// issued is a new secret, or the current one that was read back. Everything but the bundle is optional in the sense that
// a mistake in it never costs the value.
type issued struct {
	Bundle  map[string]cleartext `json:"bundle"`
	Secret  secret               `json:"secret,omitzero"`
	OldDies moment               `json:"old_dies,omitzero"`
}

// finding is one line of check.
type finding struct {
	Problem  bool   `json:"problem,omitzero"`
	Rotation bool   `json:"rotation,omitzero"`
	What     string `json:"what"`
	Hint     string `json:"hint,omitempty"`
}

// blank says whether a program wrote nothing that could be a reply.
func blank(stdout string) bool { return strings.TrimSpace(stdout) == "" }
