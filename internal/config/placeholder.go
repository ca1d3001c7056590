package config

import (
	"reflect"
	"strings"
)

const (
	placeholderBegin = "<fill in: "
	placeholderEnd   = ">"
)

// Placeholder is how a file that is to be completed marks a value that only its reader knows. Load reports each one that
// is left, with its words, instead of what else would be wrong with such a value.
func Placeholder(words string) string { return placeholderBegin + words + placeholderEnd }

// unfilled says whether a value is still a placeholder, and what belongs there. Where a file or a variable is named,
// nothing that is written is repeated: people paste secrets there.
func unfilled(key, text string) (hint string, still bool) {
	words, begins := strings.CutPrefix(text, placeholderBegin)
	words, ends := strings.CutSuffix(words, placeholderEnd)
	switch {
	case !begins || !ends:
		return "", false
	case strings.HasSuffix(key, "_file") || strings.HasSuffix(key, "_env"):
		return "", true
	}
	return "put in its place: " + words, true
}

// Setting is one setting of a provider's block.
type Setting struct {
	Name string // its key
	Doc  string // what it is, without a full stop
	File bool   // it names a file with a secret
}

// Required lists the settings that a provider of a kind cannot do without. Where a kind can log in in several ways, each
// of them optional by itself, that is the first one.
func Required(kind Kind) []Setting {
	if kind.Settings == nil {
		return nil
	}
	all := fieldsOf(reflect.TypeOf(kind.Settings()).Elem())
	var list, login []Setting
	demanded := false // by its tags, a secret is required
	for _, f := range all {
		base, secret := secretOf(f.name, all)
		if secret && f.name != base+"_file" {
			continue
		}
		s := Setting{Name: f.name, Doc: strings.TrimSuffix(f.doc, "."), File: secret}
		switch {
		case f.required:
			list = append(list, s)
			demanded = demanded || secret
		case secret:
			login = append(login, s)
		}
	}
	if !demanded && len(login) > 0 {
		list = append(list, login[0])
	}
	return list
}
