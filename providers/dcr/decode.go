package dcr

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers/httpapi"
)

// Members of a registration that mean something here (RFC 7591 sections 2 and 3.2.1, RFC 7592 section 3).
const (
	memberID        = credential.FieldClientID
	memberSecret    = credential.FieldClientSecret
	memberExpires   = "client_secret_expires_at"
	memberIssued    = "client_id_issued_at"
	memberToken     = credential.FieldRegistrationToken
	memberURI       = credential.FieldRegistrationURI
	memberMethod    = "token_endpoint_auth_method"
	memberSignature = "id_token_signed_response_alg"
)

// registration is what a server says about a client.
type registration struct {
	clientID string
	secret   credential.Sensitive // empty = not shown
	token    credential.Sensitive // the key from now on; empty = the one that was used stays
	uri      string               // where the registration is; empty = not said
	expires  time.Time            // zero = not said, unless never
	never    bool
	method   string    // of authentication; empty = client_secret_basic (RFC 7591 section 2)
	hmac     bool      // the secret is also a MAC key
	time     time.Time // the server's clock; zero = not known

	metadata map[string]json.RawMessage // what an update sends back
}

var errNoObject = errors.New("the reply is no registration: an object was expected")

// parse reads a registration. Its errors name members and repeat nothing of the reply.
func parse(raw credential.Sensitive) (registration, error) {
	var members map[string]json.RawMessage
	if err := httpapi.Unmarshal(raw, &members); err != nil {
		return registration{}, err
	}
	if members == nil {
		return registration{}, errNoObject
	}
	texts := map[string]string{}
	for _, name := range []string{memberID, memberSecret, memberToken, memberURI, memberMethod, memberSignature} {
		text, err := text(members[name])
		if err != nil {
			return registration{}, fmt.Errorf("reading %s: %w", name, err)
		}
		texts[name] = text
	}
	r := registration{
		clientID: texts[memberID], secret: credential.NewSensitive(texts[memberSecret]),
		token: credential.NewSensitive(texts[memberToken]), uri: texts[memberURI], method: texts[memberMethod],
		metadata: sendable(members),
	}
	r.hmac = r.method == "client_secret_jwt" || strings.HasPrefix(texts[memberSignature], "HS")
	r.expires, r.never = expiry(members[memberExpires])
	return r, nil
}

// sendable returns what an update may send: all that the server said, because what an update leaves out is deleted, but
// for the four members that a client must not send (RFC 7592 section 2.2). The secret is left out as well: it is the
// server that chooses one, and some refuse even the right one.
func sendable(members map[string]json.RawMessage) map[string]json.RawMessage {
	out := maps.Clone(members)
	for _, name := range []string{memberToken, memberURI, memberExpires, memberIssued, memberSecret} {
		delete(out, name)
	}
	return out
}

var errNoText = errors.New("it is no text")

// text reads a member that is a text, or not there.
func text(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", errNoText
	}
	return s, nil
}

// lastSecond is the end of the year 9999: what lies beyond is no date.
const lastSecond = 253402300799

// expiry reads client_secret_expires_at: epoch seconds, 0 = never (RFC 7591 section 3.2.1). Some servers write it as a
// text or with a fraction. What is no date is not known.
func expiry(raw json.RawMessage) (at time.Time, never bool) {
	seconds, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	switch {
	case err != nil || seconds < 0 || !(seconds <= lastSecond):
		return time.Time{}, false
	case seconds == 0:
		return time.Time{}, true
	}
	return time.Unix(int64(seconds), 0).UTC(), false
}
