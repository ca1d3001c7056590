package credential

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
)

const redacted = "[redacted]"

// Sensitive holds a clear secret in memory. Every way of printing, logging or encoding it yields "[redacted]" or an
// error; only Reveal gives the value. The zero value is an empty secret.
type Sensitive struct{ value string }

// NewSensitive wraps a clear value.
func NewSensitive(value string) Sensitive { return Sensitive{value: value} }

// Reveal returns the clear value. It is called only where the value goes to a provider or to Vault.
func (s Sensitive) Reveal() string { return s.value }

// Empty says whether there is no value.
func (s Sensitive) Empty() bool { return s.value == "" }

// Equal compares two values in constant time.
func (s Sensitive) Equal(o Sensitive) bool {
	return subtle.ConstantTimeCompare([]byte(s.value), []byte(o.value)) == 1
}

// String never shows the value.
func (s Sensitive) String() string { return redacted }

// GoString never shows the value.
func (s Sensitive) GoString() string { return redacted }

// Format never shows the value, whatever the verb.
func (s Sensitive) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue never shows the value.
func (s Sensitive) LogValue() slog.Value { return slog.StringValue(redacted) }

var errEncodeSensitive = errors.New("a clear secret must not be encoded")

// MarshalJSON fails: a secret that reaches an encoder is a defect, and the defect must be loud.
func (s Sensitive) MarshalJSON() ([]byte, error) { return nil, errEncodeSensitive }

// MarshalText fails, for the same reason.
func (s Sensitive) MarshalText() ([]byte, error) { return nil, errEncodeSensitive }

// MarshalBinary fails, for the same reason; CBOR encoders ask for it.
func (s Sensitive) MarshalBinary() ([]byte, error) { return nil, errEncodeSensitive }

// Bundle is what a consumer needs to log in: field name to value, always written as one Vault version. The usual
// fields are FieldClientID and FieldClientSecret; each kind's README lists its own.
type Bundle map[string]Sensitive

// The default fields of a bundle.
const (
	FieldClientID     = "client_id"
	FieldClientSecret = "client_secret"
	FieldRoleID       = "role_id"       // Vault AppRole: an identifier, not a secret
	FieldAccessKeyID  = "access_key_id" // AWS: names the key that the secret belongs to, and is its id at the provider

	FieldValue = "value" // one that rotad makes itself, for no login: a salt, a key of tokens

	// The fields of a key pair: its private half, in PKCS #8 and PEM; the name of the public half (RFC 7517 section 4.5); and
	// how it signs (RFC 7518 section 3.1).
	FieldPrivateKey = "private_key"
	FieldKeyID      = "key_id"
	FieldAlgorithm  = "algorithm"

	// The two that RFC 7592 section 3 gives a client for its own registration. The token opens it and the URI says where
	// it is: rotad itself needs them for the next rotation, and nobody logs in with them.
	FieldRegistrationToken = "registration_access_token"
	FieldRegistrationURI   = "registration_client_uri"
)

// keys are the fields that open the provider for rotad, and nothing for a consumer.
func keys() []string { return []string{FieldRegistrationToken, FieldRegistrationURI} }

// UsualFields are the fields that a bundle has at most providers: Vault's reader looks for them without being told.
func UsualFields() []string {
	return []string{FieldClientID, FieldClientSecret, FieldRoleID, "secret_id", FieldRegistrationToken, FieldRegistrationURI}
}

// IsSecret says whether a field of a bundle is what a consumer proves itself with: it neither only names the client nor is
// one of rotad's own keys.
func IsSecret(field string) bool {
	switch field {
	case FieldClientID, FieldRoleID, FieldKeyID, FieldAccessKeyID, FieldAlgorithm:
		return false
	}
	return !slices.Contains(keys(), field)
}

// Login returns the fields that consumers log in with: all but rotad's own keys, which may change by themselves and say
// nothing about whose secret this is.
func (b Bundle) Login() Bundle {
	login := maps.Clone(b)
	for _, key := range keys() {
		delete(login, key)
	}
	return login
}

// WithKeysOf returns the bundle with rotad's own keys from another one, where that one has them: a secret may be taken
// back, a key that a provider has replaced never works again.
func (b Bundle) WithKeysOf(newer Bundle) Bundle {
	out := maps.Clone(b)
	for _, key := range keys() {
		if value, ok := newer[key]; ok {
			out[key] = value
		}
	}
	return out
}

// Names returns the id at the provider of the secret that the bundle holds, where one of its fields says it; else it is empty.
func (b Bundle) Names() string {
	if id := b[FieldKeyID]; !id.Empty() {
		return id.Reveal()
	}
	return b[FieldAccessKeyID].Reveal()
}

// Secret returns the client secret of the bundle, empty if it has none.
func (b Bundle) Secret() Sensitive { return b[FieldClientSecret] }

// Equal says whether both bundles hold the same fields with the same values.
func (b Bundle) Equal(o Bundle) bool {
	if len(b) != len(o) {
		return false
	}
	for name, value := range b {
		other, ok := o[name]
		if !ok || !value.Equal(other) {
			return false
		}
	}
	return true
}
