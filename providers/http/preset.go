package http

import (
	"embed"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/providers"
)

//go:embed presets/*.yaml
var presets embed.FS

// Presets lists the descriptions that come with the program, by name. A preset is a file that can be copied: what stands
// in it may stand in a provider's block.
func Presets() []providers.Preset { return slices.Clone(embedded()) }

var embedded = sync.OnceValue(func() (all []providers.Preset) {
	files, err := presets.ReadDir("presets")
	if err != nil {
		return nil
	}
	for _, f := range files {
		text, err := presets.ReadFile(path.Join("presets", f.Name()))
		if err != nil {
			continue
		}
		all = append(all, presetOf(strings.TrimSuffix(f.Name(), ".yaml"), string(text)))
	}
	return all
})

// noPreset is the name that stands for none: the block describes the API itself.
const noPreset = "none"

// noSuchPreset says which name is none, and which are.
type noSuchPreset string

func (n noSuchPreset) Error() string { return fmt.Sprintf("there is no preset %q", string(n)) }

func (n noSuchPreset) hint() string {
	var known []string
	for _, p := range Presets() {
		known = append(known, p.Name)
	}
	return "known are " + strings.Join(known, ", ") + "; none = everything is described here"
}

// merged returns a block with what its preset says where the block says nothing.
func merged(block *Settings) (Settings, error) {
	if block.Preset == noPreset {
		return *block, nil
	}
	for _, p := range Presets() {
		if p.Name != block.Preset {
			continue
		}
		var base Settings
		if err := yaml.Load([]byte(p.Text), &base, yaml.WithKnownFields()); err != nil {
			return Settings{}, fmt.Errorf("reading the preset %s: %w", p.Name, err)
		}
		overlay(reflect.ValueOf(&base).Elem(), reflect.ValueOf(block).Elem())
		return base, nil
	}
	return Settings{}, noSuchPreset(block.Preset)
}

// Described names the preset that a block stands on; empty = the description is the block's own, or there is no such preset.
func (s *Settings) Described() string {
	for _, p := range Presets() {
		if p.Name == s.Preset {
			return p.Name
		}
	}
	return ""
}

// overlay puts what is written in over into base: sections and maps key by key, everything else whole.
func overlay(base, over reflect.Value) {
	switch over.Kind() {
	case reflect.Struct:
		for i := range over.NumField() {
			overlay(base.Field(i), over.Field(i))
		}
	case reflect.Pointer:
		if !over.IsNil() && !base.IsNil() {
			overlay(base.Elem(), over.Elem())
		} else if !over.IsNil() {
			base.Set(over)
		}
	case reflect.Map:
		if base.IsNil() {
			base.Set(over)
			return
		}
		for _, key := range over.MapKeys() {
			base.SetMapIndex(key, over.MapIndex(key))
		}
	default:
		if !over.IsZero() {
			base.Set(over)
		}
	}
}

// Validate reports every mistake of a block, and whether it reads recorded answers as it should.
func (s *Settings) Validate(report func(path, what, hint string)) {
	if s.Preset == "" || s.URL == "" {
		return // which is reported already, and without them nothing else can be said
	}
	wrong := false
	compile(s, func(path, what, hint string) {
		wrong = true
		report(path, what, hint)
	})
	if s.RecordedFile == "" || wrong {
		return
	}
	if err := s.play(s.RecordedFile); err != nil {
		report("recorded_file", err.Error(), "correct the description or the recording")
	}
}
