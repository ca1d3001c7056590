package handshake

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// prefix begins every token, so that scanners of logs and repositories know one when they see it.
const prefix = "rotad-consumer-"

// MinKey is the length in bytes of the shortest key that tokens are made from.
const MinKey = 32

// ErrShortKey says that the key is too short to be random.
var ErrShortKey = errors.New("the key for the consumers' tokens is shorter than 32 characters")

// Token makes the token of one consumer of one client (RFC 2104, over lengths and names, so that no two pairs share one).
func Token(key credential.Sensitive, client, consumer string) (credential.Sensitive, error) {
	if len(key.Reveal()) < MinKey {
		return credential.Sensitive{}, ErrShortKey
	}
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	_, _ = fmt.Fprintf(mac, "rotad consumer 1\n%d:%s\n%d:%s\n", len(client), client, len(consumer), consumer)
	return credential.NewSensitive(prefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))), nil
}

// valid says whether an Authorization header carries the token (RFC 6750 section 2.1). It takes as long for a wrong one as for
// the right one.
func valid(header string, token credential.Sensitive) bool {
	scheme, given, _ := strings.Cut(header, " ")
	right := subtle.ConstantTimeCompare([]byte(strings.TrimSpace(given)), []byte(token.Reveal())) == 1
	return strings.EqualFold(scheme, "Bearer") && right
}
