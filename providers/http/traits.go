package http

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/credential"
	"github.com/rotad/rotad/providers"
)

// presetOf reads what a preset can do from the preset itself.
func presetOf(name, text string) providers.Preset {
	first, _, _ := strings.Cut(text, "\n")
	p := providers.Preset{Name: name, Summary: strings.TrimPrefix(first, "# "), Text: text, Rights: noted(text, rightsBegin)}
	var s Settings
	if err := yaml.Load([]byte(text), &s, yaml.WithKnownFields()); err != nil {
		return p // which merged says to whoever uses it
	}
	p.Modes, p.Traits = []string{s.Mode}, s.traits()
	if method, how, ok := strings.Cut(noted(text, insteadBegin), ": "); ok {
		p.Traits.Instead = []providers.Instead{{Method: method, How: how}}
	}
	return p
}

// What paragraphs of a preset's comments begin with that the program reads.
const (
	rightsBegin  = "# Rights: "
	insteadBegin = "# Instead of secrets: " // the method, a colon, and where it is switched on
)

// noted returns the paragraph of a preset's comments with this beginning, which ends at the next empty line.
func noted(text, begin string) string {
	_, after, found := strings.Cut(text, "\n"+begin)
	if !found {
		return ""
	}
	var words []string
	for line := range strings.Lines(after) {
		rest, comment := strings.CutPrefix(strings.TrimSpace(line), "#")
		if len(words) > 0 && (!comment || strings.TrimSpace(rest) == "") {
			break
		}
		words = append(words, strings.TrimSpace(rest))
	}
	return strings.TrimSuffix(strings.Join(words, " "), ".")
}

// traits are what a description makes possible.
func (s *Settings) traits() providers.Traits {
	look := s.Inspect
	t := providers.Traits{
		Value:   providers.ChosenByProvider,
		Lists:   look.List != "" || look.Current != Fields{},
		Revokes: s.Revoke != nil,
		Walks:   s.List != nil && s.List.Path != "",
		Usage:   look.Secret.LastUse+look.Current.LastUse+look.Previous.LastUse != "",
	}
	if strings.Contains(fmt.Sprint(s.Create.JSON, s.Create.Form, s.Create.Headers), "{value}") {
		t.Value = providers.ChosenByRotad
	}
	switch {
	case s.Slots > 0:
		t.Live = strconv.Itoa(s.Slots)
	case s.Mode == string(credential.ModeHardCutover):
		t.Live = "1"
	case s.Mode == string(credential.ModeGraceWindow), s.Mode == string(credential.ModeStaged):
		t.Live = "2"
	default:
		t.Live = "many"
	}
	return t
}
