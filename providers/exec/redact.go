package exec

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// piece is how many characters in a row of a value count as a piece of it.
const piece = 8

const mask = "[redacted]"

// secrets are the clear values of one call, in every spelling that a program may print them in.
type secrets struct {
	spelt []string
}

// newSecrets notes values. What is public anyway, such as the client's name in the configuration, is left out.
func newSecrets(values []string, public map[string]bool) *secrets {
	s := &secrets{}
	for _, value := range values {
		if value != "" && !public[value] {
			s.spelt = append(s.spelt, spellings(value)...)
		}
	}
	return s
}

// also notes a long text, such as a reply that could not be read, in its own spelling.
func (s *secrets) also(text string) { s.spelt = append(s.spelt, text) }

// spellings are the ways in which a value comes out of a program: as it is, escaped, in hex, and in base64 at each of
// the three places that it can have in a longer text, such as the header of a Basic login.
func spellings(value string) []string {
	quoted, _ := json.Marshal(value) // text can always be encoded
	all := []string{
		value, url.QueryEscape(value), url.PathEscape(value), strings.Trim(string(quoted), `"`),
		hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))),
	}
	if len(value) < piece {
		return all
	}
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + value))
		text = strings.TrimRight(text, "=")[(shift*8+5)/6:]
		text = text[:len(text)-1] // the last character depends on what follows
		all = append(all, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return all
}

// login is what a program shows of a login with a credential that rotad does not know: it got it from its provider.
var login = regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{8,}`)

// named is a value beside a name that says what it is.
var named = regexp.MustCompile(`(?i)(token|password|passwd|secret|authorization)(["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}`)

// word is a long word of letters and digits, as secrets and tokens are.
var word = regexp.MustCompile(`[A-Za-z0-9_+=~-]{20,}`)

// random says whether a word looks like one that nobody would write: letters and digits, or an end of base64.
func random(w string) bool {
	return strings.ContainsAny(w, "0123456789=") && strings.ContainsAny(strings.ToLower(w), "abcdefghijklmnopqrstuvwxyz")
}

func maskRandom(w string) string {
	if random(w) {
		return mask
	}
	return w
}

// redact takes every value out of a text, and what looks like one.
func (s *secrets) redact(text string) string {
	var b strings.Builder
	covered := s.cover(text)
	for at := 0; at < len(text); {
		if !covered[at] {
			b.WriteByte(text[at])
			at++
			continue
		}
		b.WriteString(mask)
		for at < len(text) && covered[at] {
			at++
		}
	}
	out := named.ReplaceAllString(b.String(), "$1${2}"+mask)
	out = login.ReplaceAllStringFunc(out, maskRandom)
	return word.ReplaceAllStringFunc(out, maskRandom)
}

// holds says whether a text has a piece of a value in it.
func (s *secrets) holds(text string) bool {
	for _, is := range s.cover(text) {
		if is {
			return true
		}
	}
	return false
}

// cover marks the bytes of a text that belong to a value. The text is short and values may be long, so it is the pieces
// of the text that are noted.
func (s *secrets) cover(text string) []bool {
	covered, places := make([]bool, len(text)), map[string][]int{}
	for at := 0; at+piece <= len(text); at++ {
		places[text[at:at+piece]] = append(places[text[at:at+piece]], at)
	}
	for _, value := range s.spelt {
		if len(value) < piece {
			coverShort(covered, text, value)
			continue
		}
		for at := 0; at+piece <= len(value); at++ {
			for _, found := range places[value[at:at+piece]] {
				fill(covered[found : found+piece])
			}
		}
	}
	return covered
}

// coverShort marks a value that is too short to have pieces.
func coverShort(covered []bool, text, value string) {
	for at := 0; value != ""; {
		next := strings.Index(text[at:], value)
		if next < 0 {
			return
		}
		fill(covered[at+next : at+next+len(value)])
		at += next + len(value)
	}
}

func fill(b []bool) {
	for i := range b {
		b[i] = true
	}
}
