package config_test

import (
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/rotad/rotad/internal/config"
)

// shown is the example as text.
func shown() string {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// asShown makes a kind of every provider in the example that has no double, with the settings of its block as texts: who
// adds a kind has nothing to write here.
func asShown(known []config.Kind) []config.Kind {
	var file struct {
		Providers map[string]map[string]any `yaml:"providers"`
	}
	if err := yaml.Unmarshal([]byte(shown()), &file); err != nil {
		panic(err)
	}
	var kinds []config.Kind
	for _, block := range file.Providers {
		name, _ := block["kind"].(string)
		if slices.ContainsFunc(known, func(k config.Kind) bool { return k.Name == name }) {
			continue
		}
		settings := structOf(block)
		kinds = append(kinds, config.Kind{Name: name, Settings: func() any { return reflect.New(settings).Interface() }})
	}
	return kinds
}

// common are the settings of a provider's block that every kind has.
var common = []string{"kind", "allow_unproven", "headers", "deadline", "propagation", "limits", "wave"}

func structOf(block map[string]any) reflect.Type {
	var fields []reflect.StructField
	for key := range block {
		if slices.Contains(common, key) {
			continue
		}
		fields = append(fields, reflect.StructField{
			Name: "F" + strings.ReplaceAll(key, "-", "_"), Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`yaml:"` + key + `" doc:"As shown."`),
		})
	}
	return reflect.StructOf(fields)
}
