package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"
)

// parseFile reads a YAML file. A file that cannot be read or parsed is one problem, and ok is false.
func parseFile(s *sink, file string) (at scope, ok bool) {
	if info, err := os.Stat(file); err == nil && info.Mode()&(fs.ModeDir|fs.ModeDevice|fs.ModeSocket) != 0 {
		s.add(Problem{File: file, What: "is not a file"})
		return scope{}, false
	}
	data, err := os.ReadFile(file) //nolint:gosec // whoever starts the program names its configuration
	if err != nil {
		what := cause(err)
		if errors.Is(err, fs.ErrNotExist) {
			what = "the file does not exist"
		}
		s.add(Problem{File: file, What: what})
		return scope{}, false
	}
	return parse(s, file, data)
}

// parse reads one YAML document. An empty one is a document without settings.
func parse(s *sink, file string, data []byte) (at scope, ok bool) {
	at = scope{sink: s, file: file, dir: directory(file), line: 1}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		s.add(Problem{File: file, Line: 1, What: "is not YAML: " + yamlText(err)})
		return at, false
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		return at, true
	case err != nil:
		s.add(Problem{File: file, Line: yamlLine(err), What: "is not YAML: " + yamlText(err)})
		return at, false
	}
	if err := loader.Load(&second); err == nil {
		s.add(Problem{File: file, Line: second.Line, What: "has a second document", Hint: "delete the --- and what follows"})
	} else if !errors.Is(err, io.EOF) {
		s.add(Problem{File: file, Line: yamlLine(err), What: "is not YAML: " + yamlText(err)})
		return at, false
	}
	at.node = &document
	if document.Kind == yaml.DocumentNode && len(document.Content) == 1 {
		at.node = target(document.Content[0])
	}
	return at, true
}

// directory is what relative paths of a file start from.
func directory(file string) string {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return filepath.Dir(file)
	}
	return filepath.Dir(absolute)
}

// yamlText is the message of the YAML library without its prefixes and positions.
func yamlText(err error) string {
	if one, ok := errors.AsType[*yaml.LoadError](err); ok && one.Message != "" {
		text := one.Message
		if one.ContextMsg != "" {
			text = fmt.Sprintf("%s %s", text, one.ContextMsg)
		}
		return strings.TrimPrefix(text, "yaml: ")
	}
	if text := strings.TrimPrefix(err.Error(), "yaml: "); text != "" {
		return text
	}
	return "it cannot be read"
}

// yamlLine is where an error stands. What lacks its end stands where it begins.
func yamlLine(err error) int {
	if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		if strings.Contains(one.Message, "end of stream") && one.ContextMark.Line > 0 {
			return one.ContextMark.Line
		}
		return max(1, one.Mark.Line)
	}
	return 1
}
