package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths in runes at which foreign text is cut before it reaches a mail.
const (
	maxName   = 200
	maxDetail = 500
	maxReply  = 200
)

// clean makes one harmless line of a foreign text: controls and line breaks become blanks, characters that change the
// direction of writing or cannot be seen are dropped (they can make a name look like another), blanks are squeezed, and
// the rest is cut at limit runes.
func clean(s string, limit int) string {
	if len(s) <= limit && harmless(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r) && r != '\u200d': // the joiner holds emoji together
			return -1
		case unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit-1]) + "…"
	}
	return s
}

// harmless says whether clean would change nothing of a text, as of nearly all.
func harmless(s string) bool {
	after := ' ' // a blank at the beginning, at the end or after another goes
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError || r == ' ' && after == ' ' {
			return false
		}
		after = r
	}
	return s == "" || after != ' '
}

// cleanLines does the same to every line of a text and drops empty ones.
func cleanLines(s string) []string {
	var out []string
	for line := range strings.SplitSeq(strings.ReplaceAll(s, "\r", "\n"), "\n") {
		if line = clean(line, maxDetail); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// special says whether a shell may make something of a character.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("_./:@%+=,-", r)
}

// quote makes one word of a POSIX shell of a text, so that a command in a mail does what it says when it is pasted,
// whatever the name of the client or the path.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
