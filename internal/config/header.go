package config

import (
	"net/textproto"
	"slices"
	"strings"
)

// headerProblem says what keeps a header from being sent with every request. The value is never repeated.
func headerProblem(name, value string) (what, hint string) {
	owned := []string{"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection"}
	secret := []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key"}
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case !isToken(name):
		return "is not the name of a header", "letters, digits and hyphens are allowed"
	case strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) >= 0:
		return "has a control character in its value", "write it on one line"
	case slices.Contains(owned, canonical):
		return "is a header that rotad sets itself", "delete it"
	case slices.Contains(secret, canonical):
		return "secrets never stand in the configuration", "each kind has settings for its credential"
	}
	return "", ""
}

// isToken says whether a text is a token of RFC 9110 section 5.6.2.
func isToken(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}) < 0
}
