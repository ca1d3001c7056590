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
		s.add(notYAML(file, data, err))
		return at, false
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		return at, true
	case err != nil:
		s.add(notYAML(file, data, err))
		return at, false
	}
	if err := loader.Load(&second); err == nil {
		s.add(Problem{File: file, Line: second.Line, What: "has a second document", Hint: "delete the --- and what follows"})
	} else if !errors.Is(err, io.EOF) {
		s.add(notYAML(file, data, err))
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

// notYAML is the problem of a file that the YAML library does not understand. The line itself is not shown: whoever
// has pasted a secret in the wrong place must not find it in a terminal or a log as well.
func notYAML(file string, data []byte, err error) Problem {
	line, hint := yamlLine(err, 1+bytes.Count(bytes.TrimRight(data, "\r\n"), []byte("\n")))
	return Problem{File: file, Line: line, What: "is not YAML: " + yamlText(err), Hint: hint}
}

// yamlText is the message of the YAML library without its prefixes and positions.
func yamlText(err error) string {
	if one, ok := errors.AsType[*yaml.LoadError](err); ok && one.Message != "" {
		text := one.Message
		if strings.HasPrefix(text, "unknown anchor") { // it repeats what stands there
			text = "an alias (*) names no anchor (&)"
		}
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

// yamlLine is where an error stands, in a file with so many lines, and where else to look. What lacks its end stands
// where it begins. Whether a line fits what came before is found out only behind it: an indentation that is wrong is
// noticed up to a line late.
func yamlLine(err error, last int) (line int, hint string) {
	one, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return 1, ""
	}
	line = max(1, one.Mark.Line)
	endless := line > last || strings.Contains(one.Message, "end of stream")
	switch begins := one.ContextMark.Line; {
	case endless && begins > 0 && begins <= last:
		if strings.Contains(one.ContextMsg, "flow") || strings.Contains(one.ContextMsg, "quoted") {
			hint = "what begins here does not end"
		}
		return begins, hint
	case endless:
		return last, ""
	case line > 1 && one.Stage != yaml.ComposerStage && !strings.Contains(one.Message, "character"):
		return line, "the mistake is here or in the line above"
	}
	return line, ""
}
