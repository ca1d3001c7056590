package templates

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// gap stands in a phrase for what is not always the same: a number, a name, the words of a server.
const gap = "{}"

// pattern is a phrase with gaps.
type pattern struct {
	known *regexp.Regexp
	words string // in this language, with the gaps in the same order
	size  int    // of what is always the same
}

// learn adds a phrase. Of patterns that fit the one that knows most is taken.
func (l *Language) learn(text, words string) {
	if !strings.Contains(text, gap) {
		l.phrases[text] = words
		return
	}
	known := strings.ReplaceAll(regexp.QuoteMeta(text), regexp.QuoteMeta(gap), "(.*?)")
	p := pattern{regexp.MustCompile("(?s)^" + known + "$"), words, len(text) - strings.Count(text, gap)*len(gap)}
	at, _ := slices.BinarySearchFunc(l.patterns, p, func(a, b pattern) int { return cmp.Compare(b.size, a.size) })
	l.patterns = slices.Insert(l.patterns, at, p)
}

// Phrase translates what other parts of the program say in English, such as the causes of holds, a sentence at a time. What it
// does not know, and that is whatever comes from outside, stays as it is.
func (l *Language) Phrase(text string) string {
	l = l.orEnglish()
	if known, ok := l.phrases[text]; ok || len(l.phrases) == 0 {
		return orElse(known, text)
	}
	if several, all := l.parts(text, "; ", "; "); all {
		return several
	}
	if known, ok := l.filled(text); ok {
		return known
	}
	if strings.Contains(text, ". ") {
		text, _ = l.parts(text, ". ", " ")
		return text
	}
	text, _ = l.parts(text, "; ", "; ")
	return text
}

// parts translates the parts of a text, of which all but the last one end in what is no part of the phrase. all says that there are
// several, and that each of them was known.
func (l *Language) parts(text, end, cut string) (out string, all bool) {
	parts := strings.SplitAfter(text, end)
	if len(parts) < 2 {
		return text, false
	}
	all = true
	for i, s := range parts {
		bare := strings.TrimSuffix(s, cut)
		words := l.Phrase(bare)
		all = all && words != bare
		parts[i] = words + s[len(bare):]
	}
	return strings.Join(parts, ""), all
}

// filled fills the gaps of a phrase with what stands there in a text, which may be phrases as well.
func (l *Language) filled(text string) (string, bool) {
	for _, p := range l.patterns {
		found := p.known.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		words := p.words
		for _, what := range found[1:] {
			words = strings.Replace(words, gap, strings.ReplaceAll(l.Phrase(what), gap, ""), 1)
		}
		return words, true
	}
	return "", false
}
