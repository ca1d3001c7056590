package generated

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// minBits is the least entropy of a value (NIST SP 800-57 part 1, table 4).
const minBits = 128

// Settings are the block of a provider of this kind.
type Settings struct {
	Use         string `yaml:"use" default:"other" enum:"salt,csrf,state,other" doc:"What the value is for; it says what a rotation invalidates."`
	Length      int    `yaml:"length" default:"43" doc:"Characters of a value."`
	Alphabet    string `yaml:"alphabet" default:"base64url" doc:"base64url, hex, alphanumeric, ascii, or the characters themselves."`
	Restart     string `yaml:"restart" default:"required" enum:"required,none" doc:"Whether who uses the value has to be restarted to read it."`
	Invalidates string `yaml:"invalidates" doc:"What a rotation invalidates, as a sentence; default: what is known of the use."`
}

// alphabetOf returns the characters of a value.
func alphabetOf(name string) string {
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	switch name {
	case "", "base64url":
		return upper + lower + digits + "-_"
	case "hex":
		return digits + "abcdef"
	case "alphanumeric":
		return upper + lower + digits
	case "ascii":
		return upper + lower + digits + "!#$%&()*+,-./:;<=>?@[]^_{|}~"
	}
	return name
}

// bits is the entropy of a value.
func bits(alphabet string, length int) float64 {
	return float64(length) * math.Log2(float64(len(alphabet)))
}

// Validate reports what tags cannot express.
func (s *Settings) Validate(report func(path, what, hint string)) {
	alphabet := alphabetOf(s.Alphabet)
	if len(alphabet) < 2 || len(alphabet) > 256 || !distinct(alphabet) {
		report("alphabet", "is no list of different printable ASCII characters", "base64url, hex, alphanumeric, ascii, or the characters themselves")
		return
	}
	if have := bits(alphabet, s.Length); have < minBits {
		report("length", fmt.Sprintf("%d characters of %d have %.0f bits", s.Length, len(alphabet), max(have, 0)),
			fmt.Sprintf("at least %d bits: write %d", minBits, int(math.Ceil(minBits/math.Log2(float64(len(alphabet)))))))
	}
	if s.Length > maxLength {
		report("length", fmt.Sprintf("is more than %d", maxLength), "")
	}
}

// maxLength is the length of the longest value in characters.
const maxLength = 4096

func distinct(alphabet string) bool {
	sorted := []byte(alphabet)
	slices.Sort(sorted)
	return len(slices.Compact(slices.Clone(sorted))) == len(alphabet) && !strings.ContainsFunc(alphabet, func(r rune) bool { return r < '!' || r > '~' })
}

// effects says what a rotation does to those who use the value.
func (s *Settings) effects() string {
	text := s.Invalidates
	if text == "" {
		text = map[string]string{
			"salt":  "Whatever was hashed with the old salt can no longer be compared: tokens and identifiers that are looked up by their hash are not found.",
			"csrf":  "Forms that are open in a browser are refused once, and have to be loaded again.",
			"state": "Logins that are under way fail once, and have to be begun again.",
		}[s.Use]
	}
	if text == "" {
		text = "What was made with the old value is no longer recognised."
	}
	if s.Restart != "none" {
		text += " Who uses the value has to be restarted to read the new one."
	}
	return text
}

var errSettings = errors.New("the settings are not those of this kind")

// Kind describes the adapter to the composition root.
func Kind() providers.Kind {
	return providers.Kind{
		Name:     "generated",
		Summary:  "values that rotad makes itself: salts, keys of CSRF and state tokens",
		Modes:    []string{string(credential.ModeHardCutover)},
		Fields:   []string{credential.FieldValue},
		Ref:      []string{refName},
		Rights:   "none: there is nobody to ask but Vault",
		Traits:   providers.Traits{Value: providers.ChosenByRotad, Live: "1", Unshared: true},
		Settings: func() any { return &Settings{} },
		Open:     open,
	}
}

func open(o providers.Opening) (providers.Provider, error) {
	s, ok := o.Settings.(*Settings)
	if !ok {
		return nil, errSettings
	}
	return &provider{name: o.Name, alphabet: alphabetOf(s.Alphabet), length: s.Length, effects: s.effects(), now: o.Wall()}, nil
}
