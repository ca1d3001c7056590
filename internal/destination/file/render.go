package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rotad/rotad/internal/credential"
)

// Render writes what the file of a place is to hold. Errors name fields, never values.
func Render(p credential.FilePlace, c credential.Copy) ([]byte, error) {
	switch p.Format {
	case credential.FileRaw, "":
		return raw(p, c)
	case credential.FileEnv:
		return env(p, c)
	case credential.FileJSON:
		return object(p, c)
	case credential.FileTemplate:
		return filled(p, c)
	}
	return nil, fmt.Errorf("there is no format %q", p.Format)
}

func raw(p credential.FilePlace, c credential.Copy) ([]byte, error) {
	field := p.Field
	if field == "" {
		field = credential.FieldClientSecret
	}
	value, err := c.Fields().Field(field)
	return []byte(value.Reveal()), err
}

// plain are values that every reader of such a file takes as they are: Docker's --env-file, systemd's EnvironmentFile and a
// shell disagree about quotes, blanks, backslashes and signs like # and $.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.,:/+=@%~-]*$`)

func env(p credential.FilePlace, c credential.Copy) ([]byte, error) {
	values, err := c.Named(p.Names, p.Previous, strings.ToUpper)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name].Reveal()
		if !plain.MatchString(value) {
			return nil, fmt.Errorf("the value of %s has a character that readers of such files understand differently; use the format json or raw", name)
		}
		fmt.Fprintf(&out, "%s=%s\n", name, value)
	}
	return out.Bytes(), nil
}

func object(p credential.FilePlace, c credential.Copy) ([]byte, error) {
	values, err := c.Named(p.Names, p.Previous, func(field string) string { return field })
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for name, value := range values {
		texts[name] = value.Reveal()
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(texts); err != nil {
		return nil, errors.New("the bundle cannot be written as JSON")
	}
	return out.Bytes(), nil
}

func filled(p credential.FilePlace, c credential.Copy) ([]byte, error) {
	t, err := p.Parsed()
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	data := texts(c.Fields())
	if p.Previous != nil {
		previous := texts(c.Previous)
		for field := range c.Bundle {
			if _, ok := previous[field]; !ok {
				previous[field] = ""
			}
		}
		data["previous"] = previous
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, errors.New("the template does not fit the bundle, which has " + strings.Join(slices.Sorted(maps.Keys(c.Fields())), ", "))
	}
	return out.Bytes(), nil
}

func texts(b credential.Bundle) map[string]any {
	out := map[string]any{}
	for name, value := range b {
		out[name] = value.Reveal()
	}
	return out
}
