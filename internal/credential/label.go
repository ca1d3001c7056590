package credential

import (
	"fmt"
	"strconv"
	"strings"
)

// labelPrefix begins the label of every secret that rotad makes, where the provider keeps labels.
const labelPrefix = "rotad/"

// Label returns the label of what one attempt of a rotation makes: unique among all that rotad has ever asked for.
func Label(rotation string, attempt int) string {
	return fmt.Sprintf("%s%d", LabelsOf(rotation), attempt)
}

// LabelsOf returns what the labels of all attempts of a rotation begin with.
func LabelsOf(rotation string) string { return labelPrefix + rotation + "/" }

// ParseLabel reads a label that rotad has given; ok is false for any other. It says what wrote the label, not which
// rotad: anybody can write one.
func ParseLabel(label string) (rotation string, attempt int, ok bool) {
	text, ok := strings.CutPrefix(label, labelPrefix)
	if !ok {
		return "", 0, false
	}
	i := strings.LastIndexByte(text, '/')
	if i <= 0 {
		return "", 0, false
	}
	attempt, err := strconv.Atoi(text[i+1:])
	return text[:i], attempt, err == nil && attempt > 0
}
