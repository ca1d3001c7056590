package config

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// sink collects problems. One place has one error: the second one mostly follows from the first.
type sink struct {
	problems Problems
	wrong    map[place]bool
}

// place is where a problem is.
type place struct {
	file string
	line int
	path string
}

func newSink() *sink { return &sink{wrong: map[place]bool{}} }

func (s *sink) add(p Problem) {
	at := place{p.File, p.Line, p.Path}
	if !p.Warning {
		if s.wrong[at] {
			return
		}
		s.wrong[at] = true
	}
	s.problems = append(s.problems, p)
}

// scope is a place in a file: what is written there, and how a problem there is reported. A place that is not written
// has no node, and its problems stand at the line of the nearest place that is.
type scope struct {
	sink *sink
	file string // as problems name it
	dir  string // what relative paths are relative to
	path string
	line int
	node *yaml.Node // nil = not written; never an alias
}

// written says whether the place exists in the file, be it empty.
func (s scope) written() bool { return s.node != nil }

func (s scope) report(what, hint string) {
	s.add(Problem{What: what, Hint: hint})
}

func (s scope) warn(what, hint string) {
	s.add(Problem{What: what, Hint: hint, Warning: true})
}

// add reports a problem whose path is relative to this place; file and line follow from where that path leads.
func (s scope) add(p Problem) {
	at := s.at(p.Path)
	p.File, p.Line, p.Path = at.file, at.line, at.path
	s.sink.add(p)
}

// addAll reports problems that a check without knowledge of files has found.
func (s scope) addAll(problems Problems) {
	for _, p := range problems {
		s.add(p)
	}
}

var pathStep = regexp.MustCompile(`^(?:\.?([^.\[\]]+)|\[(\d+)\]|\["([^"]*)"\])`)

// at follows a relative path such as "auth.method" or "warn.at[1]" as far as it is written.
func (s scope) at(relative string) scope {
	for relative != "" {
		m := pathStep.FindStringSubmatch(relative)
		if m == nil {
			return s.child(relative)
		}
		relative = relative[len(m[0]):]
		switch {
		case m[2] != "":
			i, err := strconv.Atoi(m[2])
			if err != nil {
				return s
			}
			s = s.index(i)
		default:
			s = s.child(m[1] + m[3])
		}
	}
	return s
}

// has says whether a key of a mapping is written.
func (s scope) has(key string) bool {
	k, _ := find(s.node, key, maxAliasChain)
	return k != nil
}

// child is the place of a key of a mapping.
func (s scope) child(key string) scope {
	c := s
	c.node, c.path = nil, joinPath(s.path, key)
	if k, v := find(s.node, key, maxAliasChain); k != nil {
		c.node, c.line = target(v), k.Line
	}
	return c
}

// find looks a key up: what is written goes before what a merge key (<<) brings in.
func find(n *yaml.Node, key string, depth int) (k, v *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	merges := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.ScalarNode && k.Value == key {
			return k, n.Content[i+1]
		}
		merges = merges || isMerge(k)
	}
	if !merges || depth == 0 {
		return nil, nil
	}
	for _, other := range merged(n) {
		if k, v := find(other, key, depth-1); k != nil {
			return k, v
		}
	}
	return nil, nil
}

func isMerge(k *yaml.Node) bool { return k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" }

// merged lists the mappings that the merge keys of a mapping bring in, the strongest first.
func merged(n *yaml.Node) []*yaml.Node {
	var out []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		switch v := target(n.Content[i+1]); v.Kind {
		case yaml.MappingNode:
			out = append(out, v)
		case yaml.SequenceNode:
			for _, entry := range v.Content {
				out = append(out, target(entry))
			}
		default:
			out = append(out, v)
		}
	}
	return out
}

// index is the place of an entry of a list.
func (s scope) index(i int) scope {
	c := s
	c.node, c.path = nil, s.path+"["+strconv.Itoa(i)+"]"
	if s.node != nil && s.node.Kind == yaml.SequenceNode && i < len(s.node.Content) {
		c.node, c.line = target(s.node.Content[i]), s.node.Content[i].Line
	}
	return c
}

// maxAliasChain bounds aliases that lead to aliases; YAML itself only allows a chain of one.
const maxAliasChain = 10

// target follows an alias to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.AliasNode && i < maxAliasChain; i++ {
		n = n.Alias
	}
	return n
}

// joinPath appends a key; one that a path could not be split at again stands in brackets and quotes.
func joinPath(path, key string) string {
	if key == "" || strings.ContainsAny(key, ".[]\"' ") || strings.ContainsFunc(key, unicode.IsControl) {
		return path + `["` + strings.ReplaceAll(key, `"`, `'`) + `"]`
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
