package canary

import (
	"bytes"
	"sort"
)

// fold is a place where bytes were taken out: from at on (in what is left), so many in all are missing before it.
type fold struct{ at, gone int }

// unfold joins lines, because mails, calendars and encoders break long values: it takes out every line break with an
// equals sign before it (quoted-printable) and the blanks behind it (folded headers and calendar lines). It appends what
// is left to dst, and where something is missing to folds.
func unfold(dst, raw []byte, folds []fold) ([]byte, []fold) {
	gone := 0
	for {
		end := bytes.IndexByte(raw, '\n')
		if end < 0 {
			return append(dst, raw...), folds
		}
		line := bytes.TrimSuffix(raw[:end], []byte{'\r'})
		line = bytes.TrimSuffix(line, []byte{'='})
		rest := bytes.TrimLeft(raw[end+1:], " \t")
		dst = append(dst, line...)
		gone += len(raw) - len(line) - len(rest)
		folds = append(folds, fold{len(dst), gone})
		raw = rest
	}
}

// origin returns where a byte of the unfolded text was before.
func origin(at int, folds []fold) int {
	i := sort.Search(len(folds), func(i int) bool { return folds[i].at > at })
	if i == 0 {
		return at
	}
	return at + folds[i-1].gone
}
