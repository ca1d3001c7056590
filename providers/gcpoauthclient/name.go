package gcpoauthclient

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// An id of a credential has 4 to 32 characters of a-z, 0-9 and -.
const (
	prefix = "r-"
	// mostTries is the largest attempt that there is room for.
	mostTries = 999
	uuidBytes = 16
)

var (
	letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	ours    = regexp.MustCompile(`^r-([a-z2-7]{26})-([1-9][0-9]{0,2})$`)
	uuid    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// nameOf returns the id of the credential that is made under a label. Where the label is one of rotad's, it can be read back from that.
func nameOf(label string) string {
	rotation, attempt, ok := credential.ParseLabel(label)
	if ok && attempt <= mostTries && uuid.MatchString(rotation) {
		if raw, err := hex.DecodeString(strings.ReplaceAll(rotation, "-", "")); err == nil {
			return prefix + letters.EncodeToString(raw) + "-" + strconv.Itoa(attempt)
		}
	}
	sum := sha256.Sum256([]byte(label))
	return "x-" + letters.EncodeToString(sum[:uuidBytes])
}

// labelOf reads the label back; empty = the id is none of rotad's.
func labelOf(name string) string {
	m := ours.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	raw, err := letters.DecodeString(m[1])
	if err != nil || len(raw) != uuidBytes {
		return ""
	}
	attempt, err := strconv.Atoi(m[2])
	if err != nil {
		return ""
	}
	h := hex.EncodeToString(raw)
	label := credential.Label(strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-"), attempt)
	if nameOf(label) != name { // the last letter has bits to spare: one id alone stands for a label
		return ""
	}
	return label
}
