package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"github.com/rotad/rotad/internal/credential"
)

// maxID is the longest Message-ID without brackets that still fits on the line of its header; a folded one confuses
// some parsers.
const maxID = 58

const (
	longHash  = 26 // 130 bits
	shortHash = 20 // 100 bits
)

var idEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// messageID names the message about one notice to one recipient. It is an HMAC under the key of this installation, so
// that it is the same in every attempt and says nothing to outsiders about client ids.
func messageID(key []byte, domain, notice, to string) string {
	return idAt(digest(key, "message", notice, strings.ToLower(to)), domain)
}

// threadID names the imaginary first message of a thread: all mails about one secret of one client.
func threadID(key []byte, domain string, n credential.Notice) string {
	secret := n.Facts.SecretID
	if secret == "" && !n.Facts.Expires.IsZero() {
		secret = n.Facts.Expires.UTC().Format(time.RFC3339)
	}
	return "t" + idAt(digest(key, "thread", n.Client, secret), domain)
}

func digest(key []byte, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	return strings.ToLower(idEncoding.EncodeToString(mac.Sum(nil)))
}

// idAt joins hash and domain. A long domain gives up its first labels, because the right side of a Message-ID only has
// to be ours (RFC 5322 section 3.6.4).
func idAt(hash, domain string) string {
	length := longHash
	if length+2+len(domain) > maxID {
		length = shortHash
	}
	for length+2+len(domain) > maxID && strings.Count(domain, ".") > 1 {
		_, domain, _ = strings.Cut(domain, ".")
	}
	return hash[:length] + "@" + domain
}
