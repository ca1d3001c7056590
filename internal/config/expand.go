package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

var variableRef = regexp.MustCompile(`\$\{([^}]*)\}`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces ${NAME} in the values of *_file and *_env keys, and makes paths absolute. In every other value a
// reference stays as it is, and is pointed out, because it was surely meant.
func (d *decoder) expand(s scope, key, text string) (string, bool) {
	isFile, isEnv := strings.HasSuffix(key, "_file"), strings.HasSuffix(key, "_env")
	if !isFile && !isEnv {
		if m := variableRef.FindStringSubmatch(text); m != nil && variableName.MatchString(m[1]) {
			s.warn("environment variables are not replaced here", "they are only in settings that end in _file or _env")
		}
		return text, true
	}
	expanded, err := d.replace(text)
	if err != nil {
		s.report(err.Error(), "")
		return "", false
	}
	if expanded == "" && text != "" {
		s.report("is empty once its environment variables are replaced", "")
		return "", false
	}
	if isFile && expanded != "" && !filepath.IsAbs(expanded) {
		expanded = filepath.Join(s.dir, expanded)
	}
	return expanded, true
}

func (d *decoder) replace(text string) (string, error) {
	var errs []error
	expanded := variableRef.ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, set := d.env(name)
		switch {
		case !variableName.MatchString(name):
			errs = append(errs, fmt.Errorf("%q is not the name of an environment variable", name))
		case !set && !d.syntax:
			errs = append(errs, fmt.Errorf("the environment variable %s is not set", name))
		case !set:
			return ref
		}
		return value
	})
	if strings.Contains(variableRef.ReplaceAllString(text, ""), "${") {
		errs = append(errs, errors.New("a ${ has no closing brace"))
	}
	return expanded, errors.Join(errs...)
}
