package httpapi

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// Claims are what an access token says about itself, where it is a JWT (RFC 9068). They are for people and decide nothing: the
// signature is not checked, because the token came straight from the server that made it.
type Claims map[string]any

// maxToken is the longest token that is looked into, in bytes.
const maxToken = 64 << 10

// ClaimsOf reads the claims of a token; ok is false where it is no JWT, and says nothing to anybody but its server.
func ClaimsOf(token credential.Sensitive) (c Claims, ok bool) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 || len(token.Reveal()) > maxToken {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || Unmarshal(credential.NewSensitive(string(raw)), &c) != nil || c == nil {
		return nil, false
	}
	return c, true
}

// Words returns the words that a claim lists, by the names of the members that lead to it; there is false where no such claim
// stands in the token.
func (c Claims) Words(path ...string) (words []string, there bool) {
	var at any = map[string]any(c)
	for _, name := range path {
		node, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = node[name]; !ok {
			return nil, false
		}
	}
	return Words(at), true
}

// Text returns a claim that is one word; empty = there is none.
func (c Claims) Text(name string) string {
	if words, _ := c.Words(name); len(words) == 1 {
		return words[0]
	}
	return ""
}

// Bounds of what is read out of a claim.
const (
	maxWords = 500
	maxWord  = 200 // bytes
)

// Words returns the words of a list, or of one text with spaces between them: both forms are in use for scopes, roles and
// permissions. Each counts once, in the order of their appearance. What no name of a right can be is left out, so that nothing
// reaches a terminal but letters, digits and signs.
func Words(value any) (words []string) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, one := range list {
		text, ok := one.(string)
		if !ok {
			continue
		}
		for word := range strings.FieldsSeq(text) {
			if len(words) < maxWords && plain(word) && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return words
}

func plain(word string) bool {
	return len(word) <= maxWord && !strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Scopes returns what was granted with a token: as the login's answer says it, else as the token itself does, in the claim scope
// (RFC 9068 section 2.2.3) or scp. known is false where neither says anything.
func (t Token) Scopes() (words []string, known bool) {
	if t.Scope != "" {
		return Words(t.Scope), true
	}
	c, ok := ClaimsOf(t.Value)
	if !ok {
		return nil, false
	}
	for _, name := range []string{"scope", "scp"} {
		if words, known = c.Words(name); known {
			return words, true
		}
	}
	return nil, false
}
